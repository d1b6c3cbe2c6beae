//! The command line, on the small model that the repository carries.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rten_onnx::onnx::ModelProto;
use serde_json::Value;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/carried-model/shapes.onnx");

fn headstart(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headstart")).args(args).output().unwrap()
}

/// The same, as ONNX Runtime quantises it.
const QUANTISED: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/carried-model/shapes-qdq.onnx");

/// The JSON object of a command that succeeds.
fn json(args: &[&str]) -> Value {
    let output = headstart(&[&["--json"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The message of a command that refuses its input.
fn refusal(args: &[&str]) -> String {
    let output = headstart(args);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {message}");
    assert!(output.stdout.is_empty(), "{args:?}");
    message
}

/// Two classes of pictures: bright above, bright below.
fn pictures(folder: &Path) -> PathBuf {
    let root = folder.join("pictures");
    for (class, above) in [("above", true), ("below", false)] {
        std::fs::create_dir_all(root.join(class)).unwrap();
        for index in 0..6_u32 {
            let picture = image::RgbImage::from_fn(40, 40, |x, y| {
                let light = (y < 20) == above;
                let level = if light { 200 } else { 30 };
                image::Rgb([level + (x % 5) as u8, level, (index * 7 + y) as u8])
            });
            picture.save(root.join(class).join(format!("{index}.png"))).unwrap();
        }
    }
    root
}

struct Desk {
    folder: tempfile::TempDir,
    pictures: String,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pictures = pictures(folder.path()).display().to_string();
        Self { folder, pictures }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn pack(&self, name: &str, more: &[&str]) -> (String, Value) {
        let pack = self.path(name);
        let common = ["pack", MODEL, "--calib", &self.pictures, "--preprocess", "tf", "-o", &pack];
        let summary = json(&[&common, more].concat());
        (pack, summary)
    }
}

#[test]
fn a_model_becomes_a_pack_that_says_and_verifies_itself() {
    let desk = Desk::new();
    let layers = json(&["inspect", MODEL]);
    assert!(layers["layers"].as_array().unwrap().len() > 10);
    let (pack, summary) = desk.pack("model.hspk", &[]);
    assert_eq!(json(&["info", &pack])["backbone_digest"], summary["backbone_digest"]);
    assert_eq!(json(&["verify", &pack])["bytes"], summary["pack_bytes"]);
    let (again, _) = desk.pack("again.hspk", &["--threads", "1"]);
    assert_eq!(std::fs::read(&pack).unwrap(), std::fs::read(again).unwrap());
    let compared = json(&["compare", &pack, MODEL, "--data", &desk.pictures]);
    assert!(compared["feature_cosine"]["mean"].as_f64().unwrap() > 0.98, "{compared}");
    assert!(compared["head_accuracy"]["int8"]["mean"].is_f64(), "{compared}");
}

#[test]
fn each_sensible_cut_is_shown_with_its_price_and_its_cosine() {
    let desk = Desk::new();
    let inspected = json(&["inspect", MODEL]);
    let cuts = inspected["cuts"].as_array().unwrap();
    let middle = cuts.len() / 2;
    let tensor = cuts[middle]["tensor"].as_str().unwrap();
    let (pack, _) = desk.pack("middle.hspk", &["--freeze", tensor]);
    let arguments = ["compare", &pack, MODEL, "--data", &desk.pictures];
    let compared = json(&arguments);
    assert_eq!(compared["training_batch"], inspected["training_batch"]);
    let seen = compared["cuts"].as_array().unwrap();
    assert_eq!(seen.len(), cuts.len());
    for (at, (cut, seen)) in cuts.iter().zip(seen).enumerate() {
        for (key, value) in cut.as_object().unwrap() {
            assert_eq!(&seen[key], value, "{key} of {cut}");
        }
        assert_eq!(seen["of_this_pack"], at == middle, "{seen}");
        // Behind the pack's cut there are no integers to compare.
        let cosine = seen["cosine"].as_f64();
        assert_eq!(cosine.is_some(), at <= middle, "{seen}");
        assert!(cosine.is_none_or(|cosine| cosine > 0.97 && cosine <= 1.0), "{seen}");
    }
    let table = String::from_utf8(headstart(&arguments).stdout).unwrap();
    let row = table.lines().find(|line| line.contains("this pack")).unwrap();
    assert!(row.contains(tensor) && row.contains("KiB") && row.contains("0.9"), "{row}");
}

#[test]
fn the_samples_choose_a_cut_within_the_budget() {
    let desk = Desk::new();
    let data = ["--freeze", "auto", "--data", &desk.pictures];
    let (_, chosen) = desk.pack("auto.hspk", &data);
    let candidates = chosen["candidates"].as_array().unwrap();
    assert_eq!(candidates[0]["tensor"], chosen["freeze_point"]);
    let least = candidates.iter().map(|c| c["multiply_accumulates"].as_u64().unwrap()).min();
    let budget = least.unwrap().to_string();
    let (_, small) = desk.pack("small.hspk", &[&data[..], &["--max-macs", &budget]].concat());
    assert_eq!(small["multiply_accumulates"].as_u64(), least);
    let pack = desk.path("none.hspk");
    let common = ["pack", MODEL, "--calib", &desk.pictures, "--preprocess", "tf", "-o", &pack];
    let message = refusal(&[&common[..], &data, &["--max-macs", "1"]].concat());
    assert!(message.contains("--max-macs"), "{message}");
    assert!(!Path::new(&pack).exists());
}

#[test]
fn a_transform_of_training_becomes_part_of_the_pack() {
    let desk = Desk::new();
    let whole = |name: &str, more: &[&str]| {
        let pack = desk.path(name);
        let common = ["pack", MODEL, "--calib", &desk.pictures, "-o", &pack];
        json(&[&common[..], more].concat());
        json(&["info", &pack])
    };
    let torchvision = whole("torchvision.hspk", &["--preprocess", "torchvision"]);
    let side = torchvision["input"][0].as_u64().unwrap() * 8 / 7;
    assert_eq!(torchvision["resize"], format!("shorter side to {side}, middle cut out"));
    assert_eq!(torchvision["resize_filter"], "pil-bilinear");
    assert_eq!(whole("timm.hspk", &["--preprocess", "timm"])["resize_filter"], "pil-bicubic");
    let area = ["--preprocess", "tf", "--resize-filter", "opencv-area"];
    assert_eq!(whole("area.hspk", &area)["resize_filter"], "opencv-area");
    assert_eq!(whole("own.hspk", &area[..2])["resize_filter"], "own");
}

#[test]
fn a_pretrained_classifier_is_kept_and_exported() {
    let desk = Desk::new();
    let (pack, summary) = desk.pack("keep.hspk", &["--head", "keep", "--max-classes", "64"]);
    let classes = summary["head_classes"].as_array().unwrap().len();
    assert!(classes > 1);
    let mine = desk.path("mine.onnx");
    let exported = json(&["export", &pack, MODEL, "-o", &mine]);
    assert_eq!(exported["classes"].as_array().unwrap().len(), classes);
    let layers = json(&["inspect", &mine]);
    assert_eq!(layers["input"], json(&["inspect", MODEL])["input"]);
}

#[test]
fn a_classifier_gets_a_decoder_that_answers_for_places() {
    let desk = Desk::new();
    let names = desk.path("names");
    std::fs::write(&names, "ground\nsky\n").unwrap();
    let segmentation = ["--task", "segmentation", "--classes", "2", "--decoder", "12"];
    let (_, summary) =
        desk.pack("places.hspk", &[&segmentation[..], &["--labels", &names]].concat());
    let tail = &summary["tail"];
    assert_eq!((&tail["outputs"], &tail["map"]), (&12.into(), &serde_json::json!([8, 8])));
    assert!(tail["crossing"].as_array().unwrap().len() >= 2, "{tail}");
    let layers = tail["layers"].as_array().unwrap();
    assert!(layers.iter().all(|layer| layer.as_str().unwrap().starts_with("decoder.")), "{tail}");
    assert_eq!(summary["head_classes"], serde_json::json!(["ground", "sky"]));
    assert_eq!(summary["max_classes"], 2);
    // The whole network, for pictures of another size.
    let open = ["--freeze", "none", "--input-size", "48x64", "--stride", "8"];
    let (_, summary) = desk.pack("open.hspk", &[&segmentation[..], &open].concat());
    assert_eq!(summary["input"], serde_json::json!([48, 64, 3]));
    assert_eq!(summary["tail"]["map"], serde_json::json!([6, 8]));
    assert_eq!(summary["nodes"], 0);
}

#[test]
fn what_does_not_fit_is_refused_with_advice() {
    let desk = Desk::new();
    let pack = desk.path("x.hspk");
    let common = ["pack", MODEL, "--calib", &desk.pictures, "-o", &pack];
    let with = |more: &[&str]| refusal(&[&common[..], more].concat());
    assert!(with(&[]).contains("--preprocess"));
    let raw = ["--preprocess", "raw"];
    assert!(with(&[&raw[..], &["--freeze", "none"]].concat()).contains("--freeze auto"));
    assert!(with(&[&raw[..], &["--freeze", "nowhere"]].concat()).contains("inspect"));
    assert!(with(&[&raw[..], &["--freeze", "auto"]].concat()).contains("--data"));
    assert!(with(&[&raw[..], &["--head", "no-such-folder"]].concat()).contains("keep"));
    let keep = with(&[&raw[..], &["--head", "keep", "--max-classes", "2"]].concat());
    assert!(keep.contains("raise --max-classes"), "{keep}");
    assert!(with(&[&raw[..], &["--calib-limit", "0"]].concat()).contains("--calib-limit"));
    assert!(with(&["--mean", "1", "--std", "0"]).contains("--std"));
    assert!(!Path::new(&pack).exists());
    let (sound, _) = desk.pack("sound.hspk", &[]);
    let mut bytes = std::fs::read(&sound).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&sound, bytes).unwrap();
    assert!(refusal(&["verify", &sound]).contains("changed or damaged"));
    let picture = format!("{}/above/0.png", desk.pictures);
    assert!(refusal(&["inspect", &picture]).contains("0.png"));
    assert!(refusal(&["info", &picture]).contains("not a Headstart pack"));
}

#[test]
fn a_folder_that_cannot_be_written_is_the_machines_fault() {
    let desk = Desk::new();
    let output = "/proc/no-such-place/model.hspk";
    let args = ["pack", MODEL, "--calib", &desk.pictures, "--preprocess", "raw", "-o", output];
    assert_eq!(headstart(&args).status.code(), Some(2));
}

#[test]
#[cfg(unix)]
fn a_full_disk_keeps_the_old_pack() {
    let desk = Desk::new();
    let (pack, _) = desk.pack("model.hspk", &[]);
    let before = std::fs::read(&pack).unwrap();
    // No file may grow past one block, so that writing the new pack fails half-way, as on a full
    // disk.
    let output = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 1; exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_headstart"),
        ])
        .args(["pack", MODEL, "--calib", &desk.pictures, "--preprocess", "raw", "-o", &pack])
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("model.hspk") && message.contains("unchanged"), "{message}");
    assert!(output.stdout.is_empty());
    assert_eq!(std::fs::read(&pack).unwrap(), before);
    let left: Vec<_> = std::fs::read_dir(desk.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "model.hspk" && name != "pictures")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_board_gets_a_certificate_or_a_refusal_that_says_what_to_do() {
    let desk = Desk::new();
    let board = ["--board", "mps2-an386"];
    let (_, summary) = desk.pack("model.hspk", &[&["--max-classes", "4"], &board[..]].concat());
    let certificate = &summary["certificate"];
    for key in ["arena_bytes", "head_bytes", "learner_bytes", "pack_bytes"] {
        assert_eq!(certificate[key], summary[key], "{key}");
    }
    assert_eq!(certificate["session_bytes"], summary["ram_bytes"]);
    let pack = desk.path("refused.hspk");
    let arguments = ["pack", MODEL, "--calib", &desk.pictures, "--preprocess", "tf", "-o", &pack];
    let message = refusal(&[&arguments[..], &["--max-classes", "4096"], &board].concat());
    assert!(message.contains("bytes of RAM are missing") && message.contains("--max-classes"));
    assert!(message.contains("most of them at '"), "{message}");
    // A head that fits the RAM twice, and no slot of 24 KiB.
    let classes = 1 + 24_064 / (4 * (1 + summary["features"].as_u64().unwrap()));
    let message =
        refusal(&[&arguments[..], &["--max-classes", &classes.to_string()], &board].concat());
    assert!(message.contains("more than a slot of its flash holds"), "{message}");
    let message = refusal(&[&arguments[..], &["--board", "abacus"]].concat());
    assert!(message.contains("there is no board 'abacus'"), "{message}");
    assert!(message.contains("boards.json") && message.contains("built again"), "{message}");
    assert!(!Path::new(&pack).exists());
}

#[test]
fn a_pack_is_signed_and_verified_with_its_key_only() {
    let desk = Desk::new();
    let [maker, other] = ["maker", "other"].map(|name| desk.path(name));
    for name in [&maker, &other] {
        json(&["keygen", "-o", name]);
    }
    let (secret, public) = (format!("{maker}.key"), format!("{maker}.pub"));
    let key = std::fs::read(&secret).unwrap();
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(&secret).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(refusal(&["keygen", "-o", &maker]).contains("never replaced"));
    assert_eq!(std::fs::read(&secret).unwrap(), key);

    let (plain, _) = desk.pack("plain.hspk", &[]);
    let sign = ["--sign", &secret, "--family", "camera-2", "--counter", "3"];
    let (signed, _) = desk.pack("signed.hspk", &sign);
    let again = desk.path("again.hspk");
    let arguments = ["--key", &secret, "--family", "camera-2", "--counter", "3", "-o", &again];
    json(&[&["sign", &plain], &arguments[..]].concat());
    assert_eq!(std::fs::read(&signed).unwrap(), std::fs::read(&again).unwrap());

    let verified = json(&["verify", &signed, "--key", &public]);
    assert_eq!(verified["signature"]["verified"], true);
    assert_eq!(verified["signature"]["counter"], 3);
    assert_eq!(json(&["verify", &signed])["signature"]["verified"], false);
    let other = format!("{other}.pub");
    json(&["verify", &signed, "--key", &other, "--key", &public, "--family", "camera-2"]);
    for (arguments, words) in [
        (&["verify", &plain, "--key", &public][..], "not signed"),
        (&["verify", &signed, "--key", &other], "not trusted"),
        (&["verify", &signed, "--key", &public, "--family", "x"], "another family"),
        (&["verify", &signed, "--key", &public, "--least-counter", "4"], "security counter 3"),
        (&["verify", &signed, "--key", &secret], ".pub"),
        (&["sign", &plain, "--key", &public, "--family", "x", "-o", &again], ".key"),
        (&["sign", &plain, "--key", &secret, "--family", "a b", "-o", &again], "--family"),
    ] {
        let message = refusal(arguments);
        assert!(message.contains(words), "{message}");
        let digits = String::from_utf8(key.clone()).unwrap();
        assert!(!message.contains(&digits[23..40]), "a secret is shown");
    }
}

#[test]
fn a_model_without_scales_of_its_own_needs_samples() {
    let desk = Desk::new();
    let pack = desk.path("model.hspk");
    let message = refusal(&["pack", MODEL, "--preprocess", "tf", "-o", &pack]);
    assert!(message.contains("shapes.onnx") && message.contains("--calib DIR"), "{message}");
    assert!(!Path::new(&pack).exists());
    let (_, summary) = desk.pack("model.hspk", &[]);
    assert_eq!(
        (&summary["own_scales"], &summary["differences"]),
        (&false.into(), &Value::Array(vec![]))
    );
}

#[test]
fn a_model_with_scales_of_its_own_does_what_others_do() {
    let desk = Desk::new();
    let made = |name: &str, more: &[&str]| {
        let pack = desk.path(name);
        let common = ["pack", QUANTISED, "--preprocess", "tf", "--max-classes", "64", "-o", &pack];
        let summary = json(&[&common[..], more].concat());
        assert_eq!(summary["own_scales"], Value::Bool(true), "{name}");
        assert_eq!(summary["differences"], Value::Array(vec![]), "{name}");
        (pack, summary)
    };
    let (pack, summary) = made("head.hspk", &["--head", "keep"]);
    assert_eq!(summary["features"], 64);
    let compared = json(&["compare", &pack, QUANTISED, "--data", &desk.pictures]);
    assert!(compared["feature_cosine"]["mean"].as_f64().unwrap() > 0.98, "{compared}");
    let mine = desk.path("mine.onnx");
    let exported = json(&["export", &pack, QUANTISED, "-o", &mine]);
    assert_eq!(exported["classes"].as_array().unwrap().len(), 48);
    assert_eq!(json(&["inspect", &mine])["input"], json(&["inspect", QUANTISED])["input"]);
    let (pack, chosen) = made("auto.hspk", &["--freeze", "auto", "--data", &desk.pictures]);
    let candidates = chosen["candidates"].as_array().unwrap();
    assert!(candidates.len() > 10 && candidates[0]["tensor"] == chosen["freeze_point"]);
    json(&["compare", &pack, QUANTISED, "--data", &desk.pictures]);
    for cut in ["/features/features.8/Add_output_0", "none"] {
        let (pack, _) = made("tail.hspk", &["--freeze", cut, "--tail", "keep"]);
        let tail = &json(&["info", &pack])["tail"];
        assert!(tail["parameters"].as_u64().unwrap() > 1_000, "{cut}: {tail}");
        json(&["verify", &pack]);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_headstart"))
        .args(["inspect", MODEL])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]));
}

