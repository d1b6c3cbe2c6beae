//! Instructions of the layers of four small networks on RISC-V (rv32imac) by the portable loops: what `boards/mps2`'s program `layers`
//! tells of a Cortex-M.
#![no_std]
#![no_main]

#[path = "../../../runtime/core/tests/kernels/case.rs"]
#[allow(dead_code, reason = "the tests of kernels use all of it")]
mod case;
#[path = "../../mps2/src/counted.rs"]
mod counted;
#[path = "../../mps2/src/networks.rs"]
mod networks;

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::arch::{asm, global_asm};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

use semihosting::{eprintln, process};

// RAM is all zeros when QEMU starts.
global_asm!(
    ".section .init, \"ax\"",
    ".global _start",
    "_start:",
    "la sp, _stack",
    "call {main}",
    main = sym main,
);

unsafe extern "C" {
    static mut _memory: u8;
}

/// Memory behind the program, which nobody gives back: all layers together need a few mebibytes.
struct Heap(AtomicUsize);

#[global_allocator]
static HEAP: Heap = Heap(AtomicUsize::new(0));

// SAFETY: every piece is handed out once, aligned; the stack is a hundred mebibytes further on.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = &raw mut _memory;
        let used = self.0.load(Ordering::Relaxed);
        let at = (start as usize + used).next_multiple_of(layout.align()) - start as usize;
        if layout.size() > (64 << 20) - at {
            return core::ptr::null_mut();
        }
        self.0.store(at + layout.size(), Ordering::Relaxed);
        start.wrapping_add(at)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

extern "C" fn main() -> ! {
    process::exit(counted::tell(|work| {
        let before = instructions();
        work();
        u64::from(instructions().wrapping_sub(before))
    }))
}

/// Instructions that have run, modulo 2³².
fn instructions() -> u32 {
    let count: u32;
    // SAFETY: a counter is read.
    unsafe { asm!("csrr {}, minstret", out(reg) count, options(nomem, nostack)) };
    count
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    eprintln!("{}", info);
    process::exit(1)
}
