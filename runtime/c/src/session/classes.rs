//! What a session knows.

use core::ffi::c_char;

use super::FirmwareSession;
use crate::answer::{HS_LABEL_BYTES, name};
use crate::call::{call, give, only, shared, text};
use crate::status::Status;

/// Gives how many classes there are; 0 without a session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_classes(session: *const FirmwareSession) -> usize {
    // SAFETY: as documented.
    unsafe { shared(session) }
        .map_or(0, |session: &FirmwareSession| session.session.samples().len())
}

/// Gives the name of a class and the samples that it was learned from. `label` has `HS_LABEL_BYTES`; both may be null.
///
/// `HS_STATUS_NO_CLASS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_class(
    session: *const FirmwareSession,
    class_index: u16,
    label: *mut c_char,
    samples: *mut u32,
) -> Status {
    call(|| {
        let at = usize::from(class_index);
        // SAFETY: as documented.
        let session = unsafe { shared(session) }?;
        let counted = *session.session.samples().get(at).ok_or(Status::NoClass)?;
        let known = session.session.labels().nth(at).ok_or(Status::NoClass)?;
        // SAFETY: as documented.
        unsafe {
            give(label.cast::<[c_char; HS_LABEL_BYTES]>(), name(known));
            give(samples, counted);
        }
        Ok(())
    })
}

/// Gives the number of a class. A new label becomes a new class, which nothing is answered with yet.
///
/// `HS_STATUS_LABEL`, `HS_STATUS_TOO_MANY_CLASSES`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_class_of(
    session: *mut FirmwareSession,
    label: *const c_char,
    class_index: *mut u16,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let class = unsafe { only(session)?.session.class(text(label)?) }?;
        // SAFETY: as documented.
        unsafe { give(class_index, class) };
        Ok(())
    })
}

/// Removes a class. Classes behind it move up by one. It is gone for good when `hs_session_commit` has replaced every slot.
///
/// `HS_STATUS_NO_CLASS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_forget(
    session: *mut FirmwareSession,
    label: *const c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let known = unsafe { only(session)?.session.forget(text(label)?) };
        if known { Ok(()) } else { Err(Status::NoClass) }
    })
}

/// Sets the probability below which an answer is unknown, 0 to 1. It is committed with the head.
///
/// `HS_STATUS_ARGUMENT` for another number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_unknown_below(
    session: *mut FirmwareSession,
    probability: f32,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let session = unsafe { only(session) }?;
        session.session.unknown_below(probability).map_err(|_| Status::Argument)
    })
}