#[test]
fn bad_files_are_named_at_once_and_can_be_left_out_of_calibration() {
    let desk = Desk::new();
    let pack = desk.folder.path().join("shapes.hspk").display().to_string();
    let bad = ["above/2.png", "below/1.png"].map(|name| format!("{}/{name}", desk.pictures));
    bad.iter().for_each(|file| std::fs::write(file, "no picture").unwrap());
    let common = ["pack", MODEL, "--calib", &desk.pictures, "--preprocess", "tf", "-o", &pack];
    let message = refusal(&common);
    assert!(message.contains("2 files are refused") && message.contains("--skip-bad"), "{message}");
    assert!(bad.iter().all(|file| message.contains(file)), "{message}");
    let said = json(&[&common[..], &["--skip-bad"]].concat());
    assert_eq!(said["bad_files"].as_array().unwrap().len(), 2);
    assert_eq!(json(&["info", &pack])["calibration_samples"], 10);
}

#[test]
fn every_command_that_reads_a_folder_names_all_bad_files_and_goes_on_without_them() {
    let desk = Desk::new();
    let pack = desk.folder.path().join("shapes.hspk").display().to_string();
    json(&["pack", MODEL, "--calib", &desk.pictures, "--preprocess", "tf", "-o", &pack]);
    let whole = json(&["compare", &pack, MODEL, "--data", &desk.pictures]);
    let bad = ["above/2.png", "below/1.png"].map(|name| format!("{}/{name}", desk.pictures));
    bad.iter().for_each(|file| std::fs::write(file, "no picture").unwrap());
    let auto = desk.folder.path().join("auto.hspk").display().to_string();
    let port = "tcp:127.0.0.1:1";
    let commands: [&[&str]; 4] = [
        &["compare", &pack, MODEL, "--data", &desk.pictures],
        &[
            "pack",
            MODEL,
            "--freeze",
            "auto",
            "--data",
            &desk.pictures,
            "--calib",
            &desk.pictures,
            "--preprocess",
            "tf",
            "-o",
            &auto,
        ],
        &["device", "--port", port, "learn", &pack, "--data", &desk.pictures],
        &["device", "--port", port, "eval", &pack, "--data", &desk.pictures],
    ];
    for command in commands {
        let message = refusal(command);
        assert!(message.contains("2 files are refused"), "{command:?}: {message}");
        assert!(bad.iter().all(|file| message.contains(file)), "{command:?}: {message}");
        let skipping = [command, &["--skip-bad"]].concat();
        if command[0] == "device" {
            // There is no board, but the files are no obstacle any more.
            let output = headstart(&skipping);
            assert!(!output.status.success());
            let message = String::from_utf8(output.stderr).unwrap();
            assert!(!message.contains("refused:") && !message.contains("picture"), "{message}");
        } else {
            let said = json(&skipping);
            assert!(said["bad_files"].as_array().unwrap().len() >= 2, "{said}");
        }
    }
    let less = json(&["compare", &pack, MODEL, "--data", &desk.pictures, "--skip-bad"]);
    assert_eq!(whole["samples"].as_u64(), less["samples"].as_u64().map(|count| count + 2));
    assert_eq!(json(&["info", &auto])["calibration_samples"], 10);
}

