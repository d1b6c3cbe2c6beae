//! The command `headstart`: packs pretrained models for devices that learn.

use std::process::ExitCode;

use clap::Parser;
use cli::Cli;

mod advice;
mod cli;
mod commands;
mod error;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` are errors to clap, and done to the user.
            let refused = error.use_stderr();
            if refused {
                commands::say::refuse_command_line(&error.render().to_string());
            } else {
                let _ = error.print();
            }
            return ExitCode::from(u8::from(refused));
        }
    };
    match commands::run(&cli) {
        Ok(()) if commands::say::was_said() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(2),
        Err(error) => {
            commands::say::error(&error.to_string());
            ExitCode::from(error.exit_status())
        }
    }
}
