//! What is chosen when a device is opened.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use headstart::kernels::Kernels;

use super::current::Current;
use super::handle::Device;
use super::mended::Mended;
use super::opened::OpenPack;
use super::pack_file::PackFile;
use super::trust::Trust;
use crate::Error;
use crate::engine::Backend;
use crate::extract::Compute;
use crate::request::RequestProblem;
use crate::state::StateFolder;

impl Device {
    /// Opens a pack with the folder of what was learned, which need not exist yet. Any pack is used; the kernels run on
    /// all cores.
    ///
    /// # Errors
    /// [`Error::Sample`] and [`Error::Pack`] for a file that is no pack. The state is read when it is needed.
    pub fn open(pack: impl AsRef<Path>, state: impl AsRef<Path>) -> Result<Self, Error> {
        Self::options().state(state).open(pack)
    }

    /// The default options of a device that is to be opened.
    #[must_use]
    pub fn options() -> DeviceOptions {
        DeviceOptions::default()
    }
}

/// Options of a device that is to be opened; made by [`Device::options`].
#[derive(Clone, Debug, Default)]
pub struct DeviceOptions {
    state: Option<PathBuf>,
    trust: Option<Trust>,
    compute: Compute,
    on_mend: Option<fn(&Mended)>,
}

impl DeviceOptions {
    /// Sets the folder of what was learned; without it the pack's own head answers, and nothing can be learned.
    #[must_use]
    pub fn state(self, folder: impl AsRef<Path>) -> Self {
        Self { state: Some(folder.as_ref().to_owned()), ..self }
    }

    /// Restricts the device to packs that one of these Ed25519 public keys has signed for this family of devices, and none that is older
    /// than one that was used before. The counter that tells is kept in the state folder, so there must be one.
    #[cfg(feature = "signature")]
    #[must_use]
    pub fn trust(self, keys: &[[u8; 32]], family: &str) -> Self {
        Self { trust: Some(Trust { keys: keys.to_vec(), family: family.to_owned() }), ..self }
    }

    /// Sets how many threads share samples, or one sample where there are fewer; results are the same for any number.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.compute.threads = threads.max(1);
        self
    }

    /// Sets which of the CPU's instructions are used; results are the same for all.
    #[must_use]
    pub fn kernels(mut self, kernels: Kernels) -> Self {
        self.compute.kernels = kernels;
        self
    }

    /// Sets an engine that runs the backbone instead of the kernels and, unless a learner is named, trains the head.
    #[must_use]
    pub fn engine(mut self, engine: Backend) -> Self {
        self.compute.engine = Some(engine);
        self
    }

    /// Sets a function that is told of a head which was damaged and put back by itself, when that happens.
    #[must_use]
    pub fn on_mend(mut self, tell: fn(&Mended)) -> Self {
        self.on_mend = Some(tell);
        self
    }

    /// Maps the pack, verifies it, and gives the device.
    ///
    /// # Errors
    /// [`Error::Sample`] and [`Error::Pack`] for a file that is no pack, or none that is trusted;
    /// [`RequestProblem::StateNeeded`]; [`Error::State`] for a damaged security counter.
    pub fn open(self, pack: impl AsRef<Path>) -> Result<Device, Error> {
        let Self { state, trust, compute, on_mend } = self;
        let path = pack.as_ref();
        let state = state.map(|path| StateFolder::new(&path));
        if trust.is_some() && state.is_none() {
            return Err(Error::request(path, RequestProblem::StateNeeded));
        }
        let pack = OpenPack::new(PackFile::open_trusted(path, trust, state.as_ref())?)?;
        Ok(Device {
            pack: Arc::new(pack),
            head: Mutex::new(Current::new(state.as_ref())),
            state,
            compute,
            on_mend,
            answering: OnceLock::new(),
            memory: Mutex::new(Vec::new()),
            changing: Mutex::new(()),
        })
    }
}
