//! Sets `headstart_dsp` (and `headstart_armv8m`) where the target is a Cortex-M with the DSP extension and an FPU, and
//! `headstart_helium` where it has vectors of floats too: stable compilers do not tell a crate. Sets `headstart_vectors` where there are kernels of vectors: they need `std`.

use std::env::var;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(headstart_dsp)");
    println!("cargo::rustc-check-cfg=cfg(headstart_armv8m)");
    println!("cargo::rustc-check-cfg=cfg(headstart_helium)");
    println!("cargo::rustc-check-cfg=cfg(headstart_vectors)");
    println!("cargo::rerun-if-changed=build.rs");
    let target = var("TARGET").unwrap_or_default();
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let features = var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let has_vectors = match var("CARGO_CFG_TARGET_ARCH").as_deref() {
        Ok("x86_64" | "aarch64") => true,
        Ok("wasm32") => features.split(',').any(|feature| feature == "simd128"),
        _ => false,
    };
    if has_vectors && var("CARGO_FEATURE_STD").is_ok() {
        println!("cargo::rustc-cfg=headstart_vectors");
    }
    // The DSP extension is a part of Armv7E-M, and an option of Armv8-M that these cores have.
    let cores = ["cortex-m33", "cortex-m35p", "cortex-m55", "cortex-m85", "+mve.fp", "+dsp"];
    let armv8 = cores.iter().any(|core| flags.contains(core))
        || features.split(',').any(|feature| feature == "dsp");
    let armv8 = target == "thumbv8m.main-none-eabihf" && armv8;
    if armv8 {
        println!("cargo::rustc-cfg=headstart_armv8m");
    }
    // Both cores may be built without it, which `-C target-feature=-mve` says.
    let vectors = ["cortex-m55", "cortex-m85", "+mve.fp"].iter().any(|core| flags.contains(core));
    if armv8 && vectors && !flags.contains("-mve") {
        println!("cargo::rustc-cfg=headstart_helium");
    }
    if armv8 || target == "thumbv7em-none-eabihf" {
        println!("cargo::rustc-cfg=headstart_dsp");
    }
}
