//! What the commands print. All text of this program leaves it here, so that no control character in a name, or in what a
//! board says, reaches a terminal.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

use headstart_device::shown;
use serde_json::Value;

/// Prints a line to the standard output; see [`line`].
macro_rules! say {
    ($($text:tt)*) => { $crate::commands::say::line(format_args!($($text)*)) };
}

/// Prints a line. A reader that has seen enough (`| head`) is no error; where nothing can be written, the machine failed.
pub(super) fn line(text: Arguments<'_>) {
    written(&shown::lines(&text.to_string()));
}

/// Prints a JSON object.
pub(super) fn json(json: &Value) {
    written(&shown::json(&json.to_string()));
}

/// Says why something was not done.
pub(crate) fn error(text: &str) {
    eprintln!("headstart: {}", shown::lines(text));
}

/// A command line that was refused, as its parser says it.
pub(crate) fn refuse_command_line(text: &str) {
    eprint!("{}", shown::lines(text));
}

fn written(text: &str) {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            error(&format!("stdout: writing failed: {e}"));
            std::process::exit(2)
        }
        _ => {}
    }
}
