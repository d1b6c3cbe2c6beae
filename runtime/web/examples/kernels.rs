//! The kernels for simd128 against the definition, as a module of its own: `tests/web/run`.

#[path = "../../core/tests/kernels/activation.rs"]
mod activation;
#[path = "../../core/tests/kernels/case.rs"]
mod case;
#[path = "../../core/tests/kernels/other.rs"]
mod other;
#[path = "../../core/tests/kernels/target.rs"]
mod target;

use headstart::kernels::{Isa, Kernels};

#[link(wasm_import_module = "headstart")]
unsafe extern "C" {
    /// Hears why a case failed, in UTF-8.
    fn failed(text: *const u8, bytes: usize);
}

/// So many random nodes of each kind; it traps where one has other bits.
#[unsafe(no_mangle)]
pub extern "C" fn check(cases: u32) {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.to_string();
        // SAFETY: the text is there while it is read.
        unsafe { failed(text.as_ptr(), text.len()) };
    }));
    assert_eq!(Kernels::best().isa(), Isa::Simd128);
    target::equal_the_definition(cases.into());
}
