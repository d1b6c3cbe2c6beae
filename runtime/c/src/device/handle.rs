//! Opening and closing.

use std::ffi::c_char;

use headstart_device::Device;

use super::error::call;
use crate::answer::Input;
use crate::call::{Handle, free, give, made, shared, text};
use crate::status::Status;

/// A pack and what was learned with it. Threads share it: answers go on, with the head that was committed last, while one of them
/// learns.
#[repr(C, align(8))]
pub struct OpenDevice {
    mark: u32,
    pub(super) device: Device,
}

impl Handle for OpenDevice {
    const MARK: u32 = u32::from_be_bytes(*b"hsde");
}

/// Opens a pack with the folder of what was learned, which need not exist yet.
///
/// `state` may be null: then the pack's own head answers, and nothing can be learned. `threads` compute at most, 0 for one a core;
/// results are the same for any number. `device` is set to a handle, which the caller closes with `hs_device_close`.
///
/// `HS_STATUS_SAMPLE` for a file that cannot be read, `HS_STATUS_PACK` for one that is no pack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_open(
    pack: *const c_char,
    state: *const c_char,
    threads: usize,
    device: *mut *mut OpenDevice,
) -> Status {
    call(|| {
        let mut options = Device::options();
        if !state.is_null() {
            // SAFETY: as documented.
            options = options.state(unsafe { text(state) }?);
        }
        if threads > 0 {
            options = options.threads(threads);
        }
        // SAFETY: as documented.
        let opened = options.open(unsafe { text(pack) }?)?;
        // SAFETY: as documented.
        Ok(unsafe { made(device, OpenDevice { mark: OpenDevice::MARK, device: opened }) }?)
    })
}

/// Closes a device, which no other thread uses any more. Null is nothing to close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_close(device: *mut OpenDevice) {
    // SAFETY: as documented.
    unsafe { free(device) };
}

/// Gives the shape of the model's input.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_input(device: *const OpenDevice, input: *mut Input) -> Status {
    call(|| {
        // SAFETY: as documented.
        let device = &unsafe { shared(device) }?.device;
        let pack = device.pack();
        let taken = pack.input();
        let (height, width) = (taken.height, taken.width);
        let (channels, channels_first) = (taken.channels, taken.channels_first);
        // SAFETY: as documented.
        unsafe { give(input, Input { height, width, channels, channels_first }) };
        Ok(())
    })
}
