//! The last failure of a thread, in words.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use headstart_device::Error;
use headstart_device::state::StateProblem;

use crate::status::{Status, hs_status_text};

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Gives the last failure of a `hs_device_*`, `hs_samples_*` or `hs_options_*` call in this thread in words, with the file that it is
/// about and what to do. Empty before the first; valid until the next call of this thread that fails.
#[unsafe(no_mangle)]
pub extern "C" fn hs_last_error() -> *const c_char {
    // Not while the thread ends, when its texts are gone.
    LAST.try_with(|last| last.try_borrow().map_or(c"".as_ptr(), |last| last.as_ptr()))
        .unwrap_or(c"".as_ptr())
}

fn remember(message: Vec<u8>) {
    let message = message.into_iter().filter(|&byte| byte != 0).collect::<Vec<_>>();
    let message = CString::new(message).unwrap_or_default();
    // What fails while the thread ends has nobody to read it.
    let _ = LAST.try_with(|last| last.replace(message));
}

/// Why a call failed: a status, or the device's own error.
pub(super) enum Failure {
    Status(Status),
    Device(Error),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Device(error)
    }
}

/// Does the work of a call, remembers what failed, and gives how it ended. A panic ends here.
pub(super) fn call(work: impl FnOnce() -> Result<(), Failure>) -> Status {
    let failed = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return Status::Ok,
        Ok(Err(failure)) => failure,
        Err(_) => Status::Panic.into(),
    };
    match failed {
        Failure::Status(status) => {
            // SAFETY: a static text.
            let text = unsafe { std::ffi::CStr::from_ptr(hs_status_text(status as i32)) };
            remember(text.to_bytes().to_vec());
            status
        }
        Failure::Device(error) => {
            remember(error.to_string().into_bytes());
            status(&error)
        }
    }
}

fn status(error: &Error) -> Status {
    match error {
        Error::Sample { .. } => Status::Sample,
        Error::Samples(errors) => match &errors[..] {
            [error] => status(error),
            _ => Status::Sample,
        },
        Error::Pack { problem, .. } => Status::from(*problem),
        Error::State { problem: StateProblem::Busy, .. } => Status::Busy,
        Error::State { problem: StateProblem::NoHead, .. } => Status::NoSamples,
        Error::State { problem: StateProblem::OtherPack { .. }, .. } => Status::OtherBackbone,
        Error::State { .. } => Status::State,
        Error::Request { .. } => Status::Request,
        Error::Training { .. } => Status::Training,
        Error::Stopped => Status::Stopped,
        _ => Status::Machine,
    }
}
