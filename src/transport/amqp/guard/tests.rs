//! Streams of frames through the guard, cut anywhere. Frames are written by hand, or by the parser's own crate.

