//! The one frame whose instructions and allocations are counted.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
};

static UNDER_WAY: AtomicBool = AtomicBool::new(false);

/// Runs the work and counts it; what runs outside of this frame is not counted.
///
/// Callgrind and DHAT know it by its name, `*counting::counted*`; no generic type may carry it.
#[inline(never)]
pub fn counted(work: &mut dyn FnMut()) {
    UNDER_WAY.store(true, Ordering::Relaxed);
    work();
    UNDER_WAY.store(false, Ordering::Relaxed);
    // Keeps the calls above from being the frame's last deed, which the compiler may turn into a jump.
    black_box(());
}

/// Is the work of [`counted`] under way, for an allocator that counts?
pub fn is_under_way() -> bool {
    UNDER_WAY.load(Ordering::Relaxed)
}
