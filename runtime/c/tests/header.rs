//! `headstart.h` is what the sources say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// In the order in which a reader wants them: what both faces share, then firmware, then Linux.
const SOURCES: [&str; 16] = [
    "status.rs",
    "answer.rs",
    "pack.rs",
    "flash.rs",
    "session/handle.rs",
    "session/learn.rs",
    "session/kept.rs",
    "session/classes.rs",
    "device/error.rs",
    "device/handle.rs",
    "device/samples.rs",
    "device/options.rs",
    "device/learn.rs",
    "device/answers.rs",
    "device/corrections.rs",
    "device/reports.rs",
];

fn header() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = cbindgen::Config::from_file(here.join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(settings);
    for source in SOURCES {
        builder = builder.with_src(here.join("src").join(source));
    }
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    String::from_utf8(header).unwrap()
}

/// With `HEADSTART_WRITE_HEADER=1` the file is written instead.
#[test]
fn the_header_is_made_of_the_sources() {
    let header = header();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/headstart.h");
    if std::env::var_os("HEADSTART_WRITE_HEADER").is_some() {
        fs::write(&file, &header).unwrap();
    }
    let checked_in = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        header == checked_in,
        "include/headstart.h is not what the sources say: this test writes it where HEADSTART_WRITE_HEADER is 1"
    );
}

#[test]
fn every_function_for_c_is_in_the_header_once() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = header();
    let mut functions = BTreeSet::new();
    for folder in ["", "session", "device"] {
        for entry in fs::read_dir(here.join("src").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let source = fs::read_to_string(&path).unwrap();
                let names = source.split("extern \"C\" fn ").skip(1);
                functions.extend(names.filter_map(|rest| Some(rest.split_once('(')?.0.to_owned())));
            }
        }
    }
    functions.retain(|name| name.starts_with("hs_"));
    assert!(functions.len() > 50, "{functions:?}");
    let declared: Vec<_> = header.lines().filter(|line| !line.starts_with("//")).collect();
    for name in functions {
        let call = format!("{name}(");
        let times = declared.iter().filter(|line| line.contains(&call)).count();
        assert_eq!(times, 1, "{name} is declared {times} times");
    }
}
