//! Answers.

use std::ffi::c_char;

use headstart_device::{Prediction, Sample};

use super::OpenDevice;
use super::error::{Failure, call};
use super::samples::{of_file, picture, pixels_of};
use crate::answer::{Answer, name};
use crate::call::{array, give, shared};
use crate::status::Status;

/// Answers a file: a JPEG, PNG, WebP or BMP picture, or a `.npy` array. `answer` is filled.
///
/// `HS_STATUS_NO_SAMPLES` while nothing was learned and the pack ships no head; `HS_STATUS_SAMPLE` for a file that cannot be read, or an
/// array of another shape.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_predict_file(
    device: *const OpenDevice,
    path: *const c_char,
    answer: *mut Answer,
) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { predict(device, of_file(path)?, answer) })
}

/// Answers a picture: `height` rows of `width` pixels of `channels` bytes, 1 (grey) or 3 (red, green, blue), without padding. They are
/// not copied. `answer` is filled.
///
/// As `hs_device_predict_file`; `HS_STATUS_LENGTH` for a picture without pixels, `HS_STATUS_ARGUMENT` for other channels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_predict_pixels(
    device: *const OpenDevice,
    pixels: *const u8,
    width: usize,
    height: usize,
    channels: usize,
    answer: *mut Answer,
) -> Status {
    let shape = [width, height, channels];
    // SAFETY: as documented.
    call(|| unsafe { predict(device, picture(pixels_of(pixels, shape)?, shape), answer) })
}

/// Answers the model's own input values, float32 in the model's own order; `count` is their number. They are not copied. `answer` is
/// filled.
///
/// As `hs_device_predict_file`; `HS_STATUS_SAMPLE` for another number of values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_predict_values(
    device: *const OpenDevice,
    values: *const f32,
    count: usize,
    answer: *mut Answer,
) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { predict(device, Sample::values(array(values, count)?), answer) })
}

/// Answers a picture with a class for each of its pixels, for a pack that does that. The picture is as for `hs_device_predict_pixels`;
/// `mask` has `width * height` bytes and is filled with numbers of classes, 255 where there is no answer.
///
/// `HS_STATUS_REQUEST` for a pack that answers one class a picture.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_mask_pixels(
    device: *const OpenDevice,
    pixels: *const u8,
    width: usize,
    height: usize,
    channels: usize,
    mask: *mut u8,
) -> Status {
    call(|| {
        let shape = [width, height, channels];
        // SAFETY: as documented.
        let (device, pixels) = unsafe { (shared(device)?, pixels_of(pixels, shape)?) };
        let said = device.device.predict(&picture(pixels, shape))?;
        let classes = said.mask().ok_or(Status::Request)?.classes();
        if mask.is_null() {
            return Err(Status::Argument.into());
        }
        if classes.len() != width * height {
            return Err(Status::Length.into());
        }
        // SAFETY: as documented.
        unsafe { mask.copy_from_nonoverlapping(classes.as_ptr(), classes.len()) };
        Ok(())
    })
}

unsafe fn predict(
    device: *const OpenDevice,
    sample: Sample<'_>,
    answer: *mut Answer,
) -> Result<(), Failure> {
    // SAFETY: as documented where it is called.
    let said = unsafe { shared(device) }?.device.predict(&sample)?;
    // SAFETY: as documented where it is called.
    unsafe { give(answer, said_in_c(&said)) };
    Ok(())
}

fn said_in_c(said: &Prediction) -> Answer {
    let best = said.best().unwrap_or_default();
    let place = said.classes().iter().position(|class| class == best);
    Answer {
        label: name(best),
        unknown: said.is_unknown(),
        class_index: place.and_then(|place| u16::try_from(place).ok()).unwrap_or(0),
        probability: said.probability().unwrap_or(0.0),
    }
}
