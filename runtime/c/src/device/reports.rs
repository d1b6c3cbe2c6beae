//! Reports as JSON, in the words of the command line.

use std::ffi::{CString, c_char};

use headstart_device::Evaluation;
use serde::Serialize;

use super::error::{Failure, call};
use super::options::Told;
use super::{OpenDevice, Samples};
use crate::call::{give, shared};
use crate::status::Status;

/// Writes a report, where one is asked for.
///
/// # Safety
/// `to` is null, or there is room for a pointer.
pub(super) unsafe fn write(to: *mut *mut c_char, report: &impl Serialize) -> Result<(), Failure> {
    if to.is_null() {
        return Ok(());
    }
    let json = serde_json::to_vec(report).map_err(|_| Status::Machine)?;
    let json = CString::new(json).map_err(|_| Status::Machine)?;
    // SAFETY: the caller's promise.
    unsafe { give(to, json.into_raw()) };
    Ok(())
}

/// Frees a text that this library gave. Null is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_text_free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: a text of this library that is freed once.
        drop(unsafe { CString::from_raw(text) });
    }
}

/// Gives what was learned, and what answers: one JSON object, with the fields of `headstart-edge status --json`. The caller frees it with
/// `hs_text_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_status(
    device: *const OpenDevice,
    json: *mut *mut c_char,
) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { write(json, &shared(device)?.device.status()?) })
}

/// Gives the commits, oldest first: one JSON object, with the fields of `headstart-edge history --json`. The caller frees it with
/// `hs_text_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_history(
    device: *const OpenDevice,
    json: *mut *mut c_char,
) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { write(json, &shared(device)?.device.history()?) })
}

/// Measures the head in use on labelled samples. `accuracy` is set to the share that is answered rightly, 0 to 1 (of pixels, where the
/// pack answers a class for each place; not a number without any). `json` is set to the whole report, with the fields of
/// `headstart-edge eval --json`, which the caller frees with `hs_text_free`. Both may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_evaluate(
    device: *const OpenDevice,
    samples: *const Samples,
    accuracy: *mut f64,
    json: *mut *mut c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (device, samples) = unsafe { (shared(device)?, shared(samples)?) };
        let report = device.device.evaluate(&samples.samples, &Told::default())?;
        let share = match &report {
            Evaluation::Classes(report) => report.accuracy,
            Evaluation::Places(report) => report.pixel_accuracy.unwrap_or(f64::NAN),
        };
        // SAFETY: as documented.
        unsafe {
            write(json, &report)?;
            give(accuracy, share);
        }
        Ok(())
    })
}
