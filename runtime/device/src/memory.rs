//! How much memory there is to train in, and how much was taken.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Bytes that this process can take without swapping, by what the system and its control group have; all of the address
/// space where the system does not tell.
#[must_use]
pub fn free() -> usize {
    let memory = MemoryRefreshKind::nothing().with_ram();
    let system = System::new_with_specifics(RefreshKind::nothing().with_memory(memory));
    if system.total_memory() == 0 {
        return usize::MAX;
    }
    // The group's own count of free memory takes cached files, which make room, for taken.
    let group = system.cgroup_limits();
    let of_group = group.map_or(u64::MAX, |group| group.total_memory.saturating_sub(group.rss));
    usize::try_from(system.available_memory().min(of_group)).unwrap_or(usize::MAX)
}

/// The most bytes that this process ever had resident, as the kernel counts it; `None` where it does not tell.
#[must_use]
pub fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_free_is_some_of_what_there_is() {
        let free = super::free();
        // Whatever runs this test has more.
        assert!(free > 1 << 20 && free < 1 << 50, "{free}");
    }
}
