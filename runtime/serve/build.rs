//! Compresses the files of `page/` and lists them for `src/page.rs`, which puts them into the program.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let page = root.join("page");
    println!("cargo::rerun-if-changed={}", page.display());
    let mut files = Vec::new();
    list(&page, &mut files);
    files.sort();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut table = String::from("&[\n");
    for (number, file) in files.into_iter().enumerate() {
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.strip_prefix(&page).expect("it lies below the folder");
        let small = out.join(format!("{number}.zlib"));
        std::fs::write(&small, compressed(&file)).expect("a file of the page is written");
        writeln!(table, "    ({:?}, include_bytes!({small:?})),", name.display().to_string())
            .expect("a text takes more");
    }
    table += "]\n";
    std::fs::write(out.join("page.rs"), table).expect("the list of pages is written");
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of the page is read") {
        let path = entry.expect("its entries are read").path();
        if path.is_dir() {
            list(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn compressed(file: &Path) -> Vec<u8> {
    let content = std::fs::read(file).expect("a file of the page is read");
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&content).and_then(|()| encoder.finish()).expect("memory takes more")
}
