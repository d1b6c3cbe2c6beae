//! One sample: learned, or answered.

use core::ffi::c_char;

use super::FirmwareSession;
use crate::answer::{Answer, name};
use crate::call::{array, call, give, only, shared, text};
use crate::status::Status;

/// Learns one labelled sample. A new label becomes a new class. It is kept by `hs_session_commit`.
///
/// `input` has `length` bytes, as many as `hs_pack_input` says. `label` is 1 to 64 bytes. `loss` is set to the loss before the step;
/// it may be null.
///
/// `HS_STATUS_LABEL`, `HS_STATUS_TOO_MANY_CLASSES`, `HS_STATUS_LENGTH`: nothing was learned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_learn(
    session: *mut FirmwareSession,
    input: *const i8,
    length: usize,
    label: *const c_char,
    loss: *mut f32,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (session, input, label) =
            unsafe { (only(session)?, array(input, length)?, text(label)?) };
        let before = session.session.learn(input, label)?;
        // SAFETY: as documented.
        unsafe { give(loss, before) };
        Ok(())
    })
}

/// Answers one sample.
///
/// `input` is as for `hs_session_learn`; `answer` is filled.
///
/// `HS_STATUS_NO_SAMPLES` while there is no class; `HS_STATUS_LENGTH`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_predict(
    session: *mut FirmwareSession,
    input: *const i8,
    length: usize,
    answer: *mut Answer,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (session, input) = unsafe { (only(session)?, array(input, length)?) };
        let said = session.session.predict(input)?;
        let (unknown, class_index) = (said.label.is_none(), said.class);
        let probability = said.probability;
        let label = name(session.session.labels().nth(class_index.into()).unwrap_or_default());
        // SAFETY: as documented.
        unsafe { give(answer, Answer { label, unknown, class_index, probability }) };
        Ok(())
    })
}

/// Gives the features that the last sample had, int8, `hs_pack_features` of them. They lie in the session's memory until the next call:
/// whoever wants to train on all samples again keeps a copy of each (`hs_session_rehearse`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_features(
    session: *const FirmwareSession,
    features: *mut *const i8,
    count: *mut usize,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let found = unsafe { shared(session) }?.session.last_features()?;
        // SAFETY: as documented.
        unsafe {
            give(features, found.as_ptr());
            give(count, found.len());
        }
        Ok(())
    })
}
