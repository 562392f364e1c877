//! How gungraun's tools are told what is counted: the frame of [`counted`](tegami_counts::counting::counted).

use gungraun::{Callgrind, Dhat, EntryPoint, LibraryBenchmarkConfig};
pub use tegami_counts::counting::counted;

/// Its name, as the tools match it.
const REGION: &str = "*counting::counted*";

/// Counts the instructions of [`counted`].
pub fn instructions() -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::with_args(["--collect-atstart=no", &format!("--toggle-collect={REGION}")]);
    callgrind.entry_point(EntryPoint::None);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

/// Counts its instructions and, in a second run, its allocations.
pub fn instructions_and_allocations() -> LibraryBenchmarkConfig {
    // The frame must be within the stack that DHAT keeps of an allocation; futures make stacks deep.
    let mut dhat = Dhat::with_args(["--num-callers=200"]);
    dhat.entry_point(EntryPoint::Custom(REGION.to_owned()));
    let mut config = instructions();
    config.tool(dhat);
    config
}