#[test]
fn no_control_character_reaches_the_terminal() {
    let hostile = "\u{1b}[2J\u{9b}31m\u{202e}";
    let desk = Desk::new();
    let model = desk.folder.path().join(format!("{hostile}.onnx"));
    std::fs::copy(MODEL, &model).unwrap();
    let model = model.display().to_string();
    let out = desk.folder.path().join(format!("{hostile}.hspk")).display().to_string();
    let common = ["pack", &model, "--calib", &desk.pictures, "--preprocess", "tf", "-o", &out];
    let commands: [&[&str]; 7] = [
        &["inspect", &model],
        &["inspect", hostile],
        &common,
        &["info", &out],
        &["--json", "info", &out],
        &[hostile],
        &["pack", &model, "--calib", hostile, "-o", &out],
    ];
    let mut seen = 0;
    for command in commands {
        let output = headstart(command);
        for stream in [output.stdout, output.stderr] {
            let text = String::from_utf8(stream).unwrap();
            let raw = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!text.contains(raw), "{command:?}: {text:?}");
            seen += usize::from(text.contains("2J"));
        }
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn what_is_no_plain_file_of_its_kind_is_refused_at_once() {
    let desk = Desk::new();
    let pipe = desk.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let long = desk.path("long");
    std::fs::File::create(&long).unwrap().set_len(1 << 40).unwrap();
    let (pack, _) = desk.pack("model.hspk", &[]);
    let output = desk.path("out.elf");
    for file in ["/dev/zero", &pipe, &long, desk.folder.path().to_str().unwrap()] {
        let packing =
            ["pack", MODEL, "--calib", &desk.pictures, "--preprocess", "tf", "-o", &output];
        let commands: [&[&str]; 8] = [
            &["verify", file],
            &["info", file],
            &["inspect", file],
            &["compare", &pack, file, "--data", &desk.pictures],
            &["verify", &pack, "--key", file],
            &["image", &pack, "--board", "pico2", "--firmware", file, "-o", &output],
            &[&packing[..], &["--sign", file, "--family", "a"]].concat(),
            &[&packing[..], &["--head", "keep", "--labels", file]].concat(),
        ];
        for arguments in commands {
            let message = refusal(arguments);
            assert!(message.contains(file), "{arguments:?}: {message}");
            assert!(message.contains("plain file") || message.contains("bytes"), "{message}");
        }
    }
}

/// A file that takes nothing.
fn full() -> std::fs::File {
    std::fs::File::options().write(true).open("/dev/full").unwrap()
}

#[test]
fn where_nothing_can_be_said_the_work_is_done_and_nothing_panics() {
    let desk = Desk::new();
    let mut refused = Command::new(env!("CARGO_BIN_EXE_headstart"));
    let status = refused.args(["inspect", "missing.onnx"]).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let pack = desk.path("said.hspk");
    let status = Command::new(env!("CARGO_BIN_EXE_headstart"))
        .args(["pack", MODEL, "--calib", &desk.pictures, "--preprocess", "tf", "-o", &pack])
        .args(["--freeze", "auto", "--data", &desk.pictures])
        .stdout(full())
        .stderr(full())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
    json(&["verify", &pack]);
}

#[test]
fn a_model_of_open_size_is_taken_at_the_size_of_its_pack() {
    let desk = Desk::new();
    let mut model = ModelProto::parse_buf(&std::fs::read(MODEL).unwrap()).unwrap();
    let input = model.graph.as_mut().unwrap().input[0].r#type.as_mut().unwrap();
    let shape = input.tensor_type.as_mut().unwrap().shape.as_mut().unwrap();
    for extent in &mut shape.dim[2..] {
        (extent.dim_value, extent.dim_param) = (None, Some("side".to_owned()));
    }
    let open = desk.path("open.onnx");
    std::fs::write(&open, model.write_buf().unwrap()).unwrap();
    let message = refusal(&["inspect", &open]);
    assert!(message.contains("dimension 2") && message.contains("--input-size"), "{message}");
    let inspected = json(&["inspect", &open, "--input-size", "24x40"]);
    assert_eq!(inspected["input"], serde_json::json!([1, 3, 24, 40]));

    let pack = desk.path("open.hspk");
    let packing = ["pack", &open, "--calib", &desk.pictures, "--preprocess", "tf", "-o", &pack];
    json(
        &[&packing[..], &["--input-size", "24x40", "--head", "keep", "--max-classes", "48"]]
            .concat(),
    );
    let compared = json(&["compare", &pack, &open, "--data", &desk.pictures]);
    assert_eq!(compared["samples"], 12);
    json(&["export", &pack, &open, "-o", &desk.path("mine.onnx")]);
}

#[test]
fn pixels_that_leave_the_scale_of_a_quantised_input_are_refused_with_what_fits() {
    let desk = Desk::new();
    let pack = desk.path("scaled.hspk");
    let with = |name: &str| {
        let (mean, std) = ("100000", "1");
        let common = ["pack", QUANTISED, "--calib", &desk.pictures, "-o", &pack];
        match name {
            "" => refusal(&[&common[..], &["--mean", mean, "--std", std]].concat()),
            name => refusal(&[&common[..], &["--preprocess", name]].concat()),
        }
    };
    for name in ["raw", ""] {
        let refused = with(name);
        assert!(refused.contains(QUANTISED) && refused.contains("--preprocess tf"), "{refused}");
    }
    json(&["pack", QUANTISED, "--calib", &desk.pictures, "--preprocess", "tf", "-o", &pack]);
    // Samples that are no pictures are the model's own values, which `raw` is right for.
    json(&["pack", QUANTISED, "--preprocess", "raw", "-o", &pack]);
}
