//! What was learned, taken back or put right.

use std::ffi::c_char;

use super::OpenDevice;
use super::error::call;
use super::options::Told;
use super::reports::write;
use crate::call::{shared, text};
use crate::status::Status;

/// Removes everything that was learned, for good. A head that the pack ships stays in the pack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_forget_all(device: *const OpenDevice) -> Status {
    // SAFETY: as documented.
    call(|| Ok(unsafe { shared(device) }?.device.forget_all().map(drop)?))
}

/// Forgets a class: the state is then one that never saw it, and commits that did are removed. `json` is set to a report, which the
/// caller frees with `hs_text_free`; it may be null.
///
/// `HS_STATUS_NO_SAMPLES` while nothing was learned; `HS_STATUS_REQUEST` where there is no such class, or only one would be left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_forget_class(
    device: *const OpenDevice,
    label: *const c_char,
    json: *mut *mut c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (device, label) = unsafe { (shared(device)?, text(label)?) };
        let report = device.device.forget(&[label.to_owned()], &[])?;
        // SAFETY: as documented.
        unsafe { write(json, &report) }
    })
}

/// Forgets one sample: `sample` is its file, its id, or what its file was called. `json` is as for `hs_device_forget_class`.
///
/// `HS_STATUS_REQUEST` where there is no such sample.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_forget_sample(
    device: *const OpenDevice,
    sample: *const c_char,
    json: *mut *mut c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (device, sample) = unsafe { (shared(device)?, text(sample)?) };
        let id = device.device.named(sample.as_ref())?;
        let report = device.device.forget(&[], &[id])?;
        // SAFETY: as documented.
        unsafe { write(json, &report) }
    })
}

/// Gives a class another name; where that is a class already, both become one. `json` is as for `hs_device_forget_class`.
///
/// `HS_STATUS_REQUEST` where there is no such class, or the name is none that a class can have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_rename(
    device: *const OpenDevice,
    label: *const c_char,
    to: *const c_char,
    json: *mut *mut c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (device, label, to) = unsafe { (shared(device)?, text(label)?, text(to)?) };
        // SAFETY: as documented.
        unsafe { write(json, &device.device.rename(label, to)?) }
    })
}

/// Gives a sample another class, which may be a new one: the answer was wrong, and this is right. `sample` is as for
/// `hs_device_forget_sample`, `json` as for `hs_device_forget_class`.
///
/// `HS_STATUS_REQUEST` where there is no such sample.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_relabel(
    device: *const OpenDevice,
    sample: *const c_char,
    label: *const c_char,
    json: *mut *mut c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (device, sample, label) = unsafe { (shared(device)?, text(sample)?, text(label)?) };
        let id = device.device.named(sample.as_ref())?;
        // SAFETY: as documented.
        unsafe { write(json, &device.device.relabel(&[id], label)?) }
    })
}

/// Returns to an earlier commit: the one of this number, or with 0 the one before the current. It is a commit itself. `json` is as for
/// `hs_device_forget_class`.
///
/// `HS_STATUS_NO_SAMPLES` while nothing was learned; `HS_STATUS_STATE` where there is none to return to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_rollback(
    device: *const OpenDevice,
    commit: u32,
    json: *mut *mut c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let device = unsafe { shared(device) }?;
        let to = (commit > 0).then_some(commit);
        // SAFETY: as documented.
        unsafe { write(json, &device.device.rollback(to, &Told::default())?) }
    })
}
