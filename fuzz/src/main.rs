//! One target, which the variable `FUZZ_TARGET` names, under libFuzzer. `scripts/fuzz` builds it and runs it.

#![no_main]

mod targets;

use std::{
    env, fs, panic, process, slice,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// The function, once it is asked for. From then on a panic ends the process, so that libFuzzer keeps the input.
static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        told(panicked);
        process::abort();
    }));
    let name = env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    let found = targets::ALL.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no target `{name}`")).1
});

/// The longest that an input took, in microseconds.
static SLOWEST: AtomicU64 = AtomicU64::new(0);

/// What libFuzzer calls with each input.
#[unsafe(no_mangle)]
extern "C" fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> i32 {
    // SAFETY: libFuzzer hands over so many bytes, which stay as they are until this returns; of nothing it may hand over
    // no address.
    let data = if size == 0 { &[] } else { unsafe { slice::from_raw_parts(data, size) } };
    let target = *TARGET;
    let began = Instant::now();
    target(data);
    let took = u64::try_from(began.elapsed().as_micros()).expect("nothing takes that long");
    if took > SLOWEST.fetch_max(took, Ordering::Relaxed) {
        tell(took);
    }
    0
}

/// Writes it down where `FUZZ_SLOWEST` says.
fn tell(took: u64) {
    if let Ok(path) = env::var("FUZZ_SLOWEST") {
        fs::write(path, took.to_string()).expect("the file is writable");
    }
}
