//! Compiles message contracts into the typed events of tegami.
