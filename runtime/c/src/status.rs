//! How a call ended.

use core::ffi::{CStr, c_char};

use headstart::Error;
use headstart::session::SessionError;
use headstart::store::StoreError;

use crate::flash::DriverError;

/// How a call ended. New reasons may come; what is 0 has worked.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was done.
    Ok = 0,
    /// The caller: a pointer is null, a text is not UTF-8, or a number is out of range.
    Argument = 1,
    /// The caller: memory or an input has another length than it must have.
    Length = 2,
    /// The caller: memory does not start at the multiple that it must.
    Misaligned = 3,
    /// The caller: the class's name is empty, longer than 64 bytes, or has control characters.
    Label = 4,
    /// The caller: the pack plans no memory for one class more.
    TooManyClasses = 5,
    /// The caller: there is nothing to learn from or to answer with yet.
    NoSamples = 6,
    /// The caller: a sample's class is none of the head's, or there is no class of that name.
    NoClass = 7,
    /// The pack: it is none, or was cut short, changed or damaged.
    Pack = 8,
    /// The pack, head or state: its format is newer than this library. Update the library.
    Newer = 9,
    /// The pack: it keeps a trainable tail, which a session does not run.
    Tail = 10,
    /// The pack: it is not signed, or not by a key that is trusted, for another family, or too old.
    Untrusted = 11,
    /// The head: it was learned on another backbone. Use that one's pack, or begin anew.
    OtherBackbone = 12,
    /// The head: its record breaks a rule of the format.
    Head = 13,
    /// Learning diverged, or a system of equations could not be solved. Open the session anew.
    Diverged = 14,
    /// The flash: the caller's function said that it failed.
    Flash = 15,
    /// The flash: its sizes are not supported, or the region does not fit them.
    Region = 16,
    /// The flash: what was committed can no longer be read.
    Damaged = 17,
    /// The flash: what was written does not read back. It is worn out or defective.
    Worn = 18,
    /// The flash: the record is longer than a slot holds. Use larger slots.
    TooLong = 19,
    /// A sample: a file or a picture is not what the pack takes.
    Sample = 20,
    /// The state folder: it holds something that is refused, or cannot take what would come.
    State = 21,
    /// The caller: this pack, state or library does not offer what was asked for.
    Request = 22,
    /// Training made no head of these samples.
    Training = 23,
    /// The machine: reading, writing or memory failed.
    Machine = 24,
    /// The machine: another process changes the state folder. Try again.
    Busy = 25,
    /// The progress function asked to stop. Nothing was changed.
    Stopped = 26,
    /// The library panicked, which is a defect of it. Close what the call worked on.
    Panic = 27,
}

/// Gives what a status means: English, static, never null.
#[unsafe(no_mangle)]
pub extern "C" fn hs_status_text(status: i32) -> *const c_char {
    text(status).as_ptr()
}

fn text(status: i32) -> &'static CStr {
    match status {
        0 => c"done",
        1 => c"a pointer is null, a text is not UTF-8, or a number is out of range",
        2 => c"memory or an input has another length than it must have",
        3 => c"memory does not start at the multiple that it must",
        4 => c"a class's name is empty, longer than 64 bytes, or has control characters",
        5 => c"the pack plans no memory for one class more",
        6 => c"there is nothing to learn from or to answer with yet",
        7 => c"there is no such class",
        8 => c"this is no pack, or it was cut short, changed or damaged",
        9 => c"the format is newer than this library: update the library",
        10 => c"the pack keeps a trainable tail, which a session does not run",
        11 => c"the pack is not one that is trusted here",
        12 => c"the head was learned on another backbone: use its pack, or begin anew",
        13 => c"the head's record breaks a rule of the format",
        14 => c"learning diverged: open the session anew",
        15 => c"the flash failed",
        16 => c"the sizes of the flash are not supported, or the region does not fit them",
        17 => c"what was committed can no longer be read",
        18 => c"what was written does not read back: the flash is worn out or defective",
        19 => c"the record is longer than a slot holds: use larger slots",
        20 => c"a sample is not what the pack takes",
        21 => c"the state folder holds something that is refused",
        22 => c"this pack, state or library does not offer what was asked for",
        23 => c"training made no head of these samples",
        24 => c"the machine failed",
        25 => c"another process changes the state folder: try again",
        26 => c"stopped before it was done, and nothing is changed",
        27 => c"the library panicked, which is a defect of it",
        _ => c"a reason that this library does not know",
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::BufferLength { .. } => Self::Length,
            Error::Misaligned { .. } => Self::Misaligned,
            Error::LabelInvalid { .. } => Self::Label,
            Error::TooManyClasses { .. } => Self::TooManyClasses,
            Error::NoSamples => Self::NoSamples,
            Error::ClassOutOfRange { .. } => Self::NoClass,
            Error::UnsupportedVersion { .. } => Self::Newer,
            Error::TailNotRunnable { .. } => Self::Tail,
            Error::Unsigned
            | Error::UnknownKey { .. }
            | Error::SignatureInvalid
            | Error::OtherFamily
            | Error::Downgrade { .. } => Self::Untrusted,
            Error::BackboneMismatch { .. } => Self::OtherBackbone,
            Error::NotAHead | Error::FieldInvalid { .. } => Self::Head,
            Error::NotFinite | Error::NotPositiveDefinite { .. } | Error::Inaccurate => {
                Self::Diverged
            }
            Error::SampleOutOfRange { .. } | Error::TooManySamples { .. } | Error::NotLearned => {
                Self::Argument
            }
            // What is left are rules that the bytes of a pack can break.
            _ => Self::Pack,
        }
    }
}

impl From<StoreError<DriverError>> for Status {
    fn from(error: StoreError<DriverError>) -> Self {
        match error {
            StoreError::Flash(_) => Self::Flash,
            StoreError::TooLong { .. } => Self::TooLong,
            StoreError::OtherBackbone { .. } => Self::OtherBackbone,
            StoreError::UnsupportedVersion { .. } => Self::Newer,
            StoreError::Damaged => Self::Damaged,
            StoreError::NotWritten | StoreError::Exhausted => Self::Worn,
            _ => Self::Region,
        }
    }
}

impl From<SessionError<StoreError<DriverError>>> for Status {
    fn from(error: SessionError<StoreError<DriverError>>) -> Self {
        match error {
            SessionError::Runtime(error) => error.into(),
            SessionError::Store(error) => error.into(),
        }
    }
}

#[cfg(all(test, feature = "device"))]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_text_of_its_own() {
        let texts: Vec<_> = (0..=28).map(text).collect();
        for (at, text) in texts.iter().enumerate() {
            assert_eq!(texts.iter().position(|other| other == text), Some(at), "{text:?}");
        }
        assert_eq!(Status::Panic as usize + 2, texts.len(), "and the last is for unknown ones");
    }
}
