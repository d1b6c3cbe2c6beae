//! What the commands print. All text of this program leaves it here, so that no control character in a name, or in what a
//! board says, reaches a terminal.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use headstart_device::shown;
use serde_json::Value;

/// Whether a line could not be written.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a line to the standard output; see [`line`].
macro_rules! say {
    ($($text:tt)*) => { $crate::commands::say::line(format_args!($($text)*)) };
}

/// Prints a line. A reader that has seen enough (`| head`) is no error; where nothing can be written, the machine failed,
/// which the exit status tells when the work is done.
pub(super) fn line(text: Arguments<'_>) {
    written(&shown::lines(&text.to_string()));
}

/// Prints a JSON object.
pub(super) fn json(json: &Value) {
    written(&shown::json(&json.to_string()));
}

/// Says why something was not done.
pub(crate) fn error(text: &str) {
    tell(format_args!("headstart: {}\n", shown::lines(text)));
}

/// A command line that was refused, as its parser says it.
pub(crate) fn refuse_command_line(text: &str) {
    tell(format_args!("{}", shown::lines(text)));
}

fn written(text: &str) {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(e) if e.kind() != ErrorKind::BrokenPipe && !FAILED.swap(true, Relaxed) => {
            error(&format!("stdout: writing failed: {e}"));
        }
        _ => {}
    }
}

/// Whether all that was said could be written, as far as somebody read it.
pub(crate) fn was_said() -> bool {
    !FAILED.load(Relaxed)
}

/// Says something on standard error. Where that is closed or full, nobody reads it.
fn tell(text: Arguments<'_>) {
    let _ = std::io::stderr().lock().write_fmt(text);
}
