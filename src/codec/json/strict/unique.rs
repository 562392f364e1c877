//! The names of the objects that are being read.

use std::borrow::Cow;

/// So many names are compared one with another; more are sorted first.
const FEW: usize = 16;

/// The names read so far in every object that is open, the outermost's first.
pub(super) struct Names<'a>(Vec<Cow<'a, str>>);

impl Default for Names<'_> {
    fn default() -> Self {
        Self(Vec::with_capacity(FEW))
    }
}

impl<'a> Names<'a> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn add(&mut self, name: Cow<'a, str>) {
        self.0.push(name);
    }

    /// Forgets the names of the object that ends, from its first on; `false` if one came twice.
    pub(super) fn end(&mut self, first: usize) -> bool {
        let names = &mut self.0[first..];
        let unique = if names.len() <= FEW {
            names.iter().enumerate().all(|(place, name)| !names[..place].contains(name))
        } else {
            names.sort_unstable();
            names.windows(2).all(|two| two[0] != two[1])
        };
        self.0.truncate(first);
        unique
    }
}
