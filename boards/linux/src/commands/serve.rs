//! `serve`: the page, and the API behind it.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use headstart_device::{Device, Error, RequestProblem};
use headstart_serve::{Options, ServeError, Server};

use crate::cli::Serve;
use crate::output;

pub(crate) fn run(args: &Serve) -> anyhow::Result<ExitCode> {
    let options = Options {
        port: args.port,
        lan: args.lan,
        names: args.host.clone(),
        read_only: args.read_only,
        keep_samples: args.keep_samples,
        pixels: args.max_pixels,
        camera: args.camera.clone(),
        model: args.model.clone(),
    };
    let pack = args.pack.clone();
    let refuse = {
        let pack = pack.clone();
        move |problem: RequestProblem| Error::Request { path: pack.clone(), problem }
    };
    // Half of the cores leave the others to answers while it learns.
    let half = std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2);
    let options_of_device =
        args.backend.choose(args.compute.choose(super::options(None).threads(half)));
    let options_of_device = options_of_device.map_err(&refuse)?;
    let open = move |state: &Path| -> Result<Device, Error> {
        options_of_device.clone().state(state).open(&pack)
    };
    let server = Server::open(open, &args.state, options).map_err(said)?;
    if let Some(path) = &args.link {
        let token = server.token().map_or_else(String::new, |token| format!("\n{token}"));
        write_whole(path, &format!("{}{token}\n", server.base()))
            .with_context(|| format!("{}: writing failed", path.display()))?;
    }
    greet(args, &server)?;
    let left = server.run().map_err(said)?;
    if left > 0 {
        output::warn(&format!(
            "{} not learned, and {} gone",
            output::counted_are(left, "picture"),
            if left == 1 { "is" } else { "are" }
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// An error of the device as this program says it.
fn said(error: ServeError) -> anyhow::Error {
    match error {
        ServeError::Device(error) => error.into(),
        error => error.into(),
    }
}

/// 2 where the machine failed; `None` for an error from elsewhere.
pub(crate) fn status_of(error: &anyhow::Error) -> Option<u8> {
    let error = error.downcast_ref::<ServeError>()?;
    Some(if matches!(error, ServeError::Key { .. }) { 1 } else { 2 })
}

/// Where the page is, on standard output.
fn greet(args: &Serve, server: &Server) -> anyhow::Result<()> {
    let mut text = String::new();
    if let Some(code) = server.code() {
        text += &format!("{code}\n\n");
    }
    let links = server.links();
    text += &format!("The page is at {}\n", links.join("\n            or ").trim_end());
    if let Some(digest) = server.digest() {
        text += &format!(
            "Its key is this device's own; its certificate has the SHA-256 digest {digest}\n"
        );
    }
    text += match (args.read_only, args.keep_samples) {
        (true, _) => "Nothing is learned (--read-only).\n",
        (false, true) => "Pictures are kept in the state folder (--keep-samples).\n",
        (false, false) => {
            "Pictures are forgotten when they are learned, unless the state keeps them already; --keep-samples keeps them.\n"
        }
    };
    text += "Ctrl-C ends it.\n";
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever started it reads nothing more.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("stdout: writing failed"),
    }
}

/// In one step: whoever waits for the file finds all of it. Only its owner may read it.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error).map(drop)
}
