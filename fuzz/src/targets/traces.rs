//! `traceparent` and `tracestate`: what is carried on has the standard's form, and is carried on again as it is.

use tegami::testing::doors;

use super::{assert_plain, text, texts};

pub fn read(data: &[u8]) {
    let data = text(data);
    let [parent, state] = texts(&data);
    let Some((id, carried, carried_state)) = doors::trace(parent, state) else { return };
    assert_eq!(carried, parent, "nothing of it is changed");
    assert!((55..=128).contains(&parent.len()) && !parent.starts_with("ff"));
    assert!(!parent.starts_with("00") || parent.len() == 55, "the first version ends here");
    assert!(parent.is_char_boundary(55) && parent.as_bytes()[2] == b'-' && parent[3..35] == id);
    let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    assert!(hex(&id) && !id.trim_matches('0').is_empty(), "{id}");
    assert!(hex(&parent[36..52]) && !parent[36..52].trim_matches('0').is_empty() && hex(&parent[53..55]), "{parent}");
    assert_plain(parent);
    if let Some(carried_state) = &carried_state {
        assert!(carried_state == state && state.len() <= 512);
        assert_plain(carried_state);
    }
    let again = doors::trace(&carried, carried_state.as_deref().unwrap_or_default());
    assert_eq!(again.map(|(id, parent, _)| (id, parent)), Some((id, carried)));
}
