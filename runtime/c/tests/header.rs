//! `headstart.h` is what the sources say.

use std::path::Path;

/// With `HEADSTART_WRITE_HEADER=1` the file is written instead.
#[test]
fn the_header_is_made_of_the_sources() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = cbindgen::Config::from_file(here.join("cbindgen.toml")).unwrap();
    let mut sources: Vec<_> = ["", "session", "device"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(here.join("src").join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    // What both faces share comes first, then firmware, then Linux.
    sources.sort_by_key(|path| {
        (
            path.parent() != Some(&here.join("src")),
            path.to_string_lossy().contains("/device/"),
            path.clone(),
        )
    });
    let made =
        sources.iter().fold(cbindgen::Builder::new().with_config(settings), |builder, path| {
            builder.with_src(path)
        });
    let mut header = Vec::new();
    made.generate().unwrap().write(&mut header);
    let header = String::from_utf8(header).unwrap();
    let file = here.join("include/headstart.h");
    if std::env::var_os("HEADSTART_WRITE_HEADER").is_some() {
        std::fs::write(&file, &header).unwrap();
    }
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        header == checked_in,
        "include/headstart.h is not what the sources say: HEADSTART_WRITE_HEADER=1 cargo test -p headstart-c --test header writes it"
    );
}
