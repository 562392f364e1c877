//! The edits that people make to contracts, one function each; none where a contract has nothing to edit that way.

use crate::{
    contract::{Contract, Dialect, Field, Label, Object, Rules, Ty},
    grow::{Dice, PATTERNS, PROTO, SCHEMA, can_be_required, map_key, rules, ty_nullable},
};

/// An edit: the contract as it is afterwards.
pub type Edit = fn(&Contract, &mut Dice) -> Option<Contract>;

/// Every edit, by name.
pub const EDITS: [(&str, Edit); 57] = [
    ("nothing", |contract, _| Some(contract.clone())),
    ("add a field", |contract, dice| add(contract, dice, |_, _| true)),
    ("add a required field", |contract, dice| add(contract, dice, |field, _| require(field))),
    ("add a field with rules", |contract, dice| add(contract, dice, ruled)),
    ("add an optional field", |contract, dice| {
        add(contract, dice, |field, _| {
            field.label = Label::Optional;
            true
        })
    }),
    ("remove a field", |contract, dice| remove(contract, dice, false)),
    ("remove a field and keep its number", |contract, dice| remove(contract, dice, true)),
    ("remove a field and use its number", |contract, dice| reuse(contract, dice, false)),
    ("remove a field and use its name", |contract, dice| reuse(contract, dice, true)),
    ("rename a field", |contract, dice| {
        field(
            contract,
            dice,
            |_| true,
            |field, _| {
                field.name = "renamed".to_owned();
                true
            },
        )
    }),
    ("rename a field but in JSON", |contract, dice| {
        proto_field(
            contract,
            dice,
            |_| true,
            |field, _| {
                field.json = Some(field.json_name());
                field.name = "renamed".to_owned();
                true
            },
        )
    }),
    ("set the name in JSON", |contract, dice| {
        proto_field(
            contract,
            dice,
            |_| true,
            |field, _| {
                field.json = Some("elsewhere".to_owned());
                true
            },
        )
    }),
    ("set the name in JSON to the contract's own", |contract, dice| {
        proto_field(
            contract,
            dice,
            |field| field.json_name() != field.name,
            |field, _| {
                field.json = Some(field.name.clone());
                true
            },
        )
    }),
    ("change a number", |contract, dice| {
        proto_field(
            contract,
            dice,
            |_| true,
            |field, _| {
                field.number = 77;
                true
            },
        )
    }),
    ("exchange two numbers", |contract, dice| {
        exchange(contract, dice, |left, right| {
            std::mem::swap(&mut left.number, &mut right.number);
        })
    }),
    ("exchange two names", |contract, dice| {
        exchange(contract, dice, |left, right| {
            std::mem::swap(&mut left.name, &mut right.name);
        })
    }),
    ("exchange two names in JSON", |contract, dice| {
        let is_proto = contract.dialect == Dialect::Protobuf;
        let edited = exchange(contract, dice, |left, right| {
            (left.json, right.json) = (Some(right.json_name()), Some(left.json_name()));
        });
        edited.filter(|_| is_proto)
    }),
    ("move fields on by one", |contract, dice| {
        object(contract, dice, |object, dialect, _| {
            let numbers: Vec<u32> = object.fields.iter().map(|field| field.number).collect();
            object
                .fields
                .iter_mut()
                .zip(numbers.iter().cycle().skip(1))
                .for_each(|(field, number)| field.number = *number);
            dialect == Dialect::Protobuf && numbers.len() > 1
        })
    }),
    ("change the type", |contract, dice| {
        let scalars = if contract.dialect == Dialect::Protobuf { &PROTO[..] } else { &SCHEMA[..] };
        let word = dice.pick(scalars);
        field(
            contract,
            dice,
            |field| field.ty != Ty::Scalar(word) && is_scalar(field),
            |field, _| {
                retype(field, word);
                true
            },
        )
    }),
    ("change the type, and no rules", |contract, dice| {
        let from = dice.pick(&PROTO[..11]);
        proto_field(
            contract,
            dice,
            |field| is_number(field) && field.ty != Ty::Scalar(from),
            |field, _| {
                field.ty = Ty::Scalar(from);
                from != "bool" || field.rules == Rules::default()
            },
        )
    }),
    ("make an enum a number", |contract, dice| {
        proto_field(contract, dice, is_enum, |field, dice| {
            field.ty = Ty::Scalar(dice.pick(&["int32", "int64", "uint32", "sint32", "string", "bool"]));
            true
        })
    }),
    ("make a number an enum", |contract, dice| {
        proto_field(contract, dice, is_number, |field, _| {
            field.ty = Ty::Named("Size".to_owned());
            if !matches!(field.label, Label::Many | Label::Map(_)) {
                field.rules = Rules::default();
            }
            true
        })
    }),
    ("make an enum text", |contract, dice| {
        schema_field(contract, dice, is_enum, |field, _| {
            field.ty = Ty::Scalar("string");
            true
        })
    }),
    ("make an enum short text", |contract, dice| {
        schema_field(contract, dice, is_enum, |field, _| {
            field.ty = Ty::Scalar("string");
            let rules = Rules { max_length: Some(5), ..Rules::default() };
            match field.label {
                Label::One => field.rules = rules,
                _ => field.rules.items = Some(Box::new(rules)),
            }
            true
        })
    }),
    ("make text an enum", |contract, dice| {
        schema_field(
            contract,
            dice,
            |field| field.ty == Ty::Scalar("string"),
            |field, _| {
                retype(field, "string");
                field.rules.items = None;
                field.ty = Ty::Named("Size".to_owned());
                field.nullable = false;
                true
            },
        )
    }),
    ("make an integer a number", |contract, dice| {
        schema_field(
            contract,
            dice,
            |field| field.ty == Ty::Scalar("integer"),
            |field, _| {
                field.ty = Ty::Scalar("number");
                true
            },
        )
    }),
    ("make a bounded integer a number", |contract, dice| {
        schema_field(
            contract,
            dice,
            |field| field.ty == Ty::Scalar("integer") && field.rules.maximum.is_some(),
            |field, _| {
                field.ty = Ty::Scalar("number");
                true
            },
        )
    }),
    ("make it an object", |contract, dice| {
        field(contract, dice, is_scalar, |field, _| {
            retype(field, "string");
            field.rules.items = None;
            field.ty = Ty::Named("Part".to_owned());
            field.required &= field.oneof.is_none();
            field.nullable = false;
            true
        })
    }),
    ("take another object", |contract, dice| {
        field(
            contract,
            dice,
            |field| field.ty == Ty::Named("Line".to_owned()),
            |field, _| {
                field.ty = Ty::Named("Part".to_owned());
                true
            },
        )
    }),
    ("take another object that is the same", |contract, dice| {
        let mut contract = field(
            contract,
            dice,
            |field| field.ty == Ty::Named("Part".to_owned()),
            |field, _| {
                field.ty = Ty::Named("Piece".to_owned());
                true
            },
        )?;
        let part = contract.object("Part")?.clone();
        contract.objects.push(Object { name: "Piece".to_owned(), ..part });
        Some(contract)
    }),
    ("make one many", |contract, dice| {
        field(
            contract,
            dice,
            |field| field.label == Label::One && field.oneof.is_none(),
            |field, _| {
                field.rules = Rules {
                    items: (field.rules != Rules::default()).then(|| Box::new(field.rules.clone())),
                    ..Rules::default()
                };
                field.nullable = false;
                field.label = Label::Many;
                true
            },
        )
    }),
    ("make many one", |contract, dice| {
        field(
            contract,
            dice,
            |field| field.label == Label::Many,
            |field, _| {
                field.rules = field.rules.items.as_deref().cloned().unwrap_or_default();
                field.label = Label::One;
                can_be_required(field) || !field.required
            },
        )
    }),
    ("make many a map", |contract, dice| {
        field(
            contract,
            dice,
            |field| field.label == Label::Many,
            |field, _| {
                field.label = Label::Map("string");
                field.rules.unique = false;
                true
            },
        )
    }),
    ("change the key of a map", |contract, dice| {
        proto_field(
            contract,
            dice,
            |field| matches!(field.label, Label::Map(_)),
            |field, dice| {
                field.label = Label::Map(map_key(Dialect::Protobuf, dice));
                true
            },
        )
    }),
    ("make it optional", |contract, dice| {
        let is_plain = |field: &Field| field.label == Label::One && field.oneof.is_none();
        proto_field(contract, dice, is_plain, |field, _| {
            field.label = Label::Optional;
            true
        })
    }),
    ("make it plain", |contract, dice| {
        proto_field(
            contract,
            dice,
            |field| field.label == Label::Optional,
            |field, _| {
                field.label = Label::One;
                can_be_required(field) || !field.required
            },
        )
    }),
    ("require it", |contract, dice| field(contract, dice, |field| !field.required, |field, _| require(field))),
    ("no longer require it", |contract, dice| {
        field(
            contract,
            dice,
            |field| field.required,
            |field, _| {
                field.required = false;
                true
            },
        )
    }),
    ("allow null", |contract, dice| {
        schema_field(
            contract,
            dice,
            |field| !field.nullable && ty_nullable(field) && field.label == Label::One,
            |field, _| {
                field.nullable = true;
                true
            },
        )
    }),
    ("no longer allow null", |contract, dice| {
        schema_field(
            contract,
            dice,
            |field| field.nullable,
            |field, _| {
                field.nullable = false;
                true
            },
        )
    }),
    ("change the rules", |contract, dice| field(contract, dice, |_| true, ruled)),
    ("change the rules again", |contract, dice| field(contract, dice, |field| field.rules != Rules::default(), ruled)),
    ("drop the rules", |contract, dice| {
        field(
            contract,
            dice,
            |field| field.rules != Rules::default(),
            |field, _| {
                field.rules = Rules::default();
                true
            },
        )
    }),
    ("a bound more or less", |contract, dice| {
        field(
            contract,
            dice,
            |_| true,
            |field, dice| {
                let before = field.rules.clone();
                nudge(&mut field.rules, dice);
                field.rules.items.iter_mut().for_each(|items| nudge(items, dice));
                field.rules != before
            },
        )
    }),
    ("another pattern", |contract, dice| {
        field(
            contract,
            dice,
            |field| field.ty == Ty::Scalar("string") && field.label == Label::One,
            |field, dice| {
                field.rules = Rules { pattern: Some(PATTERNS[dice.below(4)]), ..Rules::default() };
                true
            },
        )
    }),
    ("no item twice", |contract, dice| {
        schema_field(
            contract,
            dice,
            |field| field.label == Label::Many,
            |field, _| {
                field.rules.unique = !field.rules.unique;
                true
            },
        )
    }),
    ("close or open it", |contract, dice| {
        object(contract, dice, |object, dialect, _| {
            object.closed = !object.closed;
            dialect == Dialect::JsonSchema
        })
    }),
    ("add a value", |contract, _| item(contract, |values| values.push(("HUGE".to_owned(), 9)))),
    ("remove a value", |contract, _| item(contract, |values| drop(values.pop()))),
    ("rename a value", |contract, _| item(contract, |values| values[1].0 = "OTHER".to_owned())),
    ("rename the first value", |contract, _| item(contract, |values| values[0].0 = "OTHER".to_owned())),
    ("exchange two values", |contract, _| {
        item(contract, |values| {
            let first = values[0].0.clone();
            values[0].0 = values[1].0.clone();
            values[1].0 = first;
        })
    }),
    ("a second name for a value", |contract, dice| {
        let at = dice.below(2);
        let edited = item(contract, |values| {
            let number = values[1].1;
            values.insert(1 + at, ("ALIAS".to_owned(), number));
        });
        edited.filter(|contract| contract.dialect == Dialect::Protobuf)
    }),
    ("join fields in a oneof", |contract, dice| join(contract, dice, 2)),
    ("put a field into a oneof", |contract, dice| join(contract, dice, 1)),
    ("take a field out of its oneof", |contract, dice| {
        proto_field(
            contract,
            dice,
            |field| field.oneof.is_some(),
            |field, _| {
                field.oneof = None;
                true
            },
        )
    }),
    ("change a union", |contract, dice| {
        let mut edited = contract.clone();
        let union = edited.unions.first_mut()?;
        match dice.below(3) {
            0 => drop(union.variants.pop()),
            1 => union.tag = "sort".to_owned(),
            _ => union.variants[1].0 = "coins".to_owned(),
        }
        // One branch is no union.
        if union.variants.len() < 2 {
            union.variants.push(("coins".to_owned(), "Cash".to_owned()));
        }
        Some(edited)
    }),
];

