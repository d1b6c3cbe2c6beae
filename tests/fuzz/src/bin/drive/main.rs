//! Runs the targets on changed seeds, without a fuzzer's compiler: `drive SECONDS|INPUTSx [TARGET...]`.
//!
//! A panic, or more than 512 MiB of memory for one input, ends it with the seed of the random numbers and the input's path. It knows nothing of coverage: `cargo fuzz`
//! with the feature `libfuzzer` searches deeper.

mod memory;

use std::path::Path;
use std::time::{Duration, Instant};

use headstart::head::Random;
use headstart_fuzz::TARGETS;

/// The most memory that one input may take, in bytes.
const MEMORY: usize = 512 << 20;

/// Seconds, and how many inputs at most.
fn bound(text: &str) -> (f64, u64) {
    match text.strip_suffix('x') {
        Some(inputs) => (1e9, inputs.parse().expect("a number of inputs")),
        None => (text.parse().expect("seconds"), u64::MAX),
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (seconds, most) = bound(&arguments.next().unwrap_or_else(|| "30".into()));
    let names: Vec<String> = arguments.collect();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for &(name, target) in TARGETS {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
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
                    std::process::exit(1);
                }
                count += 1;
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{name:12} {count} inputs in {seconds:.0} s, {} KiB at most",
            largest.div_ceil(1 << 10)
        );
    }
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
