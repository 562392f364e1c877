//! Tasks and their end: the only place that spawns.
