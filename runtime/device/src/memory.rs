//! How much memory there is to train in, and how much was taken.

use std::path::{Path, PathBuf};

#[cfg(not(target_family = "wasm"))]
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Memory that the system did not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfMemory {
    /// Bytes that were asked for.
    pub(crate) bytes: usize,
}

/// So many times the same, where there is memory for it.
pub(crate) fn filled<T: Clone>(value: T, count: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut all = Vec::new();
    reserve(&mut all, count)?;
    all.resize(count, value);
    Ok(all)
}

/// Numbers that begin where a line of a CPU's cache does: vectors of them lie in one line each, which fast kernels on large matrices need.
pub(crate) struct Aligned<T> {
    all: Vec<T>,
    first: usize,
    count: usize,
}

impl<T: Copy> Aligned<T> {
    /// So many times the same, where there is memory for it.
    pub(crate) fn filled(value: T, count: usize) -> Result<Self, OutOfMemory> {
        const LINE: usize = 64;
        let most = LINE / size_of::<T>().max(1);
        let all = filled(value, count.saturating_add(most))?;
        let first = all.as_ptr().align_offset(LINE).min(most);
        Ok(Self { all, first, count })
    }

    pub(crate) fn numbers(&mut self) -> &mut [T] {
        &mut self.all[self.first..][..self.count]
    }
}

/// Makes room for so many more, where there is memory for it.
pub(crate) fn reserve<T>(all: &mut Vec<T>, more: usize) -> Result<(), OutOfMemory> {
    let bytes = more.saturating_mul(size_of::<T>());
    all.try_reserve_exact(more).map_err(|_| OutOfMemory { bytes })
}

/// Bytes that this process can take without swapping, by what the system, its control groups and its own limits have; all of the
/// address space where nothing tells.
#[must_use]
pub fn free() -> usize {
    let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let of_groups = left_in_groups(Path::new("/sys/fs/cgroup"), &text("/proc/self/cgroup"));
    let of_limits = left_in_limits(&text("/proc/self/limits"), &text("/proc/self/status"));
    usize::try_from(of_system().min(of_groups).min(of_limits)).unwrap_or(usize::MAX)
}

/// What is left of the addresses that a browser gives, as far as they have been taken.
#[cfg(target_family = "wasm")]
fn of_system() -> u64 {
    const PAGE: u64 = 1 << 16;
    (1_u64 << 32).saturating_sub(core::arch::wasm32::memory_size(0) as u64 * PAGE)
}

#[cfg(not(target_family = "wasm"))]
fn of_system() -> u64 {
    let memory = MemoryRefreshKind::nothing().with_ram();
    let system = System::new_with_specifics(RefreshKind::nothing().with_memory(memory));
    if system.total_memory() == 0 {
        return u64::MAX;
    }
    // The group's own count of free memory takes cached files, which make room, for taken.
    let group = system.cgroup_limits();
    let of_group = group.map_or(u64::MAX, |group| group.total_memory.saturating_sub(group.rss));
    system.available_memory().min(of_group)
}

/// What the control groups that the process is in leave, below the folder where they are mounted; `own` is `/proc/self/cgroup`.
///
/// A group's limit holds for all groups in it. Cached files make room, so they count as free.
fn left_in_groups(root: &Path, own: &str) -> u64 {
    let mut left = u64::MAX;
    for line in own.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let is_memory = controllers.split(',').any(|name| name == "memory");
        let (base, limits, taken, cached): (PathBuf, &[&str], _, _) = if controllers.is_empty() {
            (root.to_owned(), &["memory.max", "memory.high"], "memory.current", "file ")
        } else if is_memory {
            let limits = &["memory.limit_in_bytes"];
            (root.join("memory"), limits, "memory.usage_in_bytes", "total_cache ")
        } else {
            continue;
        };
        // From within a namespace, what lies outside of it has no name.
        let mut folder = base;
        let mut folders = vec![folder.clone()];
        for part in path.split('/').filter(|part| !matches!(*part, "" | "..")) {
            folder.push(part);
            folders.push(folder.clone());
        }
        for folder in folders {
            let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            let limits = limits.iter().filter_map(|name| text(name).trim().parse::<u64>().ok());
            let Some(limit) = limits.min() else { continue };
            let taken: u64 = text(taken).trim().parse().unwrap_or(0);
            let statistics = text("memory.stat");
            let cached = statistics.lines().find_map(|line| line.strip_prefix(cached));
            let cached: u64 = cached.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0);
            left = left.min(limit.saturating_sub(taken.saturating_sub(cached)));
        }
    }
    left
}

