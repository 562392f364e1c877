//! What the memory transport promises, through the public API; each test bears its sentence's id.

mod backpressure;
mod dead_letters;
mod delivery;
mod instances;
mod order;
mod provision;
mod publish;
mod support;
