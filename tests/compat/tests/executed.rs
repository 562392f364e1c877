//! The verdict of the gate is what happens.
//!
//! Over two hundred contracts, and every edit of each: data is written by the old contract and read by the new one, and
//! the other way round, in both encodings of protobuf and in JSON. Where anything is refused, read as another value or
//! not seen, the gate must have said so, for that direction and that encoding. Where it said so and nothing happened, it
//! was over-careful; such cases are counted, and each rule that is so has its reason below.
//!
//! What reads and writes here are `prost-reflect` and `jsonschema`, which take contracts as they run, with tegami's rules
//! told once more in `valid`. That the codecs which tegami generates do the same, `compiled` holds against these, and
//! `tests/heavy` in general.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use tegami_codegen::{Check, Direction, Encoding, Finding, Lockfile, RULES};
use tegami_compat_tests::{
    contract::{Contract, Dialect},
    edits::EDITS,
    grow::{self, Dice},
    json_schema,
    protobuf::{self, Form},
    sample::samples,
    value::{counterpart, difference},
};

/// Contracts of each language.
const CONTRACTS: u64 = 104;

/// Rules about what lies beside the payload, or in the future: nothing that is written and read here shows them. `rules`
/// has a case of each.
const ELSEWHERE: [&str; 17] = [
    "event-removed",
    "format-changed",
    "topic-changed",
    "topic-shared",
    "routing-key-changed",
    "ordering-changed",
    "key-changed",
    "subject-changed",
    "personal-removed",
    "personal-added",
    "attribute-removed",
    "attribute-added",
    "attribute-type-changed",
    "object-closed",
    "presence-changed",
    "number-not-reserved",
    "reserved-used",
];

/// Rules that are sometimes over-careful, and why.
const OVER_CAREFUL: [(&str, &str); 5] = [
    ("object-closed", "what was declared in still older versions is in stores, and these are not at hand here"),
    ("length-narrowed", BESIDE),
    ("length-widened", BESIDE),
    ("range-widened", BESIDE),
    ("type-changed", "an object that always holds another of itself cannot be written at all"),
];
/// Rules are compared each with its own kind.
const BESIDE: &str = "what a pattern, a format or the key of a map says of lengths is not worked out, nor that protobuf \
                      does not write the 0 or the empty text of a field that is always there";

#[test]
fn the_verdict_is_what_happens() {
    let tally = tally();
    println!("{tally}");
    assert!(tally.unsound.is_empty(), "{} unsound\n{}", tally.unsound.len(), tally.unsound.join("\n\n"));
    assert!(tally.pairs > 5_000, "{} pairs", tally.pairs);
    // The test can fail: without any one of these rules, something that happened would have been called safe.
    let elsewhere: BTreeSet<_> = ELSEWHERE.into_iter().collect();
    let unproven: Vec<_> =
        RULES.iter().map(|rule| rule.id).filter(|id| !tally.alone.contains(id) && !elsewhere.contains(id)).collect();
    assert!(unproven.is_empty(), "no case here needs the rules {unproven:?}");
    let known: BTreeSet<_> = OVER_CAREFUL.iter().map(|(rule, _)| *rule).collect();
    let others: Vec<_> = tally.careful.iter().filter(|(rule, _)| !known.contains(**rule)).collect();
    assert!(others.is_empty(), "over-careful without a reason: {others:#?}");
    if tally.is_whole {
        ["README.md", "docs/gate.md"].into_iter().for_each(|file| assert_tells(file, &tally.sentence()));
    }
}

/// The file has the sentence between its marks. With `BLESS=1` it gets it.
fn assert_tells(file: &str, sentence: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("<!-- corpus -->").expect("it has the mark");
    let (told, after) = rest.split_once("<!-- /corpus -->").expect("it has the other mark");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, format!("{before}<!-- corpus -->{sentence}<!-- /corpus -->{after}")).unwrap();
    } else {
        assert_eq!(told, sentence, "{file} tells other figures; BLESS=1 has it tell these");
    }
}

/// 1234567 as `1,234,567`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

/// All contracts, on every core.
fn tally() -> Tally {
    let contracts = std::env::var("CONTRACTS").ok().and_then(|count| count.parse().ok()).unwrap_or(CONTRACTS);
    let cases: Vec<_> = [Dialect::Protobuf, Dialect::JsonSchema]
        .into_iter()
        .flat_map(|dialect| (0..contracts).map(move |seed| (dialect, seed)))
        .collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let work = |first: usize| {
        let mut tally = Tally::default();
        cases.iter().skip(first).step_by(cores).for_each(|(dialect, seed)| judge_all(*dialect, *seed, &mut tally));
        tally
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|first| scope.spawn(move || work(first))).collect();
        let whole = Tally { is_whole: contracts == CONTRACTS, ..Tally::default() };
        workers.into_iter().fold(whole, |all, worker| all.and(worker.join().unwrap()))
    })
}

