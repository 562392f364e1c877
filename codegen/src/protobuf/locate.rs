//! Where things stand in a file, and what is written above them.

use std::collections::HashMap;

use prost_reflect::{FileDescriptor, prost_types::source_code_info};

use crate::{model::Location, sources::Source};

/// The places and comments of one file, by the path of a descriptor.
pub(super) struct Places<'a> {
    source: &'a Source,
    lines: Vec<&'a str>,
    places: HashMap<Vec<i32>, source_code_info::Location>,
}

impl<'a> Places<'a> {
    pub(super) fn new(file: &FileDescriptor, source: &'a Source) -> Self {
        let info = file.file_descriptor_proto().source_code_info.iter();
        let places = info.flat_map(|info| &info.location).map(|place| (place.path.clone(), place.clone())).collect();
        Self { source, lines: source.text.split('\n').collect(), places }
    }

    /// The place of a descriptor, or of one of its parts; the nearest known one around it.
    pub(super) fn at(&self, path: &[i32], part: &[i32]) -> Location {
        let path = [path, part].concat();
        let place = (0..=path.len()).rev().find_map(|length| self.places.get(&path[..length]));
        let span = place.and_then(|place| Some((*place.span.first()?, *place.span.get(1)?)));
        let (line, column) = span.map_or((0, 0), |(line, byte)| (line.unsigned_abs() + 1, self.column(line, byte)));
        Location { file: self.source.shown.clone(), line, column }
    }

    /// Spans count bytes; people count characters.
    fn column(&self, line: i32, byte: i32) -> u32 {
        let bytes = byte.unsigned_abs();
        let line = usize::try_from(line).ok().and_then(|line| self.lines.get(line));
        let before = line.and_then(|line| line.get(..bytes as usize));
        before.map_or(bytes, |before| before.chars().count() as u32) + 1
    }

    /// The comments of a descriptor: those above it, then those behind it.
    pub(super) fn docs(&self, path: &[i32]) -> String {
        let Some(place) = self.places.get(path) else { return String::new() };
        let comments = [place.leading_comments(), place.trailing_comments()];
        let comments: Vec<_> = comments.into_iter().map(str::trim_end).filter(|text| !text.is_empty()).collect();
        comments.join("\n\n")
    }
}
