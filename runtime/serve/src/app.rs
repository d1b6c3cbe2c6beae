//! What all calls share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use headstart_device::state::StateFolder;
use headstart_device::{Device, Error};
use tokio::sync::Semaphore;

use crate::camera::State;
use crate::events::Events;
use crate::lane::Lane;
use crate::options::{Limits, Options};
use crate::refusal::Refusal;
use crate::teach::Teacher;
use crate::who::Guard;

/// So many bytes of bodies are being read at once.
const UNFINISHED: usize = 12 << 20;
/// So many states are being received at once.
const STATES: usize = 2;

/// Opens a device on a state folder, with the pack that is served.
pub(crate) type Open = Box<dyn Fn(&std::path::Path) -> Result<Device, Error> + Send + Sync>;

/// What all calls share.
pub(crate) struct App {
    pub(crate) device: Device,
    pub(crate) open: Open,
    pub(crate) state: PathBuf,
    pub(crate) options: Options,
    pub(crate) limits: Limits,
    pub(crate) guard: Guard,
    pub(crate) teacher: Teacher,
    pub(crate) events: Events,
    pub(crate) camera: Mutex<Camera>,
    /// Answers, looks at what was learned, changes of it, and whole states: one of each kind at a time.
    pub(crate) answers: Lane,
    pub(crate) looks: Lane,
    pub(crate) changes: Lane,
    pub(crate) states: Lane,
    /// Bytes of bodies that are being read.
    pub(crate) unfinished: Arc<Semaphore>,
    /// States that are being received.
    pub(crate) coming: Arc<Semaphore>,
}

/// What the device's camera shows.
#[derive(Debug)]
pub(crate) struct Camera {
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    /// The frame that was answered last.
    pub(crate) frame: Arc<[u8]>,
}

impl App {
    pub(crate) fn new(
        device: Device,
        open: Open,
        state: PathBuf,
        options: Options,
        guard: Guard,
    ) -> Self {
        let limits = options.limits();
        let camera = Camera {
            state: State::Broken,
            reason: Some("not opened yet".to_owned()),
            frame: Arc::from([]),
        };
        Self {
            events: Events::new(StateFolder::new(&state).head_path()),
            teacher: Teacher::new(limits, options.keep_samples),
            camera: Mutex::new(camera),
            answers: Lane::new(4),
            looks: Lane::new(16),
            changes: Lane::new(8),
            states: Lane::new(2),
            unfinished: Arc::new(Semaphore::new(UNFINISHED)),
            coming: Arc::new(Semaphore::new(STATES)),
            device,
            open,
            state,
            options,
            limits,
            guard,
        }
    }

    pub(crate) fn camera(&self) -> MutexGuard<'_, Camera> {
        self.camera.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Whether nothing was learned yet, and the pack knows nothing by itself.
    pub(crate) fn is_new(&self) -> bool {
        self.device.head().is_err()
    }

    /// Changes what was learned, after the learn that runs, and tells of it.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&Device) -> Result<T, Error>,
    ) -> Result<T, Refusal> {
        let changing = self.teacher.changing.lock().unwrap_or_else(|e| e.into_inner());
        let done = change(&self.device);
        drop(changing);
        self.events.look();
        Ok(done?)
    }

    /// What this pack and these options allow, by the names of the calls.
    pub(crate) fn can(&self) -> Vec<&'static str> {
        let pack = self.device.pack();
        let (places, tail, may) =
            (self.device.is_per_place(), pack.tail().is_some(), !self.options.read_only);
        let all = [
            ("predict", true),
            ("masks", places),
            ("learn", may && !places),
            ("training", may && tail && !places),
            ("samples", true),
            ("pictures", self.keeps_samples()),
            ("doubtful", !places),
            ("confusion", !places),
            ("duplicates", !places),
            ("eval", !places),
            ("forget", may),
            ("rename", may && !tail),
            ("relabel", may && !tail),
            ("rollback", may),
            ("state", true),
            ("restore", may),
            ("export", self.options.model.is_some() && !tail),
            ("camera", self.options.camera.is_some()),
        ];
        all.into_iter().filter(|(_, can)| *can).map(|(name, _)| name).collect()
    }

    /// Whether pictures are kept, by these options or by what was asked for before.
    pub(crate) fn keeps_samples(&self) -> bool {
        self.options.keep_samples || StateFolder::new(&self.state).keeps_samples().unwrap_or(false)
    }
}
