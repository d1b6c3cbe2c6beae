//! Training on the features of all samples that the caller has kept.

use headstart::head::sgd::Rehearsal;
use headstart::head::{Samples, ridge};

use super::FirmwareSession;
use crate::call::{array, call, give, only};
use crate::status::Status;

/// # Safety
/// As the functions below say of their pointers.
unsafe fn samples<'a>(
    session: &FirmwareSession,
    features: *const i8,
    classes: *const u16,
    count: usize,
) -> Result<Samples<'a>, Status> {
    let each = session.session.last_features()?.len();
    let length = count.checked_mul(each).ok_or(Status::Length)?;
    // SAFETY: the caller's promise.
    let (features, classes) = unsafe { (array(features, length)?, array(classes, count)?) };
    Ok(Samples::new(features, classes, each)?)
}

/// Trains the head on kept samples, by gradient steps from the head that is there, in the memory that the backbone works in otherwise.
///
/// `features` are `count` rows of `hs_pack_features` bytes, as `hs_session_features` gave them; `classes` are `count` numbers of
/// classes. `loss` is set to the mean loss of the last pass; it may be null.
///
/// `HS_STATUS_NO_SAMPLES`, `HS_STATUS_NO_CLASS`; `HS_STATUS_LENGTH` for more samples than that memory has room to order;
/// `HS_STATUS_DIVERGED`: close the session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_rehearse(
    session: *mut FirmwareSession,
    features: *const i8,
    classes: *const u16,
    count: usize,
    loss: *mut f32,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let session = unsafe { only(session) }?;
        // SAFETY: as documented.
        let samples = unsafe { samples(session, features, classes, count) }?;
        let last = session.session.rehearse(samples, Rehearsal::default(), |_, _| ())?;
        // SAFETY: as documented.
        unsafe { give(loss, last) };
        Ok(())
    })
}

/// Replaces the head by the least-squares one of kept samples (ridge), in the memory that the backbone works in otherwise. The samples
/// are as for `hs_session_rehearse`.
///
/// `HS_STATUS_NO_SAMPLES` and `HS_STATUS_LENGTH`, where they are too many for that memory: the head is what it was. After any other
/// failure close the session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_solve(
    session: *mut FirmwareSession,
    features: *const i8,
    classes: *const u16,
    count: usize,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let session = unsafe { only(session) }?;
        // SAFETY: as documented.
        let samples = unsafe { samples(session, features, classes, count) }?;
        Ok(session.session.solve(samples, ridge::PENALTY)?)
    })
}

/// Replaces the head by the class means of kept samples. The samples are as for `hs_session_rehearse`.
///
/// `HS_STATUS_NO_SAMPLES`, `HS_STATUS_NO_CLASS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_imprint(
    session: *mut FirmwareSession,
    features: *const i8,
    classes: *const u16,
    count: usize,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let session = unsafe { only(session) }?;
        // SAFETY: as documented.
        let samples = unsafe { samples(session, features, classes, count) }?;
        Ok(session.session.imprint(samples)?)
    })
}
