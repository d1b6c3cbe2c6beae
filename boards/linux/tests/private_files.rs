//! What was learned is personal: whatever a command leaves in the state folder is readable by its owner only.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{BLUE, Bench, RED, tiny_pack};

#[test]
fn so_is_every_copy_of_a_sample() {
    let bench = Bench::new();
    std::fs::write(bench.path("new.hspk"), tiny_pack(3, None)).unwrap();
    bench.colours("data", 0, 2);
    for class in ["red", "green", "blue"] {
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(bench.path("data").join(class).join("0.png"), open).unwrap();
    }
    bench.json("learn", &["--data", "data", "--state", "state", "--keep-samples"]);
    let kept = bench.path("state/kept-samples");
    let mode = std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode, private(&kept).len()), (0o700, 6));
    // Copies of another device's copies, and what an adoption leaves.
    bench.colours("theirs", 20, 1);
    bench.json("learn", &["--data", "theirs", "--state", "theirs-state", "--keep-samples"]);
    bench.json("merge", &["--state", "state", "--from", "theirs-state"]);
    assert_eq!(private(&kept).len(), 9);
    let bench = Bench { pack: bench.path("new.hspk"), root: bench.root };
    bench.json("adopt", &["--state", "state"]);
    assert_eq!(private(&kept).len(), 9);
    let state = bench.path("state");
    std::fs::rename(kept, bench.path("elsewhere")).unwrap();
    assert_eq!(private(&state).len(), 6);
}

/// Names of a folder's files, each of which only its owner can read or write.
fn private(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", entry.path().display());
            entry.file_name().into_string().unwrap()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn every_file_of_a_state_is_readable_by_its_owner_only() {
    let bench = Bench::new();
    bench.colours("data", 0, 12);
    let state = bench.path("state");
    let learn = ["--data", "data", "--state", "state"];
    bench.json("learn", &learn);
    let first = ["commit-00000001.hsco", "features.hsfc", "head.hshr", "names.hssn"];
    assert_eq!(private(&state), first);
    // Blue pictures as red ones: a candidate that is rejected.
    bench.pictures("wrong", "red", BLUE, 100, 30);
    bench.pictures("wrong", "blue", RED, 200, 30);
    let output = bench.command("learn", &["--data", "wrong", "--state", "state"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(private(&state).last().unwrap(), "rejected.hsco");
    bench.colours("theirs", 20, 3);
    bench.json("learn", &["--data", "theirs", "--state", "theirs-state"]);
    for (command, arguments) in [
        ("rename", &["--class", "red", "--to", "rot"][..]),
        ("merge", &["--from", "theirs-state"]),
        ("rollback", &["--to", "1"]),
        ("forget", &["--sample", "data/red/0.png"]),
        ("forget", &["--class", "blue"]),
    ] {
        // What was there before is as open as a copy would be: what is written anew is not.
        for name in private(&state) {
            let open = std::fs::Permissions::from_mode(0o644);
            let keep = name.starts_with("commit-") || name == "names.hssn";
            let path = state.join(name);
            if !keep {
                std::fs::set_permissions(path, open).unwrap();
            }
        }
        bench.json(command, &[&["--state", "state"], arguments].concat());
        assert!(private(&state).len() >= 3, "{command}");
    }
    assert_eq!(private(&state), first);
}
