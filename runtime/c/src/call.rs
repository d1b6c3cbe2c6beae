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

/// What C holds by a pointer to it. It begins with its mark, so that a handle of another kind is refused, and one that was closed where
/// its memory is still there. It is `repr(C, align(8))`, of which `cbindgen` makes an opaque type.
pub(crate) trait Handle {
    /// A word that begins nothing else.
    const MARK: u32;
}

/// # Safety
/// It is null, or leads to a word at least.
unsafe fn found<T: Handle>(handle: *const T) -> Result<(), Status> {
    let begins = !handle.is_null() && handle.is_aligned() && {
        // SAFETY: the caller's promise.
        unsafe { handle.cast::<u32>().read() == T::MARK }
    };
    if begins { Ok(()) } else { Err(Status::Argument) }
}

/// Takes the mark off, so that the handle is refused from now on.
///
/// # Safety
/// One that was opened.
pub(crate) unsafe fn unmark<T: Handle>(handle: *mut T) {
    // SAFETY: the caller's promise. Volatile, as nothing that the compiler sees reads it again.
    unsafe { handle.cast::<u32>().write_volatile(0) };
}

/// An array of the caller. Null is refused, unless there is nothing in it.
///
/// # Safety
/// It is null, or has so many elements, which stay as they are for `'a`.
pub(crate) unsafe fn array<'a, T>(start: *const T, length: usize) -> Result<&'a [T], Status> {
    match (start.is_null(), length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Status::Argument),
        (false, _) if !can_be(length, size_of::<T>()) => Err(Status::Length),
        (false, _) if start.is_aligned() => {
            // SAFETY: the caller's promise.
            Ok(unsafe { core::slice::from_raw_parts(start, length) })
        }
        (false, _) => Err(Status::Misaligned),
    }
}

/// Whether memory can have so many elements at all.
pub(crate) fn can_be(length: usize, each: usize) -> bool {
    length.checked_mul(each).is_some_and(|bytes| isize::try_from(bytes).is_ok())
}

/// A handle that only this call uses.
///
/// # Safety
/// It is null, or leads to a handle, and nothing else uses it for `'a`.
pub(crate) unsafe fn only<'a, T: Handle>(handle: *mut T) -> Result<&'a mut T, Status> {
    // SAFETY: the caller's promise; the mark says that it is of this kind.
    unsafe {
        found(handle)?;
        Ok(&mut *handle)
    }
}

/// A handle that other calls may use meanwhile.
///
/// # Safety
/// It is null, or leads to a handle.
pub(crate) unsafe fn shared<'a, T: Handle>(handle: *const T) -> Result<&'a T, Status> {
    // SAFETY: the caller's promise; the mark says that it is of this kind.
    unsafe {
        found(handle)?;
        Ok(&*handle)
    }
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

/// Frees what this library made. Null, and what is of another kind, is nothing to free.
///
/// # Safety
/// It is null, or one of [`made`] that is freed once.
#[cfg(feature = "device")]
pub(crate) unsafe fn free<T: Handle>(what: *mut T) {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe {
            found(what)?;
            unmark(what);
            drop(Box::from_raw(what));
        }
        Ok(())
    });
}
