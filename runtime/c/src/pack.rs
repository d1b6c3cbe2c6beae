//! Packs where they lie, in flash or in memory.

use core::mem::MaybeUninit;

use headstart::pack::Pack;
use headstart::preprocess::{self, Picture};

use crate::answer::Input;
use crate::call::{Handle, array, call, can_be, give, shared};
use crate::session::FirmwareSession;
use crate::status::Status;

/// Bytes of memory that an open pack takes, beside the pack itself.
pub const HS_PACK_BYTES: usize = 512;

/// A verified pack. It lives in the caller's memory and needs no closing.
#[repr(C, align(8))]
pub struct FirmwarePack {
    mark: u32,
    pub(crate) pack: Pack<'static>,
}

impl Handle for FirmwarePack {
    const MARK: u32 = u32::from_be_bytes(*b"hspk");
}

const _: () = assert!(size_of::<FirmwarePack>() <= HS_PACK_BYTES);

impl FirmwarePack {
    /// Bytes of a session: its handle and what the pack plans.
    pub(crate) fn session_bytes(&self) -> Option<usize> {
        let planned = usize::try_from(self.pack.plan().ram_bytes()).ok()?;
        planned.checked_add(size_of::<FirmwareSession>())
    }
}

/// Gives the length in bytes of the pack that begins at `start`, of which the first 24 bytes at least are there: for a pack that was
/// flashed with room behind it. 0 where no pack begins.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_pack_length(start: *const u8, length: usize) -> usize {
    // SAFETY: as documented.
    let start = unsafe { array(start, length) }.unwrap_or_default();
    Pack::length(start).unwrap_or(0)
}

/// Verifies a pack and opens it where it lies: nothing of it is copied.
///
/// `bytes` are exactly the pack, and stay as they are while the pack is used. `memory` is `HS_PACK_BYTES`, starts at a multiple of 8,
/// and belongs to the pack from then on. `pack` is set to a handle inside it.
///
/// `HS_STATUS_PACK`, `HS_STATUS_NEWER`, `HS_STATUS_LENGTH` and `HS_STATUS_MISALIGNED` for `memory`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_pack_open(
    bytes: *const u8,
    length: usize,
    memory: *mut core::ffi::c_void,
    memory_bytes: usize,
    pack: *mut *mut FirmwarePack,
) -> Status {
    call(|| {
        let place: *mut MaybeUninit<FirmwarePack> = memory.cast();
        if place.is_null() || pack.is_null() {
            return Err(Status::Argument);
        }
        if memory_bytes < size_of::<FirmwarePack>() {
            return Err(Status::Length);
        }
        if !place.is_aligned() {
            return Err(Status::Misaligned);
        }
        // SAFETY: as documented.
        let bytes = unsafe { array(bytes, length) }?;
        let opened = Pack::open(bytes)?;
        // SAFETY: there is room, which is the pack's from now on.
        let place = unsafe { &mut *place };
        // SAFETY: as documented.
        unsafe { give(pack, place.write(FirmwarePack { mark: FirmwarePack::MARK, pack: opened })) };
        Ok(())
    })
}

/// Gives the bytes of memory that `hs_session_open` takes for this pack; 0 without a pack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_pack_session_bytes(pack: *const FirmwarePack) -> usize {
    // SAFETY: as documented.
    unsafe { shared(pack) }.ok().and_then(FirmwarePack::session_bytes).unwrap_or(0)
}

/// Gives the bytes of the longest head that a session of this pack commits; 0 without a pack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_pack_record_bytes(pack: *const FirmwarePack) -> u32 {
    // SAFETY: as documented.
    unsafe { shared(pack) }.map_or(0, |pack: &FirmwarePack| pack.pack.plan().record_bytes())
}

/// Gives the most classes that a head of this pack may have; 0 without a pack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_pack_max_classes(pack: *const FirmwarePack) -> u32 {
    // SAFETY: as documented.
    unsafe { shared(pack) }.map_or(0, |pack: &FirmwarePack| pack.pack.plan().max_classes)
}

/// Gives the features of a sample, in bytes; 0 without a pack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_pack_features(pack: *const FirmwarePack) -> usize {
    // SAFETY: as documented.
    unsafe { shared(pack) }.map_or(0, |pack: &FirmwarePack| pack.pack.feature_len())
}

/// Gives the shape of the input. An input is `height * width * channels` bytes, int8, `[height][width][channels]`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_pack_input(pack: *const FirmwarePack, input: *mut Input) -> Status {
    call(|| {
        // SAFETY: as documented.
        let taken = unsafe { shared(pack) }?.pack.input();
        let (height, width) = (taken.height, taken.width);
        let (channels, channels_first) = (taken.channels, taken.channels_first);
        // SAFETY: as documented.
        unsafe { give(input, Input { height, width, channels, channels_first }) };
        Ok(())
    })
}

/// Makes an input of a picture: resized, normalised and quantised as on every other machine.
///
/// `pixels` are `height` rows of `width` pixels of `channels` bytes, 1 (grey) or 3 (red, green, blue), without padding. `input` has
/// `input_bytes`, as many as `hs_pack_input` says, and is filled.
///
/// `HS_STATUS_LENGTH` for another length of `input`, or a picture without pixels; then `input` holds anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_pack_picture(
    pack: *const FirmwarePack,
    pixels: *const u8,
    width: usize,
    height: usize,
    channels: usize,
    input: *mut i8,
    input_bytes: usize,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let pack = unsafe { shared(pack) }?;
        let bytes = width.checked_mul(height).and_then(|count| count.checked_mul(channels));
        let bytes = bytes.filter(|&bytes| bytes > 0).ok_or(Status::Length)?;
        // SAFETY: as documented.
        let pixels = unsafe { array(pixels, bytes) }?;
        // SAFETY: as documented.
        let input = unsafe { room(input, input_bytes) }?;
        let picture = Picture { pixels, width, height, channels };
        Ok(preprocess::picture(&pack.pack, picture, input)?)
    })
}

/// Makes an input of the model's own values, float32 in the model's own order: what a front end of the caller's makes.
///
/// `input` has `input_bytes`, as many as `hs_pack_input` says, and is filled; `count` is the same number.
///
/// `HS_STATUS_LENGTH` for other lengths; then `input` holds anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_pack_values(
    pack: *const FirmwarePack,
    values: *const f32,
    count: usize,
    input: *mut i8,
    input_bytes: usize,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let pack = unsafe { shared(pack) }?;
        // SAFETY: as documented.
        let values = unsafe { array(values, count) }?;
        // SAFETY: as documented.
        let input = unsafe { room(input, input_bytes) }?;
        Ok(preprocess::values(&pack.pack, values.iter().copied(), input)?)
    })
}

/// Memory of the caller's, to be filled.
///
/// # Safety
/// It is null, or has so many bytes, which nothing else uses for `'a`.
unsafe fn room<'a>(start: *mut i8, length: usize) -> Result<&'a mut [i8], Status> {
    if start.is_null() {
        return Err(Status::Argument);
    }
    if !can_be(length, 1) {
        return Err(Status::Length);
    }
    // SAFETY: the caller's promise; bytes that nothing was written to yet are numbers then.
    unsafe {
        start.write_bytes(0, length);
        Ok(core::slice::from_raw_parts_mut(start, length))
    }
}
