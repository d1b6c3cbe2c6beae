//! Pictures that wait to be learned, and the thread that learns them.

mod progress;
mod teacher;
mod waiting;

pub(crate) use teacher::Teacher;
pub(crate) use waiting::{Listing, Refused};
