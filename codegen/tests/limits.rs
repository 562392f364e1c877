//! Contracts of unusual size: each is compiled or refused, in little time and on a small stack.

mod common;

use std::fs;

use common::{compile, folder};

/// Messages of which each holds the next, in the given way.
fn chain(length: usize, field: &str) -> String {
    let link = |n: usize| format!("message M{n} {{ {} }}\n", field.replace('#', &format!("M{}", n + 1)));
    let links: String = (1..length).map(link).collect();
    format!("syntax = \"proto3\";\npackage shop.v1;\n{links}message M{length} {{ string end = 1; }}\n")
}

#[test]
fn messages_hold_others_as_deep_as_both_encodings_can_be_read() {
    for (most, field, what) in [
        (100, "# next = 1;", "messages 101 deep, and 100 at most"),
        (100, "oneof next { # one = 1; }", "messages 101 deep, and 100 at most"),
        (64, "repeated # next = 1;", "objects and arrays of JSON 129 deep, and 127 at most"),
        (50, "map<string, #> next = 1;", "messages 101 deep, and 100 at most"),
    ] {
        let folder = folder(&format!("deep{}", field.len()));
        fs::write(folder.join("a.proto"), chain(most, field)).unwrap();
        assert_eq!(compile(&folder).err(), None, "{field}");
        fs::write(folder.join("a.proto"), chain(most + 1, field)).unwrap();
        let error = compile(&folder).unwrap_err();
        assert!(error.contains(&format!("a.proto:3:9: `shop.v1.M1` holds {what}")), "{error}");
        assert_eq!(error.lines().count(), 2);
    }
}

#[test]
fn a_list_at_the_end_of_a_chain_is_a_level_of_json_too() {
    let folder = folder("deep_list");
    let text = |length| chain(length, "repeated # next = 1;").replace("string end", "repeated string end");
    fs::write(folder.join("a.proto"), text(63)).unwrap();
    assert_eq!(compile(&folder).err(), None);
    fs::write(folder.join("a.proto"), text(64)).unwrap();
    assert!(compile(&folder).unwrap_err().contains("JSON 128 deep"));
}

/// An event that holds the first of many messages, each of which holds two of the next; the last has an e-mail address.
fn doubling(length: usize) -> String {
    let link = |n: usize| format!("message M{n} {{ M{0} left = 1; M{0} right = 2; }}\n", n + 1);
    let links: String = (1..length).map(link).collect();
    let marked = "[(tegami.v1.field) = { personal: true }]";
    format!(
        "syntax = \"proto3\";\npackage shop.v1;\nimport \"tegami/v1/options.proto\";\n\
         message Sent {{ option (tegami.v1.event) = {{}}; M1 m = 1; repeated string names = 2 {marked}; }}\n\
         {links}message M{length} {{ string email = 1 {marked}; }}\n"
    )
}

#[test]
fn a_thousand_paths_lead_to_what_is_personal_and_no_more_are_walked() {
    let folder = folder("paths");
    let start = std::time::Instant::now();
    // 2^9 paths and one; 2^10 and one; more than any machine could walk.
    fs::write(folder.join("a.proto"), doubling(10)).unwrap();
    assert_eq!(compile(&folder).unwrap()["shop.v1.rs"].matches(".email\"").count(), 512);
    for length in [11, 90] {
        fs::write(folder.join("a.proto"), doubling(length)).unwrap();
        let error = compile(&folder).unwrap_err();
        let told = "a.proto:4:9: too many paths lead to what is personal in `shop.v1.Sent`: 1000 at most";
        assert!(error.contains(told), "{error}");
    }
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn ways_that_lead_to_nothing_personal_are_not_walked_for_ever() {
    let folder = folder("ways");
    // Each of forty holds all, and the event: every order of them is a way, and none leads to anything but the event.
    let fields: String = (0..40).map(|n| format!("Clique{n} c{n} = {}; ", n + 1)).collect();
    let links: String = (0..40).map(|n| format!("message Clique{n} {{ {fields} Sent sent = 50; }}\n")).collect();
    let text = doubling(2).replace("M1 m = 1;", "M1 m = 1; Clique0 clique = 3;");
    fs::write(folder.join("a.proto"), format!("{text}{links}")).unwrap();
    let start = std::time::Instant::now();
    assert!(compile(&folder).unwrap_err().contains("too many paths"));
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn longest_chain_of_messages_is_refused_not_followed() {
    let folder = folder("chain");
    fs::write(folder.join("a.proto"), chain(20_000, "# n = 1;")).unwrap();
    assert!(compile(&folder).unwrap_err().contains("holds messages 101 deep"));
}

#[test]
fn messages_in_a_ring_are_no_chain() {
    let folder = folder("ring");
    let text = chain(500, "# next = 1;").replace("string end = 1;", "M1 next = 1;");
    fs::write(folder.join("a.proto"), text).unwrap();
    let files = compile(&folder).unwrap();
    assert!(files["shop.v1.rs"].contains("pub next: Option<Box<M1>>"));
}

#[test]
fn a_thousand_messages_take_seconds_at_most() {
    let folder = folder("thousand");
    let message = |n: usize| {
        format!(
            "message M{n} {{ option (tegami.v1.event) = {{}}; Money total = 1;
            string id = 2 [(tegami.v1.field) = {{ key: true, pattern: \"^o\" }}]; repeated M{} others = 3; }}\n",
            n / 2
        )
    };
    let messages: String = (0..1000).map(message).collect();
    let head = "syntax = \"proto3\";\npackage shop.v1;\nimport \"tegami/v1/options.proto\";\n";
    fs::write(folder.join("a.proto"), format!("{head}{messages}message Money {{ int64 minor = 1; }}\n")).unwrap();
    let start = std::time::Instant::now();
    assert!(compile(&folder).is_ok());
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
