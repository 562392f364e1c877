//! How cost grows: with a backlog, with subscriptions, with replicas. `src/bin/scale.rs` measures one point in a process of
//! its own, `scale/rounds.py` goes through them; with events, it is the crate in `many/`.

pub mod backlog;
pub mod replica;
pub mod subscriptions;
