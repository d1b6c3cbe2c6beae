//! Runs the tools as a user would: every command line is shown before it runs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Where the tools are and where the results go.
pub(crate) struct Workshop {
    root: PathBuf,
    folder: PathBuf,
    tools: PathBuf,
    /// Whether the tools were there before.
    built: bool,
}

impl Workshop {
    /// Works in `first-run` of the target folder that this program was built into, with the tools of its `release`, or of the
    /// folder `HEADSTART_TOOLS`, where they are already.
    pub(crate) fn new(root: PathBuf) -> Result<Self> {
        let program = std::env::current_exe().context("cannot tell where this program is")?;
        let target = program.ancestors().nth(2).context("this program is in no target folder")?;
        let folder = target.join("first-run");
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let given = std::env::var_os("HEADSTART_TOOLS").map(PathBuf::from);
        let built = given.is_some();
        Ok(Self { root, folder, tools: given.unwrap_or_else(|| target.join("release")), built })
    }

    /// The repository.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// For everything that this run makes.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes what an earlier run left there.
    pub(crate) fn clear(&self, path: &Path) -> Result<()> {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// The path as one would type it in the repository.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Starts a part of the run.
    pub(crate) fn heading(&self, text: &str) {
        println!("\n== {text}\n");
    }

    /// Builds the tools; nothing happens where they are up to date. No package is named, so that what
    /// they are made of has the same features as in the build of this program and is not built again.
    pub(crate) fn build(&self) -> Result<()> {
        if self.built {
            println!("They are in {}.", self.shown(&self.tools));
            return Ok(());
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let arguments = ["build", "--release", "--bin", "headstart", "--bin", "headstart-edge"];
        println!("$ cargo {}", arguments.join(" "));
        let mut command = self.command(&cargo, &arguments);
        if let Some(target) = self.tools.parent() {
            command.env("CARGO_TARGET_DIR", target);
        }
        self.finish(command).map(drop)
    }

    /// Shows and runs a tool (`headstart` or `headstart-edge`), with its own output; says how long it took.
    pub(crate) fn tool(&self, name: &str, arguments: &[&str]) -> Result<Duration> {
        println!("$ {name} {}", arguments.join(" "));
        let took = self.finish(self.command(self.tools.join(name), arguments))?;
        println!();
        Ok(took)
    }

    /// Shows and runs a tool with `--json` and returns what it reports; of that, the part before the
    /// first list is shown.
    pub(crate) fn report(&self, name: &str, arguments: &[&str]) -> Result<serde_json::Value> {
        let arguments = [arguments, &["--json"]].concat();
        println!("$ {name} {}", arguments.join(" "));
        let (printed, value) = self.json(name, &arguments)?;
        let numbers = printed.split_once('[').map(|(head, _)| head.rsplit_once(','));
        match numbers.flatten() {
            Some((numbers, _)) => println!("{numbers}, …\n"),
            None => println!("{}\n", printed.trim_end()),
        }
        Ok(value)
    }

    /// Runs a tool with `--json`, unseen, and returns what it reports.
    pub(crate) fn unseen_report(
        &self,
        name: &str,
        arguments: &[&str],
    ) -> Result<serde_json::Value> {
        Ok(self.json(name, &[arguments, &["--json"]].concat())?.1)
    }

    fn json(&self, name: &str, arguments: &[&str]) -> Result<(String, serde_json::Value)> {
        let printed = String::from_utf8_lossy(&self.capture(name, arguments)?).into_owned();
        let value = serde_json::from_str(&printed)
            .with_context(|| format!("{name} {} printed no JSON", arguments.join(" ")))?;
        Ok((printed, value))
    }

    /// What a tool prints; its complaints go where ours go.
    fn capture(&self, name: &str, arguments: &[&str]) -> Result<Vec<u8>> {
        let mut command = self.command(self.tools.join(name), arguments);
        let output = command.stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("cannot start {name}"))?;
        if !output.status.success() {
            bail!("{name} {} ended with {}", arguments.join(" "), output.status);
        }
        Ok(output.stdout)
    }

    /// A command that will run in the repository.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root);
        command
    }

    fn finish(&self, mut command: Command) -> Result<Duration> {
        let start = Instant::now();
        let name = command.get_program().to_string_lossy().into_owned();
        let status = command.status().with_context(|| format!("cannot start {name}"))?;
        if !status.success() {
            bail!("{name} ended with {status}");
        }
        Ok(start.elapsed())
    }
}
