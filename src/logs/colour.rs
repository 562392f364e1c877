//! Whether lines are coloured: on a terminal, unless somebody says otherwise.

use std::{
    env,
    io::{self, IsTerminal},
};

/// Are lines coloured?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Always,
    Never,
}

impl Colour {
    pub(super) fn of_stderr() -> Self {
        let terminal = if io::stderr().is_terminal() { Self::Always } else { Self::Never };
        Self::choose(terminal, |name| env::var(name).ok())
    }

    /// By <https://no-color.org> and <https://bixense.com/clicolors>: `NO_COLOR` first.
    fn choose(terminal: Self, variable: impl Fn(&str) -> Option<String>) -> Self {
        let is = |name: &str, value: &str| variable(name).as_deref() == Some(value);
        if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Self::Never;
        }
        if variable("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") {
            return Self::Always;
        }
        if is("CLICOLOR", "0") || is("TERM", "dumb") { Self::Never } else { terminal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_is_coloured_and_the_variables_decide() {
        use Colour::{Always, Never};
        for (terminal, variables, colour) in [
            (Always, &[] as &[_], Always),
            (Never, &[], Never),
            (Always, &[("NO_COLOR", "1")], Never),
            (Always, &[("NO_COLOR", "")], Always),
            (Always, &[("CLICOLOR", "0")], Never),
            (Always, &[("CLICOLOR", "1")], Always),
            (Never, &[("CLICOLOR", "1")], Never),
            (Never, &[("CLICOLOR_FORCE", "1")], Always),
            (Never, &[("CLICOLOR_FORCE", "0")], Never),
            (Never, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], Never),
            (Always, &[("TERM", "dumb")], Never),
        ] {
            let found =
                |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(Colour::choose(terminal, found), colour, "{terminal:?} {variables:?}");
        }
    }
}