/// What the process's own limits of addresses and of data leave, from `/proc/self/limits` and `/proc/self/status`.
fn left_in_limits(limits: &str, status: &str) -> u64 {
    let left = |limit: &str, taken: &str| {
        let limit = limits.lines().find_map(|line| line.strip_prefix(limit))?;
        let limit: u64 = limit.split_whitespace().next()?.parse().ok()?;
        Some(limit.saturating_sub(kibibytes(status, taken).unwrap_or(0)))
    };
    let each = [left("Max address space", "VmSize:"), left("Max data size", "VmData:")];
    each.into_iter().flatten().min().unwrap_or(u64::MAX)
}

/// Bytes of a line of `/proc/self/status`.
fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The most bytes that this process ever had resident, as the kernel counts it; `None` where it does not tell.
#[must_use]
pub fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    kibibytes(&status, "VmHWM:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_some_of_what_there_is() {
        let free = free();
        // Whatever runs this test has more.
        assert!(free > 1 << 20 && free < 1 << 50, "{free}");
    }

    #[test]
    fn the_own_group_and_those_around_it_limit_what_is_free() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let left = |own: &str| left_in_groups(root.path(), own);
        assert_eq!(left("0::/system.slice/edge.service\n"), u64::MAX);
        write("system.slice/memory.max", "max\n");
        write("system.slice/edge.service/memory.max", "33554432\n");
        write("system.slice/edge.service/memory.high", "max\n");
        write("system.slice/edge.service/memory.current", "12000000\n");
        write("system.slice/edge.service/memory.stat", "anon 7000000\nfile 4000000\nkernel 1\n");
        let own = "0::/system.slice/edge.service\n";
        assert_eq!(left(own), 33_554_432 - 8_000_000);
        write("system.slice/edge.service/memory.high", "20000000\n");
        assert_eq!(left(own), 12_000_000);
        write("system.slice/memory.max", "1000000\n");
        assert_eq!(left(own), 1_000_000);
        assert_eq!(left("0::/../other\n"), u64::MAX);
        // The first version, where a limit that is none is a large number.
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        write("memory/job/memory.limit_in_bytes", "5000000\n");
        write("memory/job/memory.usage_in_bytes", "3000000\n");
        write("memory/job/memory.stat", "cache 5\ntotal_cache 500000\n");
        assert_eq!(left("4:cpu,memory:/job\n3:pids:/job\n0::/\n"), 2_500_000);
    }

    #[test]
    fn limits_of_the_process_are_seen() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
            Max data size             unlimited            unlimited            bytes     \n\
            Max address space         104857600            unlimited            bytes     \n";
        let status = "Name:\tedge\nVmSize:\t   40960 kB\nVmData:\t 1024 kB\n";
        assert_eq!(left_in_limits(limits, status), 104_857_600 - 40_960 * 1024);
        let data = limits.replace("size             unlimited", "size             2097152  ");
        assert_eq!(left_in_limits(&data, status), 1 << 20);
        assert_eq!(left_in_limits("", ""), u64::MAX);
    }

    #[test]
    fn memory_that_nobody_has_is_refused() {
        let refused = filled(0_u8, usize::MAX >> 1).unwrap_err();
        assert_eq!(refused.bytes, usize::MAX >> 1);
        assert_eq!(filled(7_u8, 3), Ok(vec![7; 3]));
    }
}
