//! The contracts that the tests beside share. The tests compare tegami with other implementations.

tegami::include_contracts!();
