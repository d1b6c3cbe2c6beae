//! Images for boards, the tools that flash them, and a board that is not there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/carried-model/shapes.onnx");

struct Desk(tempfile::TempDir);

impl Desk {
    /// A folder with a pack in it.
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let pictures = desk.path("pictures");
        std::fs::create_dir(&pictures).unwrap();
        for index in 0..4_u8 {
            let picture = image::RgbImage::from_fn(40, 40, |x, y| {
                image::Rgb([x as u8 * 6, y as u8 * 6, index * 50])
            });
            picture.save(pictures.join(format!("{index}.png"))).unwrap();
        }
        let (pictures, pack) = (pictures.display().to_string(), desk.text("model.hspk"));
        desk.done(&["pack", MODEL, "--calib", &pictures, "--preprocess", "tf", "-o", &pack]);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Runs with no other program on the path than those in `tools`.
    fn run(&self, args: &[&str], tools: &Path) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headstart"));
        command.args(args).env("PATH", tools).current_dir(self.0.path()).output().unwrap()
    }

    fn done(&self, args: &[&str]) -> String {
        let output = self.run(args, &self.path("no tools"));
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args, &self.path("no tools"));
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn a_pack_is_its_own_image_at_the_address_that_the_board_has_for_it() {
    let desk = Desk::new();
    let image = ["image", "--board", "pico2", "model.hspk", "-o"];
    let shown = desk.done(&[&image[..], &["pack.bin"]].concat());
    assert!(shown.contains("0x10040000"), "{shown}");
    let pack = std::fs::read(desk.path("model.hspk")).unwrap();
    assert_eq!(std::fs::read(desk.path("pack.bin")).unwrap(), pack);
    for name in ["pack.elf", "pack.hex", "pack.uf2"] {
        desk.done(&[&image[..], &[name]].concat());
        assert!(std::fs::metadata(desk.path(name)).unwrap().len() > pack.len() as u64);
    }
    assert!(desk.refused(&[&image[..], &["pack.img"]].concat()).contains(".uf2"));
    std::fs::write(desk.path("text"), "text").unwrap();
    let firmware = [&image[..], &["x.elf", "--firmware", "text"]].concat();
    assert!(desk.refused(&firmware).contains("no ELF"));
    let emulated = ["image", "--board", "mps2-an386", "model.hspk", "-o", "x.elf"];
    assert!(desk.refused(&emulated).contains("emulated"));
    assert!(!desk.path("x.elf").exists());
}

#[test]
fn a_trainable_tail_is_refused_for_firmware_by_its_first_node() {
    let desk = Desk::new();
    let (pictures, pack) = (desk.text("pictures"), desk.text("tail.hspk"));
    let cut = ["--freeze", "/features/features.8/Add_output_0", "--tail", "keep"];
    let common = ["pack", MODEL, "--calib", &pictures, "--preprocess", "tf", "-o", &pack];
    desk.done(&[&common[..], &cut].concat());
    for command in [
        &["image", "--board", "pico2", "tail.hspk", "-o", "pack.bin"][..],
        &["device", "--port", "no-such-port", "update", "tail.hspk"],
    ] {
        let message = desk.refused(command);
        let words = ["tail.hspk", "features.9", "float arithmetic", "--tail drop"];
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
    assert!(!desk.path("pack.bin").exists());
}

#[cfg(unix)]
#[test]
fn flash_uses_what_is_there_or_says_the_command() {
    use std::os::unix::fs::PermissionsExt;

    let desk = Desk::new();
    for (board, image) in [("pico2", "a.uf2"), ("nucleo-h743zi", "a.elf")] {
        desk.done(&["image", "--board", board, "model.hspk", "-o", image]);
    }
    // Nothing is there.
    let roots = desk.text("media");
    let pico = ["flash", "--board", "pico2", "a.uf2", "--drive", &roots];
    let message = desk.refused(&pico);
    assert!(
        message.contains("picotool load -v -x a.uf2") && message.contains("BOOTSEL"),
        "{message}"
    );
    let nucleo = ["flash", "--board", "nucleo-h743zi", "a.elf", "--drive", &roots];
    let command = "probe-rs download --chip STM32H743ZITx --binary-format elf a.elf";
    assert!(desk.refused(&nucleo).contains(command));
    // A tool, which writes down what it is told, and then fails.
    let tools = desk.path("tools");
    std::fs::create_dir(&tools).unwrap();
    let script = |end: &str| format!("#!/bin/sh\necho probe-rs \"$@\" > told\nexit {end}\n");
    for (end, status) in [("0", 0), ("3", 2)] {
        let tool = tools.join("probe-rs");
        std::fs::write(&tool, script(end)).unwrap();
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(desk.run(&nucleo, &tools).status.code(), Some(status));
        assert_eq!(std::fs::read_to_string(desk.path("told")).unwrap().trim(), command);
    }
    // A board in its boot loader.
    let drive = desk.path("media").join("somebody").join("RP2350");
    std::fs::create_dir_all(&drive).unwrap();
    assert!(desk.refused(&pico).contains("picotool"));
    std::fs::write(drive.join("INFO_UF2.TXT"), "UF2 Bootloader v1.0\nBoard-ID: RP2350\n").unwrap();
    desk.done(&pico);
    let copied = std::fs::read(drive.join("headstart.uf2")).unwrap();
    assert_eq!(copied, std::fs::read(desk.path("a.uf2")).unwrap());
    assert!(desk.refused(&["flash", "--board", "pico2", "none.uf2"]).contains("no file"));
    assert!(desk.refused(&["flash", "--board", "pico2", "a.bin"]).contains("addresses"));
}

#[test]
fn a_board_that_does_not_answer_is_a_failure_of_the_machine() {
    let desk = Desk(tempfile::tempdir().unwrap());
    // A port where nobody listens, and one where somebody says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("tcp:{}", listener.local_addr().unwrap());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("tcp:{}", closed.local_addr().unwrap());
    drop(closed);
    for port in [&gone, &silent, "no such port"] {
        let args = ["device", "--port", port, "--patience", "1", "status"];
        let output = desk.run(&args, &desk.path("no tools"));
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(port) && output.stdout.is_empty(), "{message}");
    }
}
