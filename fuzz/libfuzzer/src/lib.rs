//! Nothing but what it depends on.
