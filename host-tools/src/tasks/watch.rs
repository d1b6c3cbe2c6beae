//! Watches and stops long work.

use super::tried::Tried;

/// A watcher of work that takes long: a progress bar, a notebook. `()` watches nothing.
///
/// It is called from the threads that do the work.
pub trait Watch: Sync {
    /// Called when work of so many steps begins; what is being done is over then.
    fn begun(&self, work: &'static str, steps: usize) {
        let _ = (work, steps);
    }

    /// Called when so many steps of so many are done.
    fn done(&self, done: usize, steps: usize) {
        let _ = (done, steps);
    }

    /// Called when one more step is done.
    fn stepped(&self) {}

    /// Called when the work is over.
    fn ended(&self) {}

    /// Called when cuts were tried, before one of them is packed.
    fn tried(&self, tried: &Tried) {
        let _ = tried;
    }

    /// Whether the work is to end. It is asked between samples; the call then ends with
    /// [`Stopped`](headstart_device::Error::Stopped).
    fn is_stopped(&self) -> bool {
        false
    }
}

impl Watch for () {}

/// Refuses to go on where the watcher wants an end.
pub(super) fn go_on(watch: &dyn Watch) -> Result<(), crate::error::Error> {
    if watch.is_stopped() { Err(headstart_device::Error::Stopped.into()) } else { Ok(()) }
}