fn object(
    contract: &Contract,
    dice: &mut Dice,
    edit: impl FnOnce(&mut Object, Dialect, &mut Dice) -> bool,
) -> Option<Contract> {
    let mut edited = contract.clone();
    let n = dice.below(edited.objects.len());
    edit(&mut edited.objects[n], contract.dialect, dice).then_some(edited)
}

/// Edits one field among those that fit; the event's own are as many chances as all others.
fn field(
    contract: &Contract,
    dice: &mut Dice,
    fits: impl Fn(&Field) -> bool,
    edit: impl FnOnce(&mut Field, &mut Dice) -> bool,
) -> Option<Contract> {
    let mut edited = contract.clone();
    let own = edited.objects[0].fields.len();
    let mut fields: Vec<_> = edited
        .objects
        .iter_mut()
        .flat_map(|object| object.fields.iter_mut())
        .enumerate()
        .filter(|(_, field)| fits(field))
        .collect();
    let event = fields.iter().filter(|(n, _)| *n < own).count();
    if fields.is_empty() {
        return None;
    }
    let among = if event > 0 && dice.below(2) == 0 { event } else { fields.len() };
    let n = dice.below(among);
    edit(fields[n].1, dice).then_some(edited)
}

fn proto_field(
    contract: &Contract,
    dice: &mut Dice,
    fits: impl Fn(&Field) -> bool,
    edit: impl FnOnce(&mut Field, &mut Dice) -> bool,
) -> Option<Contract> {
    (contract.dialect == Dialect::Protobuf).then(|| field(contract, dice, fits, edit))?
}