#[derive(Default)]
struct Tally {
    /// Were all contracts looked at?
    is_whole: bool,
    pairs: usize,
    verdicts: usize,
    broken: usize,
    samples: usize,
    unsound: Vec<String>,
    /// Rules without which something that happened would have been called safe.
    alone: BTreeSet<&'static str>,
    /// The rules of verdicts that nothing bore out, and one case of each.
    careful: BTreeMap<&'static str, (usize, String)>,
}

impl Tally {
    fn and(mut self, more: Self) -> Self {
        self.pairs += more.pairs;
        self.verdicts += more.verdicts;
        self.broken += more.broken;
        self.samples += more.samples;
        self.unsound.extend(more.unsound);
        self.alone.extend(more.alone);
        for (rule, (count, case)) in more.careful {
            self.careful.entry(rule).or_insert((0, case)).0 += count;
        }
        self
    }

    /// What documents tell of it.
    fn sentence(&self) -> String {
        let careful = self.careful.values().map(|(count, _)| count).sum();
        let [pairs, samples, unsound, careful] = [self.pairs, self.samples, self.unsound.len(), careful].map(grouped);
        format!("{pairs} changed contracts, {samples} events: {unsound} unsound verdicts, {careful} over-careful")
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pairs, verdicts, broken, samples, unsound, careful, .. } = self;
        writeln!(
            f,
            "{pairs} pairs of contracts, {verdicts} verdicts, {broken} of them breaking, {samples} events written and read"
        )?;
        writeln!(f, "unsound: {}", unsound.len())?;
        let all: usize = careful.values().map(|(count, _)| count).sum();
        writeln!(f, "over-careful: {all}")?;
        careful.iter().try_for_each(|(rule, (count, case))| writeln!(f, "  {rule}: {count}, as in {case}"))
    }
}

fn judge_all(dialect: Dialect, seed: u64, tally: &mut Tally) {
    let old = grow::contract(dialect, seed);
    let locks = Locks::new();
    let Some(before) = locks.lock(&old, "old") else { panic!("seed {seed} is refused: {}", old.text("compat.v1")) };
    for (n, (name, edit)) in EDITS.iter().enumerate() {
        let mut dice = Dice::new(seed * 1_000 + n as u64);
        let Some(new) = edit(&old, &mut dice) else { continue };
        // An edit may make what no contract can be.
        let Some(after) = locks.lock(&new, "new") else { continue };
        // Nor can what nobody can write be read wrongly.
        if samples(&new, &old).is_empty() {
            continue;
        }
        tally.pairs += 1;
        let case = format!("{dialect:?} {seed}: {name}");
        judge(&case, (&old, &new), (&before, &after), tally);
    }
}

fn judge(case: &str, (old, new): (&Contract, &Contract), (before, after): (&Path, &Path), tally: &mut Tally) {
    let encodings = match old.dialect {
        Dialect::Protobuf => &[Encoding::Protobuf, Encoding::Json][..],
        Dialect::JsonSchema => &[Encoding::Json],
    };
    let codecs = (Codec::of(old), Codec::of(new));
    for encoding in encodings {
        let check = Check::of(after).against(before.to_str().unwrap()).encoding(*encoding);
        let report = check.run().unwrap();
        for direction in [Direction::NewReadsOld, Direction::OldReadsNew] {
            let (writer, reader) = match direction {
                Direction::NewReadsOld => (&codecs.0, &codecs.1),
                _ => (&codecs.1, &codecs.0),
            };
            let found: Vec<_> = report.breaking().filter(|finding| finding.directions.contains(&direction)).collect();
            let happened = happened(writer, reader, *encoding, direction, tally);
            tally.verdicts += 1;
            tally.broken += usize::from(!found.is_empty());
            match (found.is_empty(), happened) {
                (true, Some(what)) => tally.unsound.push(format!(
                    "{case}: {direction:?} in {encoding:?} was called safe, but {what}\n{}\n--\n{}",
                    old.text("compat.v1"),
                    new.text("compat.v1")
                )),
                (false, None) => careful(case, &found, tally),
                (false, Some(_)) => {
                    let rules: BTreeSet<_> = found.iter().map(|finding| finding.rule.id).collect();
                    tally.alone.extend(rules.first().filter(|_| rules.len() == 1));
                }
                _ => {}
            }
        }
    }
}

