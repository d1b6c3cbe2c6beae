//! How a device learns.

use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use headstart::head::Learner;
use headstart_device::{Event, LearnOptions, Learning, Observer, Weight};

use super::error::{Failure, call};
use crate::call::{Handle, free, made, only, text};
use crate::status::Status;

/// Hears of long work: `done` of `of` steps, where `of` is 0 while it is not known. Gives false to stop, and then nothing is changed. It
/// is called from the threads that do the work, several at once, must not call this library with the same device, and must not unwind.
pub type Progress =
    Option<unsafe extern "C" fn(context: *mut c_void, done: usize, of: usize) -> bool>;

/// How a device learns. What is not set is as it suits most, or as the state was learned before. One thread uses it at a time.
#[repr(C, align(8))]
pub struct Options {
    mark: u32,
    pub(super) learn: LearnOptions<'static>,
    pub(super) skips_bad: bool,
    progress: Progress,
    context: usize,
}

impl Handle for Options {
    const MARK: u32 = u32::from_be_bytes(*b"hsop");
}

/// Makes options, which the caller frees with `hs_options_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_new(options: *mut *mut Options) -> Status {
    // SAFETY: as documented.
    call(|| unsafe {
        let usual = Options {
            mark: Options::MARK,
            learn: LearnOptions::default(),
            skips_bad: false,
            progress: None,
            context: 0,
        };
        Ok(made(options, usual)?)
    })
}

/// Frees options. Null is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_free(options: *mut Options) {
    // SAFETY: as documented.
    unsafe { free(options) };
}

/// Sets the learner of the head: `auto`, `sgd`, `ridge`, `imprint` or `lda`.
///
/// `HS_STATUS_ARGUMENT` for another name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_learner(
    options: *mut Options,
    learner: *const c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (options, name) = unsafe { (only(options)?, text(learner)?) };
        let named = [Learner::Sgd, Learner::Ridge, Learner::Imprint, Learner::Lda]
            .into_iter()
            .find(|learner| learner.name() == name)
            .map(Learning::Named);
        let auto = (name == "auto").then_some(Learning::Auto);
        options.learn.learner = Some(auto.or(named).ok_or(Status::Argument)?);
        Ok(())
    })
}

/// Sets how often each new picture is shown to the backbone: 1 to 5, whole and as crops; 0 for as often as suits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_views(options: *mut Options, views: usize) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { set(options, |options| options.learn.views = Some(views)) })
}

/// Sets the part of samples of classes that were never taught which may be answered, 0 to 1; 1 sets no limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_false_accepts(options: *mut Options, part: f32) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { set(options, |options| options.learn.false_accepts = Some(part)) })
}

/// Sets how many samples each of these counts as, 1 to 100; 0 for all of them together as much as all others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_weight(options: *mut Options, weight: u16) -> Status {
    let weight = if weight == 0 { Weight::AsAllOthers } else { Weight::Each(weight) };
    // SAFETY: as documented.
    call(|| unsafe { set(options, |options| options.learn.weight = Some(weight)) })
}

/// Sets the most bytes of features that the state keeps; `UINT64_MAX` sets no limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_max_bytes(options: *mut Options, bytes: u64) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { set(options, |options| options.learn.max_bytes = Some(bytes)) })
}

/// Sets whether the head's weights are kept as float16.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_half(options: *mut Options, half: bool) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { set(options, |options| options.learn.half = Some(half)) })
}

/// Sets whether a copy of each sample is kept from now on, which a later pack can learn from.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_keep_samples(options: *mut Options, keep: bool) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { set(options, |options| options.learn.keep_samples = keep) })
}

/// Sets whether the head answers from now on even if it answers what was known before worse.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_force(options: *mut Options, force: bool) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { set(options, |options| options.learn.force = force) })
}

/// Sets whether samples that cannot be read are left out, instead of refused all together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_skip_bad(options: *mut Options, skip: bool) -> Status {
    // SAFETY: as documented.
    call(|| unsafe { set(options, |options| options.skips_bad = skip) })
}

/// Sets a function that hears of progress; null for none. `context` is given to it as it is, and stays the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_options_progress(
    options: *mut Options,
    progress: Progress,
    context: *mut c_void,
) -> Status {
    let context = context.expose_provenance();
    // SAFETY: as documented.
    call(|| unsafe {
        set(options, |options| (options.progress, options.context) = (progress, context))
    })
}

unsafe fn set(options: *mut Options, change: impl FnOnce(&mut Options)) -> Result<(), Failure> {
    // SAFETY: as documented where it is called.
    change(unsafe { only(options) }?);
    Ok(())
}

/// Tells the caller's function.
#[derive(Default)]
pub(super) struct Told {
    progress: Progress,
    context: usize,
    done: AtomicUsize,
    of: AtomicUsize,
    stopped: AtomicBool,
}

impl Told {
    pub(super) fn of(options: Option<&Options>) -> Self {
        options.map_or_else(Self::default, |options| Self {
            progress: options.progress,
            context: options.context,
            ..Self::default()
        })
    }

    fn tell(&self, done: usize) {
        let Some(progress) = self.progress else { return };
        let context = std::ptr::with_exposed_provenance_mut(self.context);
        // SAFETY: the caller's function and its context, which it made for several threads.
        if !unsafe { progress(context, done, self.of.load(Ordering::Relaxed)) } {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }
}

impl Observer for Told {
    fn on(&self, event: Event<'_>) {
        match event {
            Event::Begun { steps, .. } => {
                self.done.store(0, Ordering::Relaxed);
                self.of.store(steps, Ordering::Relaxed);
                self.tell(0);
            }
            Event::Stepped(_) => self.tell(self.done.fetch_add(1, Ordering::Relaxed) + 1),
            _ => {}
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