fn schema_field(
    contract: &Contract,
    dice: &mut Dice,
    fits: impl Fn(&Field) -> bool,
    edit: impl FnOnce(&mut Field, &mut Dice) -> bool,
) -> Option<Contract> {
    (contract.dialect == Dialect::JsonSchema).then(|| field(contract, dice, fits, edit))?
}

fn fresh(dialect: Dialect, dice: &mut Dice) -> Field {
    let scalars = if dialect == Dialect::Protobuf { &PROTO[..] } else { &SCHEMA[..] };
    Field::new("added", 66, Ty::Scalar(scalars[dice.below(scalars.len())]))
}

fn add(contract: &Contract, dice: &mut Dice, edit: impl FnOnce(&mut Field, &mut Dice) -> bool) -> Option<Contract> {
    object(contract, dice, |object, dialect, dice| {
        let mut field = fresh(dialect, dice);
        let is_good = edit(&mut field, dice) && (dialect == Dialect::Protobuf || field.label != Label::Optional);
        object.fields.push(field);
        is_good
    })
}

fn remove(contract: &Contract, dice: &mut Dice, keep: bool) -> Option<Contract> {
    object(contract, dice, |object, dialect, dice| {
        let n = dice.below(object.fields.len());
        let gone = object.fields.remove(n);
        if keep {
            object.reserved.push((gone.number, gone.name));
        }
        !object.fields.is_empty() && (!keep || dialect == Dialect::Protobuf)
    })
}

