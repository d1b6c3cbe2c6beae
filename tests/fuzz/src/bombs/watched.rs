//! Runs a program under watch: what it took, and its end if that was too much.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Limits on one run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Seconds of all processors together, so that a busy machine makes them no longer.
    pub seconds: f64,
    /// Bytes of memory at once.
    pub bytes: u64,
}

/// Resources that a run took.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The exit status; `None` for a run that was ended, by its limits or by a signal.
    pub status: Option<i32>,
    /// Seconds of all processors together.
    pub seconds: f64,
    /// The most memory at once, in bytes.
    pub bytes: u64,
    /// The last line of standard error.
    pub said: String,
}

impl Taken {
    /// Whether the program did its work, or refused it, within the limits.
    pub fn is_fine(&self, limits: Limits) -> bool {
        matches!(self.status, Some(0 | 1))
            && self.seconds <= limits.seconds
            && self.bytes <= limits.bytes
    }
}

/// Runs a program until it ends or has taken too much. Linux tells what it takes; elsewhere nothing is measured.
pub fn run(program: &Path, arguments: &[&str], limits: Limits) -> Taken {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let mut pipe = child.stderr.take().expect("it was asked for");
    let said = std::thread::spawn(move || {
        let mut said = String::new();
        let _ = pipe.read_to_string(&mut said);
        said
    });
    let (started, id) = (Instant::now(), child.id());
    let mut taken = Taken { status: None, seconds: 0.0, bytes: 0, said: String::new() };
    loop {
        if let Some((seconds, bytes)) = measured(id) {
            taken.seconds = taken.seconds.max(seconds);
            taken.bytes = taken.bytes.max(bytes);
        }
        if let Some(status) = child.try_wait().expect("it was started here") {
            taken.status = status.code();
            break;
        }
        let stuck = started.elapsed() > Duration::from_secs_f64(30.0 * limits.seconds);
        if taken.seconds > limits.seconds || taken.bytes > limits.bytes || stuck {
            let _ = child.kill();
            let _ = child.wait();
            return taken;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let said = said.join().unwrap_or_default();
    taken.said = said.lines().last().unwrap_or_default().chars().take(300).collect();
    taken
}

/// Seconds and bytes of a process that still runs.
fn measured(id: u32) -> Option<(f64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse().ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // What follows the program's name, which may hold anything: state is field 3, user and system time 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some((ticks as f64 / 100.0, kibibytes << 10))
}
