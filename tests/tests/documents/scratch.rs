//! The folder in which a page's commands run.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use headstart_tests::drawings;
use tempfile::TempDir;

/// The commands that every page may take for done, as the README has them.
const DONE: &str = "
headstart pack model.onnx --calib photos --preprocess imagenet -o model.hspk
headstart-edge learn model.hspk --data photos --state mine
";

/// Models, pictures, a pack and a state: CONTRIBUTING.md lists them.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    /// A copy of the first one.
    pub(crate) fn new() -> Self {
        static FIRST: OnceLock<Scratch> = OnceLock::new();
        let first = FIRST.get_or_init(|| {
            let scratch = Self(TempDir::new().unwrap());
            fill(scratch.0.path());
            let output = scratch.run(DONE);
            assert!(output.status.success(), "{}", said(&output));
            scratch
        });
        let scratch = Self(TempDir::new().unwrap());
        let copied = Command::new("cp")
            .arg("-a")
            .arg(first.0.path().join("."))
            .arg(scratch.0.path())
            .status();
        assert!(copied.unwrap().success(), "the scratch folder cannot be copied");
        scratch
    }

    /// Ends a server that a page has started and, since it failed, not ended.
    fn end_server(&self) {
        if let Ok(process) = std::fs::read_to_string(self.path("serve.pid")) {
            // One that has ended is meant to.
            let _ = Command::new("kill").arg(process.trim()).output();
        }
    }

    /// A file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs lines of a shell in it, up to the first that fails.
    pub(crate) fn run(&self, lines: &str) -> Output {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(programs().to_owned()).chain(std::env::split_paths(&paths));
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", lines])
            .current_dir(self.0.path())
            .env("PATH", std::env::join_paths(paths).unwrap())
            .env_remove("HEADSTART_ISA")
            .output()
            .expect("bash runs the commands of pages")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.end_server();
    }
}

/// What a program wrote.
pub(crate) fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

/// Where `headstart` and `headstart-edge` are: in `HEADSTART_TOOLS`, or beside this test, where `cargo test --workspace` puts
/// them.
pub(crate) fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let given = std::env::var_os("HEADSTART_TOOLS").map(PathBuf::from);
        let folder = given.unwrap_or_else(|| {
            let test = std::env::current_exe().expect("a test knows where it is");
            test.ancestors().nth(2).expect("it is in a target folder").to_owned()
        });
        for name in ["headstart", "headstart-edge"] {
            let there = folder.join(name).exists();
            assert!(there, "no {name} in {}: cargo build --bins", folder.display());
        }
        folder
    })
}

fn fill(folder: &Path) {
    let carried = headstart_tests::carried::folder();
    for (from, to) in [("shapes.onnx", "model.onnx"), ("shapes-qdq.onnx", "quantised.onnx")] {
        std::fs::copy(carried.join(from), folder.join(to)).unwrap();
    }
    let icons = drawings::icons();
    for (name, pictures, seed) in [("photos", 8, 1), ("more", 4, 2), ("others", 4, 3)] {
        drawings::write_folder(&folder.join(name), &icons, pictures, seed).unwrap();
    }
    image::open(folder.join("others/mug/0000.png")).unwrap().save(folder.join("new.jpg")).unwrap();
    std::fs::write(folder.join("classes.txt"), "paper\nsquare\nbar\n").unwrap();
    for part in ["images", "masks"] {
        std::fs::create_dir_all(folder.join("scenes").join(part)).unwrap();
    }
    for number in 0..8_u32 {
        scene(&folder.join("scenes"), number);
    }
}

/// A square and a bar on grey paper, and their mask.
fn scene(folder: &Path, number: u32) {
    const SIDE: u32 = 32;
    let class = |x: u32, y: u32| match (x.wrapping_sub(number), y.wrapping_sub(2 * number)) {
        (0..10, 0..10) => 1,
        _ if (20..24).contains(&((x + number) % SIDE)) => 2,
        _ => 0_u8,
    };
    let colour = |class: u8| [[120, 120, 120], [200, 40, 40], [40, 60, 200]][usize::from(class)];
    let picture = image::RgbImage::from_fn(SIDE, SIDE, |x, y| image::Rgb(colour(class(x, y))));
    let mask = image::GrayImage::from_fn(SIDE, SIDE, |x, y| image::Luma([class(x, y)]));
    picture.save(folder.join(format!("images/{number}.png"))).unwrap();
    mask.save(folder.join(format!("masks/{number}.png"))).unwrap();
}
