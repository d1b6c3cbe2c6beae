//! Lists of labelled samples.

use std::borrow::Cow;
use std::ffi::c_char;
use std::path::PathBuf;

use headstart_device::{Labelled, Sample};

use super::OpenDevice;
use super::error::{Failure, call};
use crate::call::{Handle, array, free, made, only, shared, text};
use crate::status::Status;

/// A list of samples with what each of them shows. One thread uses it at a time.
#[repr(C, align(8))]
pub struct Samples {
    mark: u32,
    pub(super) samples: Labelled<'static>,
}

impl Handle for Samples {
    const MARK: u32 = u32::from_be_bytes(*b"hssa");
}

/// A sample of a file.
///
/// # Safety
/// That of [`text`].
pub(super) unsafe fn of_file(path: *const c_char) -> Result<Sample<'static>, Failure> {
    // SAFETY: the caller's promise.
    Ok(Sample::file(PathBuf::from(unsafe { text(path) }?)))
}

/// The pixels of a picture.
///
/// # Safety
/// That of [`array`].
pub(super) unsafe fn pixels_of<'a>(
    pixels: *const u8,
    [width, height, channels]: [usize; 3],
) -> Result<&'a [u8], Failure> {
    if !matches!(channels, 1 | 3) {
        return Err(Status::Argument.into());
    }
    let bytes = width.checked_mul(height).and_then(|count| count.checked_mul(channels));
    let bytes = bytes.filter(|&bytes| bytes > 0).ok_or(Status::Length)?;
    // SAFETY: the caller's promise.
    Ok(unsafe { array(pixels, bytes) }?)
}

/// The picture of pixels that were checked.
pub(super) fn picture<'a>(
    pixels: impl Into<Cow<'a, [u8]>>,
    [width, height, channels]: [usize; 3],
) -> Sample<'a> {
    if channels == 1 {
        Sample::grey(width, height, pixels)
    } else {
        Sample::rgb(width, height, pixels)
    }
}

/// Makes an empty list, which the caller frees with `hs_samples_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_samples_new(samples: *mut *mut Samples) -> Status {
    call(|| {
        let none = Samples { mark: Samples::MARK, samples: Labelled::new() };
        // SAFETY: as documented.
        Ok(unsafe { made(samples, none) }?)
    })
}

/// Lists the samples of a folder as this pack learns from them: one folder a class, or `images/` with `masks/`. Files are read when they
/// are learned. The caller frees the list with `hs_samples_free`.
///
/// `HS_STATUS_SAMPLE` for a folder of another kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_samples_folder(
    device: *const OpenDevice,
    folder: *const c_char,
    samples: *mut *mut Samples,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (device, folder) = unsafe { (shared(device)?, text(folder)?) };
        let listed = device.device.read(folder.as_ref(), None)?;
        // SAFETY: as documented.
        Ok(unsafe { made(samples, Samples { mark: Samples::MARK, samples: listed }) }?)
    })
}

/// Adds a file: a JPEG, PNG, WebP or BMP picture, or a `.npy` array. It is read when it is learned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_samples_add_file(
    samples: *mut Samples,
    path: *const c_char,
    label: *const c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (samples, sample, label) = unsafe { (only(samples)?, of_file(path)?, text(label)?) };
        samples.samples.add(sample, label);
        Ok(())
    })
}

/// Adds a picture: `height` rows of `width` pixels of `channels` bytes, 1 (grey) or 3 (red, green, blue), without padding. The pixels
/// are copied.
///
/// `HS_STATUS_LENGTH` for a picture without pixels, `HS_STATUS_ARGUMENT` for other channels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_samples_add_pixels(
    samples: *mut Samples,
    pixels: *const u8,
    width: usize,
    height: usize,
    channels: usize,
    label: *const c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (samples, label) = unsafe { (only(samples)?, text(label)?) };
        let shape = [width, height, channels];
        // SAFETY: as documented.
        let pixels = unsafe { pixels_of(pixels, shape) }?;
        samples.samples.add(picture(pixels.to_vec(), shape), label);
        Ok(())
    })
}

/// Adds the model's own input values, float32 in the model's own order; `count` is their number. They are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_samples_add_values(
    samples: *mut Samples,
    values: *const f32,
    count: usize,
    label: *const c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (samples, values, label) =
            unsafe { (only(samples)?, array(values, count)?, text(label)?) };
        samples.samples.add(Sample::values(values.to_vec()), label);
        Ok(())
    })
}

/// Gives how many samples there are; 0 without a list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_samples_count(samples: *const Samples) -> usize {
    // SAFETY: as documented.
    unsafe { shared(samples) }.map_or(0, |samples: &Samples| samples.samples.len())
}

/// Frees a list. Null is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_samples_free(samples: *mut Samples) {
    // SAFETY: as documented.
    unsafe { free(samples) };
}