fn careful(case: &str, found: &[&Finding], tally: &mut Tally) {
    for Finding { rule, path, before, after, .. } in found {
        let example = format!("{case}: {path}: {before} → {after}");
        tally.careful.entry(rule.id).or_insert((0, example)).0 += 1;
    }
}

enum Codec {
    Protobuf(Contract, Box<protobuf::Codec>),
    JsonSchema(Contract, Box<json_schema::Codec>),
}

impl Codec {
    fn of(contract: &Contract) -> Self {
        match contract.dialect {
            Dialect::Protobuf => Self::Protobuf(contract.clone(), Box::new(protobuf::Codec::of(contract))),
            Dialect::JsonSchema => Self::JsonSchema(contract.clone(), Box::new(json_schema::Codec::of(contract))),
        }
    }

    fn contract(&self) -> &Contract {
        match self {
            Self::Protobuf(contract, _) | Self::JsonSchema(contract, _) => contract,
        }
    }
}

/// What became of data, if anything did.
fn happened(
    writer: &Codec,
    reader: &Codec,
    encoding: Encoding,
    direction: Direction,
    tally: &mut Tally,
) -> Option<String> {
    if direction == Direction::OldReadsNew
        && let Some(field) = unwritten(writer.contract(), reader.contract())
    {
        return Some(format!("`{field}` is never written"));
    }
    let samples = samples(writer.contract(), reader.contract());
    assert!(!samples.is_empty(), "nothing can be written by\n{}", writer.contract().text("compat.v1"));
    tally.samples += samples.len();
    samples.iter().find_map(|sample| match (writer, reader) {
        (Codec::Protobuf(theirs, writer), Codec::Protobuf(ours, reader)) => {
            let form = if encoding == Encoding::Protobuf { Form::Binary } else { Form::Json };
            let Some(read) = reader.read(&writer.write(sample, form), form) else {
                return Some(format!("{sample:?} was refused"));
            };
            let field = difference((theirs, theirs.event(), sample), (ours, ours.event(), &read))?;
            Some(format!("`{field}` of {sample:?} was read as {read:?}"))
        }
        (Codec::JsonSchema(_, writer), Codec::JsonSchema(_, reader)) => {
            let json = writer.write(sample);
            match reader.read(&json) {
                None => Some(format!("{json} was refused")),
                Some(false) => Some(format!("a number of {json} was rounded")),
                Some(true) => None,
            }
        }
        _ => unreachable!("both contracts are of one language"),
    })
}

/// A field that the reader knows and the writer has no more, in an object that both sides have at the same place.
fn unwritten(writer: &Contract, reader: &Contract) -> Option<String> {
    let mut open = vec![(writer.event().name.clone(), reader.event().name.clone())];
    let mut seen = BTreeSet::new();
    while let Some((from, into)) = open.pop() {
        let Some((theirs, ours)) = writer.object(&from).zip(reader.object(&into)) else { continue };
        if !seen.insert((from, into)) {
            continue;
        }
        for field in &ours.fields {
            let Some(same) = counterpart(field, ours, theirs, reader.dialect) else { return Some(field.name.clone()) };
            if let (tegami_compat_tests::contract::Ty::Named(from), tegami_compat_tests::contract::Ty::Named(into)) =
                (&same.ty, &field.ty)
            {
                open.push((from.clone(), into.clone()));
                let variants = |contract: &Contract, name: &str| {
                    contract.union(name).map_or(Vec::new(), |union| union.variants.clone())
                };
                for (value, from) in variants(writer, from) {
                    let into = variants(reader, into).into_iter().find(|(known, _)| *known == value);
                    open.extend(into.map(|(_, into)| (from, into)));
                }
            }
        }
    }
    None
}

/// A folder for the locks of one contract.
struct Locks(PathBuf);

impl Locks {
    fn new() -> Self {
        let name = format!("locks-{:?}", std::thread::current().id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name.replace(['(', ')'], "-"));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// The lock of a contract; none where it is refused.
    fn lock(&self, contract: &Contract, name: &str) -> Option<PathBuf> {
        let folder = self.0.join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(contract.file()), contract.text("compat.v1")).unwrap();
        let lock = Lockfile::of(&folder).map_err(|error| println!("refused: {error}")).ok()?;
        let file = self.0.join(format!("{name}.lock"));
        fs::write(&file, lock.text()).unwrap();
        Some(file)
    }
}