fn reuse(contract: &Contract, dice: &mut Dice, name: bool) -> Option<Contract> {
    object(contract, dice, |object, dialect, dice| {
        let n = dice.below(object.fields.len());
        let gone = object.fields.remove(n);
        let mut field = fresh(dialect, dice);
        if name {
            field.name = gone.name;
        } else {
            field.number = gone.number;
        }
        object.fields.push(field);
        true
    })
}

fn exchange(contract: &Contract, dice: &mut Dice, swap: impl FnOnce(&mut Field, &mut Field)) -> Option<Contract> {
    object(contract, dice, |object, _, _| {
        let [first, second, ..] = &mut object.fields[..] else { return false };
        swap(first, second);
        true
    })
}

fn join(contract: &Contract, dice: &mut Dice, count: usize) -> Option<Contract> {
    object(contract, dice, |object, dialect, _| {
        let alone = object.fields.iter_mut().filter(|field| {
            field.oneof.is_none() && !field.required && matches!(field.label, Label::One | Label::Optional)
        });
        let mut joined = 0;
        for field in alone.take(count) {
            field.label = Label::One;
            field.oneof = Some("joined".to_owned());
            joined += 1;
        }
        joined == count && dialect == Dialect::Protobuf
    })
}

fn item(contract: &Contract, edit: impl FnOnce(&mut Vec<(String, i32)>)) -> Option<Contract> {
    let mut edited = contract.clone();
    edit(&mut edited.enums[0].values);
    Some(edited)
}

fn require(field: &mut Field) -> bool {
    field.required = true;
    can_be_required(field)
}

fn ruled(field: &mut Field, dice: &mut Dice) -> bool {
    let before = field.rules.clone();
    let dialect = match &field.ty {
        Ty::Scalar(word) if SCHEMA[1..].contains(word) => Dialect::JsonSchema,
        _ => Dialect::Protobuf,
    };
    for _ in 0..8 {
        field.rules = rules(field, dialect, dice);
        if field.rules != before {
            return true;
        }
    }
    false
}

fn nudge(rules: &mut Rules, dice: &mut Dice) {
    let more = dice.below(2) == 0;
    let length = |bound: u64| if more { bound + 1 } else { bound.saturating_sub(1) };
    let number = |bound: f64| if more { bound + 1.0 } else { bound - 1.0 };
    match dice.below(2) {
        0 => {
            rules.max_length = rules.max_length.map(length);
            rules.maximum = rules.maximum.map(number);
            rules.below = rules.below.map(number);
        }
        _ => {
            rules.min_length = rules.min_length.map(length);
            rules.minimum = rules.minimum.map(number);
            rules.above = rules.above.map(number);
        }
    }
}

fn retype(field: &mut Field, word: &'static str) {
    field.ty = Ty::Scalar(word);
    match field.label {
        Label::Many | Label::Map(_) => field.rules.items = None,
        _ => field.rules = Rules::default(),
    }
    field.required &= can_be_required(field);
}

fn is_scalar(field: &Field) -> bool {
    matches!(field.ty, Ty::Scalar(_))
}

fn is_number(field: &Field) -> bool {
    matches!(&field.ty, Ty::Scalar(word) if PROTO[..10].contains(word))
}

fn is_enum(field: &Field) -> bool {
    field.ty == Ty::Named("Size".to_owned())
}
