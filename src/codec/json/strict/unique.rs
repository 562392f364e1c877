//! The names of the objects that are being read.

use std::borrow::Cow;

/// So many names are compared one with another; more are sorted first.
const FEW: usize = 16;

/// The names read so far in every object that is open, the outermost's first.
pub(super) struct Names<'a> {
    /// Where they stand while they are few, and spelled as they are: an envelope's.
    near: [&'a str; FEW],
    count: usize,
    /// Where all of them stand otherwise.
    far: Vec<Cow<'a, str>>,
}

impl Default for Names<'_> {
    fn default() -> Self {
        Self { near: [""; FEW], count: 0, far: Vec::new() }
    }
}

impl<'a> Names<'a> {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn add(&mut self, name: Cow<'a, str>) {
        match name {
            Cow::Borrowed(name) if self.far.is_empty() && self.count < FEW => self.near[self.count] = name,
            name => self.add_far(name),
        }
        self.count += 1;
    }

    fn add_far(&mut self, name: Cow<'a, str>) {
        if self.far.is_empty() {
            self.far.extend(self.near[..self.count].iter().map(|name| Cow::Borrowed(*name)));
        }
        self.far.push(name);
    }

    /// Forgets the names of the object that ends, from its first on; `false` if one came twice.
    pub(super) fn end(&mut self, first: usize) -> bool {
        let unique = if self.far.is_empty() {
            differ(&self.near[first..self.count])
        } else {
            differ_far(&mut self.far[first..])
        };
        self.far.truncate(first);
        self.count = first;
        unique
    }
}

fn differ(names: &[impl PartialEq]) -> bool {
    names.iter().enumerate().all(|(place, name)| !names[..place].contains(name))
}

fn differ_far(names: &mut [Cow<'_, str>]) -> bool {
    if names.len() <= FEW {
        return differ(names);
    }
    names.sort_unstable();
    names.windows(2).all(|two| two[0] != two[1])
}
