//! Opening, committing and closing.

use core::ffi::c_void;
use core::mem::MaybeUninit;

use headstart::session::Session;
use headstart::store::FlashStore;

use crate::call::{Handle, call, give, only, shared, unmark};
use crate::flash::{CallersStore, Flash};
use crate::pack::FirmwarePack;
use crate::status::Status;

/// A session. It lives in the caller's memory. One thread uses it at a time.
#[repr(C, align(8))]
pub struct FirmwareSession {
    mark: u32,
    pub(super) session: Session<'static, 'static, CallersStore>,
}

impl Handle for FirmwareSession {
    const MARK: u32 = u32::from_be_bytes(*b"hsse");
}

/// Opens a session: with the head that was committed last, or else the one that the pack ships, or else without a class.
///
/// `pack` stays open, and `memory` is the session's, until `hs_session_close`. `memory` has `hs_pack_session_bytes`, or more, and starts
/// at a multiple of 8. `flash` is copied. `session` is set to a handle inside `memory`.
///
/// `HS_STATUS_LENGTH` and `HS_STATUS_MISALIGNED` for `memory`; `HS_STATUS_TAIL`; `HS_STATUS_REGION`; `HS_STATUS_OTHER_BACKBONE`,
/// `HS_STATUS_NEWER`, `HS_STATUS_DAMAGED` and `HS_STATUS_FLASH` for what the flash holds; `HS_STATUS_HEAD`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_open(
    pack: *const FirmwarePack,
    flash: *const Flash,
    memory: *mut c_void,
    memory_bytes: usize,
    session: *mut *mut FirmwareSession,
) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { open(pack, flash, memory, memory_bytes, session, FlashStore::open) })
}

/// Erases every slot of the region, whatever is there, and opens a session as `hs_session_open` does: for a new device, and for one whose
/// owner wants everything that was learned to be gone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_format(
    pack: *const FirmwarePack,
    flash: *const Flash,
    memory: *mut c_void,
    memory_bytes: usize,
    session: *mut *mut FirmwareSession,
) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { open(pack, flash, memory, memory_bytes, session, FlashStore::format) })
}

type Opened = Result<CallersStore, headstart::store::StoreError<crate::flash::DriverError>>;

unsafe fn open(
    pack: *const FirmwarePack,
    flash: *const Flash,
    memory: *mut c_void,
    memory_bytes: usize,
    session: *mut *mut FirmwareSession,
    store: impl FnOnce(Flash, headstart::store::Region, &[u8; 32]) -> Opened,
) -> Result<(), Status> {
    let place: *mut MaybeUninit<FirmwareSession> = memory.cast();
    // SAFETY: the pack lives as long as the session; the flash is one, where it is not null.
    let (pack, flash) =
        unsafe { (shared::<FirmwarePack>(pack)?, *flash.as_ref().ok_or(Status::Argument)?) };
    if place.is_null() || session.is_null() {
        return Err(Status::Argument);
    }
    if !place.is_aligned() {
        return Err(Status::Misaligned);
    }
    let expected = pack.session_bytes().ok_or(Status::Length)?;
    if memory_bytes < expected {
        return Err(Status::Length);
    }
    let planned = expected - size_of::<FirmwareSession>();
    // SAFETY: there are so many bytes, which are the session's; nothing was written to them yet, so that they become numbers here. A
    // session that was there is none from now on.
    let ram = unsafe {
        unmark(place.cast::<FirmwareSession>());
        let ram = memory.cast::<u8>().add(size_of::<FirmwareSession>());
        ram.write_bytes(0, planned);
        core::slice::from_raw_parts_mut(ram, planned)
    };
    let store = store(flash, flash.region(), &pack.pack.backbone_digest())?;
    let opened = Session::open(&pack.pack, ram, store)?;
    // SAFETY: there is room in front of what the session works in.
    let place = unsafe { &mut *place };
    // SAFETY: as documented.
    unsafe {
        give(session, place.write(FirmwareSession { mark: FirmwareSession::MARK, session: opened }))
    };
    Ok(())
}

/// Keeps the head: it is durable when this returns, and the one before is there until then.
///
/// `HS_STATUS_NO_SAMPLES` while there is no class; `HS_STATUS_DIVERGED`; `HS_STATUS_TOO_LONG`; `HS_STATUS_FLASH` and `HS_STATUS_WORN`:
/// the head that was committed before is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_commit(session: *mut FirmwareSession) -> Status {
    // SAFETY: as documented.
    call(|| Ok(unsafe { only(session) }?.session.commit()?))
}

/// Returns to the head that was committed last, as `hs_session_open` does. What was not committed is gone.
///
/// As `hs_session_open`; after a failure there is no class.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_revert(session: *mut FirmwareSession) -> Status {
    // SAFETY: as documented.
    call(|| Ok(unsafe { only(session) }?.session.revert()?))
}

/// Gives the record of the head that was committed last: what every other door reads as its own. It lies in the session's memory until
/// the next call. `length` is 0 where nothing was committed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_committed(
    session: *mut FirmwareSession,
    record: *mut *const u8,
    length: *mut usize,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let found = unsafe { only(session) }?.session.committed()?.unwrap_or_default();
        // SAFETY: as documented.
        unsafe {
            give(record, found.as_ptr());
            give(length, found.len());
        }
        Ok(())
    })
}

/// Closes a session: its memory is the caller's again. What was not committed is lost. Null, and a session that is closed, are nothing to
/// close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_session_close(session: *mut FirmwareSession) {
    // SAFETY: an open session, which nothing uses from now on.
    unsafe {
        if only(session).is_ok() {
            session.drop_in_place();
            unmark(session);
        }
    }
}
