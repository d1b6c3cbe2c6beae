//! The module that was built is one that Python takes, and needs nothing of Python's to be there when it is linked. Of Linux's libraries, which are ELF.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};

use object::{Object, ObjectSymbol};

/// The library beside this test, or where cargo puts what is built.
fn module() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a place");
    let folders = [test.parent(), test.parent().and_then(Path::parent)];
    let all = folders.into_iter().flatten().map(|folder| folder.join("libheadstart_python.so"));
    all.into_iter().find(|path| path.is_file()).expect("the library was built with this test")
}

#[test]
fn python_finds_its_beginning_and_no_library_of_pythons_is_linked() {
    let path = module();
    let bytes = std::fs::read(&path).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let begins = |symbol: object::Symbol<'_, '_>| {
        symbol.is_definition() && symbol.name() == Ok("PyInit__native")
    };
    assert!(file.dynamic_symbols().any(begins), "{} has no PyInit__native", path.display());
    let needed = file.dynamic_symbols().filter(|symbol| symbol.is_undefined()).count();
    assert!(needed > 0, "the interpreter's functions are found when the module is loaded");
    let names = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(!names(b"libpython"), "{} names a libpython", path.display());
}
