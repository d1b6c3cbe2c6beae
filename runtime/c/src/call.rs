//! What every call does with what C gives it.

use core::ffi::{CStr, c_char};

use crate::status::Status;

/// Does the work of a call, and gives how it ended. A panic ends here.
#[cfg(feature = "device")]
pub(crate) fn call(work: impl FnOnce() -> Result<(), Status>) -> Status {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    caught.map_or(Status::Panic, ended)
}

/// Does the work of a call, and gives how it ended.
#[cfg(not(feature = "device"))]
#[inline(always)]
pub(crate) fn call(work: impl FnOnce() -> Result<(), Status>) -> Status {
    ended(work())
}

fn ended(done: Result<(), Status>) -> Status {
    match done {
        Ok(()) => Status::Ok,
        Err(status) => status,
    }
}

/// A text of the caller.
///
/// # Safety
/// It is null, or ends with a zero byte and stays as it is for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Result<&'a str, Status> {
    if text.is_null() {
        return Err(Status::Argument);
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_str().map_err(|_| Status::Argument)
}

/// An array of the caller. Null is refused, unless there is nothing in it.
///
/// # Safety
/// It is null, or has so many elements, which stay as they are for `'a`.
pub(crate) unsafe fn array<'a, T>(start: *const T, length: usize) -> Result<&'a [T], Status> {
    match (start.is_null(), length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Status::Argument),
        (false, _) if start.is_aligned() => {
            // SAFETY: the caller's promise.
            Ok(unsafe { core::slice::from_raw_parts(start, length) })
        }
        (false, _) => Err(Status::Misaligned),
    }
}

/// A handle that only this call uses.
///
/// # Safety
/// It is null, or one that was opened and is not closed, and nothing else uses it for `'a`.
pub(crate) unsafe fn only<'a, T>(handle: *mut T) -> Result<&'a mut T, Status> {
    // SAFETY: the caller's promise.
    unsafe { handle.as_mut() }.ok_or(Status::Argument)
}

/// A handle that other calls may use meanwhile.
///
/// # Safety
/// It is null, or one that was opened and is not closed.
pub(crate) unsafe fn shared<'a, T>(handle: *const T) -> Result<&'a T, Status> {
    // SAFETY: the caller's promise.
    unsafe { handle.as_ref() }.ok_or(Status::Argument)
}

/// Where a result goes that the caller may leave out.
///
/// # Safety
/// It is null, or there is room for a `T`.
pub(crate) unsafe fn give<T>(to: *mut T, result: T) {
    if !to.is_null() {
        // SAFETY: the caller's promise.
        unsafe { to.write(result) };
    }
}

/// Puts what this library made where the caller wants its handle.
///
/// # Safety
/// `to` is null, or there is room for a pointer.
#[cfg(feature = "device")]
pub(crate) unsafe fn made<T>(to: *mut *mut T, what: T) -> Result<(), Status> {
    if to.is_null() {
        return Err(Status::Argument);
    }
    // SAFETY: the caller's promise.
    unsafe { to.write(Box::into_raw(Box::new(what))) };
    Ok(())
}

/// Frees what this library made. Null is nothing to free.
///
/// # Safety
/// It is null, or one of [`made`] that is freed once.
#[cfg(feature = "device")]
pub(crate) unsafe fn free<T>(what: *mut T) {
    if !what.is_null() {
        call(|| {
            // SAFETY: the caller's promise.
            drop(unsafe { Box::from_raw(what) });
            Ok(())
        });
    }
}
