//! The name that programs which link the shared library look for: it changes where a program that was built against the version
//! before would no longer run.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_CFG_TARGET_OS").is_some_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg-examples=-Wl,-soname,libheadstart.so.0");
    }
}
