//! Memory that the system does not give ends the program as any other failure of the machine: with a message and status 2, not by
//! an abort. Whatever was being done is undone then, as by a power cut: files change in one step.
#![allow(unsafe_code, reason = "an allocator has no safe form")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::process::exit;

/// The system's allocator, which is not asked twice.
pub(crate) struct OrEnd;

/// Ends the program without allocating.
fn given(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        let _ = std::io::stderr().write_all(
            b"error: there is no more memory, and the state is as it was: close other programs, or learn with --memory or --learner sgd\n",
        );
        exit(2);
    }
    memory
}

// SAFETY: all of it is the system's allocator, and what that gives is passed on.
unsafe impl GlobalAlloc for OrEnd {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        given(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        given(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's.
        given(unsafe { System.realloc(memory, layout, size) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(memory, layout) }
    }
}
