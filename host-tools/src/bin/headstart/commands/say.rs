//! What the commands print.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Prints a line to the standard output; see [`line`].
macro_rules! say {
    ($($text:tt)*) => { $crate::commands::say::line(format_args!($($text)*)) };
}

/// Prints a line. A reader that has seen enough (`| head`) is no error; where nothing can be written, the machine failed.
pub(super) fn line(text: Arguments<'_>) {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            eprintln!("headstart: stdout: writing failed: {e}");
            std::process::exit(2)
        }
        _ => {}
    }
}
