//! What somebody may have meant who wrote what is not there.

/// The longest name that is compared.
const LONGEST: usize = 64;

/// The one that takes the fewest changes, if it takes few.
pub(super) fn nearest(written: &str, known: impl Iterator<Item = String>) -> Option<String> {
    if written.len() > LONGEST {
        return None;
    }
    let most = 1 + written.len() / 6;
    let measured = known.map(|known| (changes(written, &known), known));
    measured.filter(|(changes, _)| *changes <= most).min().map(|(_, known)| known)
}

/// How many signs to change, to add, to take away or to swap with the next one.
fn changes(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![(0..=to.len()).collect::<Vec<usize>>()];
    for (i, sign) in from.iter().enumerate() {
        let (above, mut row) = (&rows[i], vec![i + 1]);
        for (j, other) in to.iter().enumerate() {
            let change = above[j] + usize::from(sign != other);
            let mut least = change.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *sign == to[j - 1] && from[i - 1] == *other {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k1_what_was_meant_is_what_takes_the_fewest_changes() {
        let known = || ["drain", "prefix", "http.address", "http.limits.body"].map(str::to_owned).into_iter();
        for (written, meant) in [
            ("drian", Some("drain")),
            ("prefi", Some("prefix")),
            ("http.adress", Some("http.address")),
            ("htpp.limits.bodi", Some("http.limits.body")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, known()).as_deref(), meant, "{written}");
        }
        assert_eq!(nearest(&"drain".repeat(100_000), known()), None);
    }
}
