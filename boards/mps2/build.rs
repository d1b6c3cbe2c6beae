//! Puts the machine's memory map, `machines/NAME.x`, where the linker finds it. The machine is that
//! of the environment variable `HEADSTART_MACHINE`, `an386` if it is not set.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let machine = env::var("HEADSTART_MACHINE").unwrap_or_else(|_| "an386".into());
    let map = format!("machines/{machine}.x");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::copy(&map, out.join("memory.x")).expect("there is a memory map of that machine's name");
    // No interrupt has a name.
    fs::write(out.join("device.x"), "").expect("the build's own folder is writable");
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rerun-if-env-changed=HEADSTART_MACHINE");
    println!("cargo::rerun-if-changed={map}");
    println!("cargo::rerun-if-changed=build.rs");
    // SysTick's clock, Hz, of QEMU's model.
    let clock = match machine.as_str() {
        "an505" => 20_000_000,
        "an547" => 32_000_000,
        _ => 25_000_000,
    };
    println!("cargo::rustc-env=HEADSTART_CLOCK={clock}");
    println!("cargo::rustc-env=HEADSTART_MACHINE={machine}");
}
