//! The one frame whose instructions and allocations are counted, and how the tools are told so.

use std::hint::black_box;

use gungraun::{Callgrind, Dhat, EntryPoint, LibraryBenchmarkConfig};

/// The name of [`counted`], as the tools match it. No generic type may carry it.
const REGION: &str = "*counting::counted*";

/// Runs the work and counts it; what runs outside of this frame is not counted.
#[inline(never)]
pub fn counted(work: &mut dyn FnMut()) {
    work();
    // Keeps the call above from being the frame's last deed, which the compiler may turn into a jump.
    black_box(());
}

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
