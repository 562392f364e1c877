//! Numbers, as JSON spells them and a float can hold them.

use super::{Fault, Strict};

impl Strict<'_> {
    pub(super) fn number(&mut self) -> Result<f64, Fault> {
        let begin = self.at;
        if self.here() == Some(b'-') {
            self.at += 1;
        }
        match self.here() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.here() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.here() {
                self.at += 1;
            }
            self.digits()?;
        }
        let number = self.text[begin..self.at].parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.fault("a number out of range"))
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let begin = self.at;
        while self.here().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == begin { Err(self.fault("not a value")) } else { Ok(()) }
    }
}
