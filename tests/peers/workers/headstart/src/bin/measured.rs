//! Runs a command and writes its time and its peak memory as one JSON object.
//!
//! ```text
//! measured RESULT COMMAND [ARGUMENT]...
//! ```
//!
//! The kernel counts a child's peak from before its `exec`, so whatever starts it leaves its own size there: this
//! program is small, an interpreter would not be.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, bail};

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [result, program, rest @ ..] = &arguments[..] else {
        bail!("arguments: RESULT COMMAND [ARGUMENT]...");
    };
    let start = Instant::now();
    let status = Command::new(program).args(rest).status().with_context(|| program.clone())?;
    let seconds = start.elapsed().as_secs_f64();
    let peak = peak_of_children()?;
    std::fs::write(result, format!("{{\"seconds\": {seconds}, \"peak_rss_bytes\": {peak}}}\n"))
        .with_context(|| format!("{result}: writing"))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1).into())
}

/// The largest resident set of any child that has ended, in bytes.
fn peak_of_children() -> anyhow::Result<u64> {
    // SAFETY: all-zero bytes are a valid `rusage`, and the call writes no more than one.
    let (failed, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage) != 0, usage)
    };
    if failed {
        bail!("getrusage: {}", std::io::Error::last_os_error());
    }
    Ok(u64::try_from(usage.ru_maxrss)? * 1024)
}
