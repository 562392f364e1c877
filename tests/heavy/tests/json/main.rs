//! Canonical JSON, compared with prost-reflect's, and the layout of JSON text, compared with Python's.

mod accepted;
mod against_prost_reflect;
mod against_python;
mod arbitrary;
