//! Long work, watched from Python: Ctrl-C stops it, and a callback hears how far it is.
//!
//! The work runs on a thread of its own and never waits for Python. The thread that called looks at it a few times a second, and
//! holds Python's lock only while it does.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use headstart_device::{Event, Observer, Work};
use headstart_tools::tasks;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// How often the calling thread looks.
const EVERY: Duration = Duration::from_millis(50);

/// As much as the first thread of a program has.
const STACK_BYTES: usize = 8 << 20;

/// How far some work is.
#[derive(Clone, Debug, Default, PartialEq)]
struct Progress {
    work: &'static str,
    done: usize,
    steps: usize,
    loss: Option<f32>,
}

/// What work is watched by.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    is_stopped: AtomicBool,
    progress: Mutex<Progress>,
    said: Mutex<Vec<String>>,
}

impl Watch {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn say(&self, text: String) {
        self.said.lock().unwrap_or_else(|e| e.into_inner()).push(text);
    }

    /// Tells a callback what is new, as `tell(work, done, steps, loss)`.
    fn tell(&self, py: Python<'_>, tell: &Py<PyAny>, told: &mut Progress) -> PyResult<()> {
        let now = self.progress().clone();
        if now == *told || now.steps == 0 {
            return Ok(());
        }
        *told = now.clone();
        tell.call1(py, (now.work, now.done, now.steps, now.loss)).map(drop)
    }

    /// Warns of what was heard on the way.
    fn warn(&self, py: Python<'_>) -> PyResult<()> {
        let said = std::mem::take(&mut *self.said.lock().unwrap_or_else(|e| e.into_inner()));
        for text in said {
            py.import("warnings")?.call_method1("warn", (text,))?;
        }
        Ok(())
    }
}

impl Observer for Watch {
    fn on(&self, event: Event<'_>) {
        match event {
            Event::Begun { work, steps } => {
                *self.progress() = Progress { work: name(work), steps, ..Progress::default() };
            }
            Event::Stepped(_) => self.progress().done += 1,
            Event::Epoch { loss, .. } => self.progress().loss = Some(loss),
            Event::Skipped(files) => {
                let files: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
                self.say(format!(
                    "passed over, no picture or .npy in a class folder: {}",
                    files.join(", ")
                ));
            }
            Event::Declined { engine, reason } => {
                self.say(format!("{engine} does not run the backbone: {reason}"));
            }
            Event::Distrusted { engine, apart, instead } => self.say(format!(
                "{engine} does not train, its gradients are {apart:.2e} from the CPU's: {instead} does"
            )),
            _ => {}
        }
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }
}

impl tasks::Watch for Watch {
    fn begun(&self, work: &'static str, steps: usize) {
        *self.progress() = Progress { work, steps, ..Progress::default() };
    }

    fn done(&self, done: usize, steps: usize) {
        let mut progress = self.progress();
        (progress.done, progress.steps) = (done, steps);
    }

    fn stepped(&self) {
        self.progress().done += 1;
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }
}

fn name(work: Work) -> &'static str {
    match work {
        Work::Features => "features",
        Work::FeaturesAgain => "features again",
        Work::Reporting => "comparing",
        Work::Answering => "answering",
        Work::Training => "training",
        _ => "working",
    }
}

/// Does `work` without Python's lock. A signal, or an exception of `tell`, stops it and is raised when it has ended.
///
/// # Errors
/// What was raised meanwhile; what `work` gives comes back in the value.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    tell: Option<Py<PyAny>>,
    work: impl FnOnce(&Watch) -> T + Send,
) -> PyResult<T> {
    let watch = Watch::default();
    let (result, raised) = py.detach(|| on_a_thread(&watch, tell.as_ref(), work));
    if let Some(raised) = raised {
        return Err(raised);
    }
    watch.warn(py)?;
    match result {
        Ok(Some(result)) => Ok(result),
        Ok(None) => Err(PyRuntimeError::new_err("the work was done by nobody")),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

type Joined<T> = Result<Option<T>, Box<dyn Any + Send>>;

fn on_a_thread<T: Send>(
    watch: &Watch,
    tell: Option<&Py<PyAny>>,
    work: impl FnOnce(&Watch) -> T + Send,
) -> (Joined<T>, Option<PyErr>) {
    let (end, ended) = channel::<()>();
    let mut raised = None;
    let mut told = Progress::default();
    let mut look = || {
        let looked = Python::attach(|py| {
            py.check_signals()?;
            tell.map_or(Ok(()), |tell| watch.tell(py, tell, &mut told))
        });
        if let (Err(error), None) = (looked, &raised) {
            watch.is_stopped.store(true, Ordering::Relaxed);
            raised = Some(error);
        }
    };
    // Where the machine has no thread left, this one does the work.
    let work = Mutex::new(Some((work, end)));
    let take = || work.lock().unwrap_or_else(|e| e.into_inner()).take();
    let run = || {
        // The end of the channel is dropped at the end of the work, however that ends.
        take().map(|(work, _end)| work(watch))
    };
    let joined = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let Ok(worker) = thread.spawn_scoped(scope, run) else { return Ok(run()) };
        while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            look();
        }
        worker.join()
    });
    if tell.is_some() {
        look();
    }
    (joined, raised)
}
