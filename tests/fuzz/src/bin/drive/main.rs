//! Runs the targets on changed seeds, without a fuzzer's compiler: `drive SECONDS|INPUTSx [TARGET...]`.
//!
//! Targets run side by side, one a processor. A panic, or more than 512 MiB of memory for one input, ends a target with the input's path.
//! It knows nothing of coverage: `cargo fuzz` with the feature `libfuzzer` searches deeper.

mod memory;

use std::num::NonZero;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use headstart::head::Random;
use headstart_fuzz::{TARGETS, Target};

/// The most memory that one input may take, in bytes.
const MEMORY: usize = 512 << 20;

/// Seconds, and how many inputs at most.
fn limits(text: &str) -> (f64, u64) {
    match text.strip_suffix('x') {
        Some(inputs) => (1e9, inputs.parse().expect("a number of inputs")),
        None => (text.parse().expect("seconds"), u64::MAX),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let bound = arguments.first().map_or("30", String::as_str);
    let names = arguments.get(1..).unwrap_or_default();
    if let Some(unknown) = names.iter().find(|name| TARGETS.iter().all(|(known, _)| name != known))
    {
        eprintln!("drive: there is no target {unknown:?} in this build");
        return ExitCode::FAILURE;
    }
    let chosen: Vec<_> = TARGETS
        .iter()
        .filter(|(name, _)| names.is_empty() || names.iter().any(|wanted| wanted == name))
        .collect();
    let fine = match chosen.as_slice() {
        [(name, target)] => drive(name, *target, bound),
        _ => side_by_side(&chosen, bound),
    };
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Each target in a process of its own, since memory is counted for all of one; as many at a time as there are processors.
fn side_by_side(targets: &[&(&str, Target)], bound: &str) -> bool {
    let program = std::env::current_exe().expect("the path of this program");
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (next, fine) = (AtomicUsize::new(0), AtomicBool::new(true));
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                while let Some((name, _)) = targets.get(next.fetch_add(1, Relaxed)) {
                    let status = Command::new(&program).args([bound, name]).status();
                    if !status.is_ok_and(|status| status.success()) {
                        fine.store(false, Relaxed);
                    }
                }
            });
        }
    });
    fine.into_inner()
}

/// Whether the target stands all that it is given.
fn drive(name: &str, target: fn(&[u8]), bound: &str) -> bool {
    let (seconds, most) = limits(bound);
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut seeds: Vec<Vec<u8>> = std::fs::read_dir(corpus.join(name))
        .unwrap_or_else(|e| panic!("corpus/{name}: {e}"))
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "corpus/{name} is empty");
    seeds.iter().for_each(|seed| target(seed));
    let (start, limit) = (Instant::now(), Duration::from_secs_f64(seconds));
    let mut largest = 0;
    let seed = start.elapsed().as_nanos() as u64 ^ u64::from(std::process::id());
    let mut random = Random::new(seed);
    let failed = std::env::temp_dir().join(format!("headstart-fuzz-{name}"));
    let mut count = 0_u64;
    while start.elapsed() < limit && count < most {
        for _ in 0..64 {
            let input = change(&seeds, &mut random);
            memory::start();
            let outcome = std::panic::catch_unwind(|| target(&input));
            let peak = memory::peak();
            largest = largest.max(peak);
            if outcome.is_err() || peak > MEMORY {
                std::fs::write(&failed, &input).unwrap();
                let mebibytes = peak >> 20;
                eprintln!(
                    "{name}: failed after {count} inputs, with {mebibytes} MiB: {}",
                    failed.display()
                );
                return false;
            }
            count += 1;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{name:12} {count} inputs in {seconds:.0} s, {} KiB at most",
        largest.div_ceil(1 << 10)
    );
    true
}

/// A seed with one to eight changes.
fn change(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut below = |bound: usize| random.below(bound.max(1) as u32) as usize;
    let mut bytes = seeds[below(seeds.len())].clone();
    for _ in 0..=below(8) {
        let at = below(bytes.len());
        match below(8) {
            _ if bytes.is_empty() => bytes.push(below(256) as u8),
            0 => bytes[at] ^= 1 << below(8),
            1 => bytes[at] = below(256) as u8,
            2 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, 64][below(6)],
            3 => {
                let values: [u32; 6] = [0, 1, u32::MAX, 1 << 31, 1 << 20, 0xFFFF];
                let value = values[below(6)].to_le_bytes();
                bytes.iter_mut().skip(at).zip(value).for_each(|(to, from)| *to = from);
            }
            4 => bytes.truncate(at),
            5 => {
                let end = (at + below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            6 => {
                let end = (at + below(64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => {
                let other = &seeds[below(seeds.len())];
                let from = below(other.len());
                let end = (from + below(64)).min(other.len());
                let piece = &other[from..end];
                bytes.iter_mut().skip(at).zip(piece).for_each(|(to, from)| *to = *from);
            }
        }
    }
    bytes
}
