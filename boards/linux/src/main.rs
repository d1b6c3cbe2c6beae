//! `headstart-edge`: the commands of a Linux board.

mod advice;
mod allocator;
mod cli;
mod commands;
mod output;
mod trust;
mod watch;

use std::process::ExitCode;

use cli::Command;

#[global_allocator]
static ALLOCATOR: allocator::OrEnd = allocator::OrEnd;

fn main() -> ExitCode {
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are no error; a wrong command line is refused
            // input.
            let refused = error.use_stderr();
            if refused {
                output::refuse_command_line(&error.render().to_string());
            } else {
                let _ = error.print();
            }
            return ExitCode::from(u8::from(refused));
        }
    };
    let done = match &cli.command {
        Command::Learn(args) => commands::learn::run(args),
        Command::Predict(args) => commands::predict::run(args),
        Command::Eval(args) => commands::eval::run(args),
        Command::Status(args) => commands::status::run(args),
        Command::Bench(args) => commands::bench::run(args),
        Command::Forget(args) => commands::forget::run(args),
        Command::Rename(args) => commands::rename::run(args),
        Command::Relabel(args) => commands::relabel::run(args),
        Command::Merge(args) => commands::merge::run(args),
        Command::Adopt(args) => commands::adopt::run(args),
        Command::Samples(args) => commands::samples::run(args),
        Command::History(args) => commands::history::run(args),
        Command::Rollback(args) => commands::rollback::run(args),
        Command::Repair(args) => commands::repair::run(args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => commands::serve::run(args),
        #[cfg(feature = "serve")]
        Command::Watch(args) => commands::watch::run(args),
        Command::Manual(args) => commands::manual::run(args),
    };
    match done {
        Ok(status) => status,
        Err(error) => {
            let known = error.downcast_ref::<headstart_device::Error>();
            output::error(&known.map_or_else(|| format!("{error:#}"), advice::said));
            ExitCode::from(status_of(&error))
        }
    }
}

/// 1 where the input was refused, 2 where the machine failed.
fn status_of(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<headstart_device::Error>() {
        return error.exit_status();
    }
    #[cfg(feature = "serve")]
    if let Some(status) = commands::serve::status_of(error) {
        return status;
    }
    if error.is::<std::io::Error>() { 2 } else { 1 }
}
