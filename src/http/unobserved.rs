//! Paths that traces and figures leave out.

/// The beginnings of such paths, without a `/` at their ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Unobserved(Vec<String>);

impl Unobserved {
    /// Adds a path with all below it.
    ///
    /// # Errors
    /// It is no path.
    pub(super) fn add(&mut self, path: &str) -> Result<(), String> {
        let plain = path.starts_with('/') && !path.contains(['?', '#']) && !path.contains(char::is_control);
        if !plain {
            return Err(format!("`{}` is no path to leave unobserved: give one as `/health`", path.escape_debug()));
        }
        self.0.push(path.trim_end_matches('/').to_owned());
        Ok(())
    }

    /// Is this path left out?
    pub(super) fn has(&self, path: &str) -> bool {
        let is_below =
            |known: &String| path.strip_prefix(known).is_some_and(|rest| matches!(rest.as_bytes(), [] | [b'/', ..]));
        self.0.iter().any(is_below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stands_for_itself_and_for_what_is_below() {
        let mut unobserved = Unobserved::default();
        assert!(!unobserved.has("/health"));
        for wrong in ["", "health", "/health?x", "/a\n", "*"] {
            assert!(unobserved.add(wrong).is_err(), "{wrong}");
        }
        unobserved.add("/health/").expect("a path");
        for (path, left_out) in [("/health", true), ("/health/", true), ("/health/live", true), ("/healthy", false)] {
            assert_eq!(unobserved.has(path), left_out, "{path}");
        }
        unobserved.add("/").expect("a path");
        assert!(unobserved.has("/") && unobserved.has("/healthy") && !unobserved.has("*"));
    }
}
