//! What this process has used so far, where the system tells: Linux, under `/proc/self`.

use std::{fs, time::Duration};

/// The length of a tick in `/proc/self/stat`, the same on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// The time that this process has spent on processors, its own and the system's for it.
pub(super) fn time_on_cpu() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the process may have spaces in it; it ends at the last bracket. See proc_pid_stat(5).
    let (_, after_name) = stat.rsplit_once(')')?;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u32>().ok());
    Some(TICK * ticks.sum::<Option<u32>>()?)
}

/// The memory that this process holds, in bytes; the most of it is counted anew from now on. See proc_pid_clear_refs(5).
pub(super) fn memory_from_now() -> Option<u64> {
    fs::write("/proc/self/clear_refs", "5").ok()?;
    bytes_of("VmRSS:")
}

/// The most memory that this process has held at once, in bytes.
pub(super) fn most_memory() -> Option<u64> {
    bytes_of("VmHWM:")
}

fn bytes_of(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
