//! Gives `headstart` model files of at most a megabyte that ask for all they can: `bombs SECONDS|FILESx [FIRST [FOLDER]]`.
//!
//! Each file is inspected, packed and, where it was packed, compared, and packed where labelled pictures say: in at most five seconds of all
//! processors together and 512 MiB each, with exit status 0 or 1. FIRST is the number of the first file; files that failed stay in FOLDER. The program is the one
//! beside this one.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use headstart_fuzz::bombs::watched::{Limits, Taken, run};
use headstart_fuzz::bombs::{Bomb, bomb};

const LIMITS: Limits = Limits { seconds: 5.0, bytes: 512 << 20 };

/// What the files of a kind took at most.
#[derive(Clone, Copy, Default)]
struct Most {
    files: u64,
    done: u64,
    failed: u64,
    seconds: f64,
    bytes: u64,
}

/// Where files are tried.
struct Desk {
    program: PathBuf,
    folder: PathBuf,
    most: Mutex<BTreeMap<&'static str, Most>>,
}

impl Desk {
    fn new(folder: PathBuf) -> Self {
        let own = std::env::current_exe().expect("the path of this program");
        let calibration = folder.join("pictures");
        for (class, light) in [("dark", 40), ("light", 200)] {
            std::fs::create_dir_all(calibration.join(class)).expect("a folder to work in");
            let picture = image::RgbImage::from_fn(8, 8, |x, y| {
                image::Rgb([light + x as u8, light + y as u8, light])
            });
            for index in 0..2 {
                let path = calibration.join(class).join(format!("{index}.png"));
                picture.save(path).expect("a small picture");
            }
        }
        Self { program: own.with_file_name("headstart"), folder, most: Mutex::default() }
    }

    /// Tries one file; `false` if something took too much.
    fn tries(&self, number: u64) -> bool {
        let Bomb { kind, format, bytes } = bomb(number);
        let path = self.folder.join(format!("{number}.{format}"));
        std::fs::write(&path, &bytes).expect("a file to try");
        let pack = self.folder.join(format!("{number}.hspk"));
        let pictures = self.folder.join("pictures");
        let [model, pack_path, pictures] =
            [&path, &pack, &pictures].map(|path| path.to_str().expect("plain names"));
        let packing = ["pack", model, "--calib", pictures, "--preprocess", "unit", "-o", pack_path];
        let choosing = [&packing[..], &["--freeze", "auto", "--data", pictures]].concat();
        let commands: [(&str, &[&str]); 4] = [
            ("inspect", &["inspect", model]),
            ("pack", &packing),
            ("compare", &["compare", pack_path, model, "--data", pictures]),
            ("pack --freeze auto", &choosing),
        ];
        let mut fine = true;
        for (command, arguments) in commands {
            if command == "compare" && !pack.exists() {
                continue;
            }
            let taken = run(&self.program, arguments, LIMITS);
            fine &= self.count(kind, command, number, bytes.len(), &taken);
        }
        let _ = std::fs::remove_file(&pack);
        if fine {
            let _ = std::fs::remove_file(&path);
        }
        fine
    }

    fn count(
        &self,
        kind: &'static str,
        command: &str,
        number: u64,
        length: usize,
        taken: &Taken,
    ) -> bool {
        let fine = taken.is_fine(LIMITS);
        let mut most = self.most.lock().expect("no thread panics with it");
        let of = most.entry(kind).or_default();
        of.files += u64::from(command == "inspect");
        of.done += u64::from(command == "pack" && taken.status == Some(0));
        of.failed += u64::from(!fine);
        (of.seconds, of.bytes) = (of.seconds.max(taken.seconds), of.bytes.max(taken.bytes));
        if !fine {
            println!(
                "{command} of file {number} ({kind}, {length} bytes): status {:?}, {:.1} s, {} MiB {}",
                taken.status,
                taken.seconds,
                taken.bytes >> 20,
                taken.said
            );
        }
        fine
    }

    fn report(&self) {
        println!(
            "{:22} {:>6} {:>7} {:>7} {:>8} {:>6}",
            "kind", "files", "packed", "failed", "seconds", "MiB"
        );
        for (kind, of) in self.most.lock().expect("no thread panics with it").iter() {
            let Most { files, done, failed, seconds, bytes } = of;
            println!(
                "{kind:22} {files:>6} {done:>7} {failed:>7} {seconds:>8.2} {:>6}",
                bytes >> 20
            );
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let bound = arguments.first().map_or("600", String::as_str);
    let (seconds, most) = match bound.strip_suffix('x') {
        Some(files) => (f64::MAX, files.parse().expect("a number of files")),
        None => (bound.parse().expect("seconds"), u64::MAX),
    };
    let first: u64 = arguments.get(1).map_or(0, |first| first.parse().expect("a number"));
    let folder = arguments
        .get(2)
        .map_or_else(|| std::env::temp_dir().join("headstart-bombs"), PathBuf::from);
    let desk = Desk::new(folder);
    assert!(Path::new(&desk.program).exists(), "{}: build it first", desk.program.display());
    let (next, failed, started) = (AtomicU64::new(0), AtomicU64::new(0), Instant::now());
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while started.elapsed().as_secs_f64() < seconds {
                    let index = next.fetch_add(1, Relaxed);
                    if index >= most {
                        break;
                    }
                    failed.fetch_add(u64::from(!desk.tries(first + index)), Relaxed);
                }
            });
        }
    });
    desk.report();
    let failed = failed.into_inner();
    println!("{failed} files took too much, in {:.0} s", started.elapsed().as_secs_f64());
    ExitCode::from(u8::from(failed > 0))
}
