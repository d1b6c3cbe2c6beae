//! The device itself: what its parts share.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use headstart::pack::Pack;

use super::current::Current;
use super::labelled::{Labelled, Most};
use super::mended::Mended;
use super::opened::{Answering, Memory, OpenPack};
use super::pack_file::PackFile;
use crate::extract::{Compute, Declined, Extraction};
use crate::request::RequestProblem;
use crate::samples::{InputShape, Sample, SampleId};
use crate::segmentation::is_per_place;
use crate::state::{StateFolder, StateLock};
use crate::{Error, Head};

/// A pack and what was learned with it.
///
/// Threads share it: answers go on, with the head that was committed last, while one of them learns. Processes share a state
/// folder: a change by another process shows in the next answer, and two changes at once are refused as
/// [`StateProblem::Busy`](crate::state::StateProblem::Busy).
///
/// ```no_run
/// use headstart_device::{Device, LearnOptions, Outcome, Sample};
///
/// # fn main() -> Result<(), headstart_device::Error> {
/// let device = Device::open("model.hspk", "mine")?;
/// let photos = device.read("photos".as_ref(), None)?;
/// if let Outcome::Rejected(report) = device.learn(&photos, &LearnOptions::default(), &())? {
///     println!("not learned: {}", report.rejected().unwrap_or_default());
/// }
/// let answer = device.predict(&Sample::rgb(2, 1, &[255, 0, 0, 0, 0, 255]))?;
/// println!("{}", answer.label().unwrap_or("unknown"));
/// # Ok(())
/// # }
/// ```
pub struct Device {
    pub(super) pack: Arc<OpenPack>,
    pub(super) state: Option<StateFolder>,
    pub(super) compute: Compute,
    /// Is told of a head that was put back.
    pub(super) on_mend: Option<fn(&Mended)>,
    /// The head that answered last.
    pub(super) head: Mutex<Current>,
    pub(super) answering: OnceLock<Answering>,
    /// Memory of answers that are done, for the next.
    pub(super) memory: Mutex<Vec<Memory>>,
    /// Changes by this process come one after another.
    pub(super) changing: Mutex<()>,
}

impl Device {
    /// The verified pack.
    #[must_use]
    pub fn pack(&self) -> Pack<'_> {
        self.pack.pack()
    }

    /// The pack's file.
    #[must_use]
    pub fn pack_file(&self) -> &PackFile {
        self.pack.file()
    }

    /// The folder of what was learned.
    #[must_use]
    pub fn state(&self) -> Option<&Path> {
        self.state.as_ref().map(StateFolder::path)
    }

    /// The shape of the model's input.
    #[must_use]
    pub fn input(&self) -> InputShape {
        self.pack().input().into()
    }

    /// Whether the pack answers a class for each place of a picture, and learns from masks.
    #[must_use]
    pub fn is_per_place(&self) -> bool {
        is_per_place(&self.pack())
    }

    /// Lists the samples of a folder as this pack learns from them: one folder a class, or `images/` with `masks/`. Files are not read.
    ///
    /// # Errors
    /// [`Error::Sample`] for a folder of another kind, one in a state folder, or one that holds this device's.
    pub fn read(&self, folder: &Path, most: Option<Most>) -> Result<Labelled<'static>, Error> {
        self.refuse_state(folder)?;
        if self.is_per_place() {
            Labelled::masks(folder, most)
        } else {
            Labelled::folder(folder, most)
        }
    }

    /// A sample's name, by which [`forget`](Self::forget) and [`samples`](Self::samples) know it.
    ///
    /// # Errors
    /// [`Error::Sample`] for a file that cannot be read.
    pub fn name(&self, sample: &Sample<'_>) -> Result<SampleId, Error> {
        Ok(sample.load(&self.input(), 0)?.id())
    }

    /// Why the engine that was asked for does not compute the features of answers, if it does not.
    #[must_use]
    pub fn declined(&self) -> Option<&Declined> {
        self.answering().extraction().declined()
    }

    pub(super) fn answering(&self) -> &Answering {
        self.answering.get_or_init(|| Answering::new(self.pack.clone(), self.compute))
    }

    /// The backbone for features that are kept.
    pub(super) fn kept_features(&self, compute: Compute) -> Extraction<'_> {
        compute.open_exact(self.pack())
    }

    /// The state folder of something that is kept there.
    pub(super) fn folder(&self) -> Result<&StateFolder, Error> {
        self.state
            .as_ref()
            .ok_or_else(|| Error::request(self.pack.file().path(), RequestProblem::NoState))
    }

    pub(super) fn refuse(&self, problem: RequestProblem) -> Error {
        let path = self.state().unwrap_or(self.pack.file().path());
        Error::request(path, problem)
    }

    /// Waits until no other thread changes the state.
    pub(super) fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The head that the pack ships.
    pub(super) fn pack_head(&self) -> Result<Option<Head>, Error> {
        let pack = self.pack();
        let parse = |bytes| Head::parse_for(self.pack.file().path(), bytes, &pack);
        pack.head().map(parse).transpose()
    }

    /// Stores the pack's security counter, so that no older pack is used from then on: verified, then stored, then used.
    pub(super) fn raise_counter(&self, lock: &StateLock) -> Result<(), Error> {
        self.pack.file().unchanged()?;
        self.pack.file().raise_counter(self.pack.counter(), lock)
    }

    /// Stores the pack's security counter where the pack is going to answer.
    pub(super) fn keep_counter(&self) -> Result<(), Error> {
        self.pack.file().unchanged()?;
        let Some(folder) = self.state.as_ref().filter(|_| self.pack.file().is_trusting()) else {
            return Ok(());
        };
        if self.pack.counter() == folder.counter()? {
            return Ok(());
        }
        folder.lock().and_then(|lock| self.raise_counter(&lock)).map_err(|error| match error {
            Error::Machine { path, reason, .. } => {
                let action =
                    "storing the pack's security counter, without which the pack is not used,";
                Error::Machine { path, action, reason }
            }
            error => error,
        })
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = f.debug_struct("Device");
        text.field("pack", &self.pack.file().path()).field("state", &self.state());
        text.field("compute", &self.compute).finish_non_exhaustive()
    }
}
