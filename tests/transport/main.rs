//! What the memory transport promises, through the public API; each test bears its sentence's id.

mod delivery;
mod support;
