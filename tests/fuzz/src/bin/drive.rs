//! Runs the targets on changed seeds, without a fuzzer's compiler: `drive SECONDS [TARGET...]`.
//!
//! A panic ends it with the seed of the random numbers and the input's path. It knows nothing of coverage: `cargo fuzz`
//! with the feature `libfuzzer` searches deeper.

use std::path::Path;
use std::time::{Duration, Instant};

use headstart::head::Random;
use headstart_fuzz::TARGETS;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds: f64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(30.0);
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
        let seed = start.elapsed().as_nanos() as u64 ^ u64::from(std::process::id());
        let mut random = Random::new(seed);
        let failed = std::env::temp_dir().join(format!("headstart-fuzz-{name}"));
        let mut count = 0_u64;
        while start.elapsed() < limit {
            for _ in 0..64 {
                let input = change(&seeds, &mut random);
                let outcome = std::panic::catch_unwind(|| target(&input));
                if outcome.is_err() {
                    std::fs::write(&failed, &input).unwrap();
                    eprintln!("{name}: failed after {count} inputs: {}", failed.display());
                    std::process::exit(1);
                }
                count += 1;
            }
        }
        println!("{name:12} {count} inputs in {:.0} s", start.elapsed().as_secs_f64());
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
