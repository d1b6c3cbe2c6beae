//! Breaks every system call of a command that changes a state, and looks at what is left.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::fs;
use std::process::{Command, Stdio};

use headstart::pack::Pack;
use headstart_device::Head;
use headstart_device::samples::SampleId;
use headstart_device::state::{FeatureCache, StateFolder};
use nix::errno::Errno;

use crate::common::{Bench, contents};
use crate::tracer::{Break, call, run};

pub(crate) type Files = Vec<(String, Vec<u8>)>;

pub(crate) static NOTHING: Files = Files::new();

const BREAKS: [Break; 5] = [
    Break::KillBefore,
    Break::KillInside,
    Break::KillAfter,
    Break::Fail(Errno::ENOSPC),
    Break::Fail(Errno::EIO),
];

/// One call in so many is broken, where not each is in all ways.
const APART: usize = 3;

/// Whether every system call is broken in all five ways, or one in three in one of them, as the variable `HEADSTART_EVERY_CALL` says.
/// The first takes an hour (tests/long/system-calls).
fn in_all_ways() -> bool {
    std::env::var_os("HEADSTART_EVERY_CALL").is_some()
}

/// Whether so many calls were broken, or the part of them that is where not each is broken in all ways.
pub(crate) fn are_enough(count: usize, in_all: usize) -> bool {
    count > if in_all_ways() { in_all } else { in_all / (BREAKS.len() * APART) }
}

pub(crate) fn command(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headstart-edge"));
    command.current_dir(bench.root.path()).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

pub(crate) fn restore(bench: &Bench, files: Option<&Files>) {
    let state = bench.path("state");
    let _ = fs::remove_dir_all(&state);
    let Some(files) = files else { return };
    fs::create_dir(&state).unwrap();
    for (name, content) in files {
        let path = state.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// The state folder's files without those that a killed process may leave, and how many of those.
pub(crate) fn found(bench: &Bench) -> (Files, usize) {
    let state = bench.path("state");
    if !state.exists() {
        return (Files::new(), 0);
    }
    let all = contents(&state);
    let count = all.len();
    let files: Files = all.into_iter().filter(|(name, _)| !name.contains(".headstart-")).collect();
    let left_over = count - files.len();
    (files, left_over)
}

/// Whether the head, if there is one, has the features of its backbone beside it.
fn is_a_pair(bench: &Bench) -> bool {
    let folder = StateFolder::new(&bench.path("state"));
    let Some(head) = folder.head().unwrap() else { return true };
    ["tiny.hspk", "new.hspk"].into_iter().any(|name| {
        let Ok(bytes) = fs::read(bench.path(name)) else { return false };
        let pack = Pack::open(&bytes).unwrap();
        let digest = pack.backbone_digest();
        Head::parse(&folder.head_path(), &head, &digest).is_ok()
            && folder.features(&digest, pack.feature_len()).is_ok_and(|found| found.is_some())
    })
}

/// What the current commit was learned from, as it is found.
#[derive(Debug, PartialEq)]
struct LearnedFrom {
    head: Vec<u8>,
    /// Its samples with their classes and features, of all that are cached.
    samples: FeatureCache,
    /// Those of which there is a copy.
    copies: Vec<SampleId>,
}

/// What the head that is there was learned from; `None` where there is no head.
fn learned_from(bench: &Bench) -> Option<LearnedFrom> {
    let folder = StateFolder::new(&bench.path("state"));
    let head = folder.head().unwrap()?;
    let mut commits = folder.commits().unwrap().map(|(_, commit)| commit.unwrap());
    let current = commits.rfind(|(_, commit)| commit.head == head);
    let (digest, commit) = current.expect("the head is that of a commit");
    let pack = ["tiny.hspk", "new.hspk"].into_iter().find_map(|name| {
        let bytes = fs::read(bench.path(name)).ok()?;
        let pack = Pack::open(&bytes).unwrap();
        (pack.backbone_digest() == digest).then(|| pack.feature_len())
    });
    let cache = folder.features(&digest, pack.unwrap()).unwrap().expect("features of the head");
    for (id, label) in &commit.samples {
        let class = &commit.classes[usize::from(*label)];
        assert_eq!(cache.name_of(id), Some(&class[..]), "a sample of the head has another class");
    }
    let samples = commit.cache(&cache).expect("a sample of the head is gone");
    let mut copies: Vec<SampleId> = folder.kept().unwrap().into_keys().collect();
    copies.retain(|id| samples.contains(id));
    Some(LearnedFrom { head, samples, copies })
}

/// Breaks every system call of a repair that leads from one state to another: every file that was there stays, or is the new
/// one, and the next repair ends it. Gives how many were broken.
pub(crate) fn break_repair(bench: &Bench, repair: &[&str], old: &Files, new: &Files) -> usize {
    let mut count = 0;
    for (way, breakage) in BREAKS.into_iter().enumerate() {
        for at in (0..).filter(|at| in_all_ways() || at % BREAKS.len() == way) {
            restore(bench, Some(old));
            let broken = run(command(bench, repair), Some((at, breakage)));
            if broken.calls.len() <= at {
                break;
            }
            count += 1;
            let name = format!("{repair:?}: call {at} (number {}), {breakage:?}", broken.calls[at]);
            let (files, _) = found(bench);
            for file in old {
                let is_new = || {
                    let its = files.iter().find(|(name, _)| *name == file.0);
                    its.is_some_and(|its| new.contains(its))
                };
                assert!(files.contains(file) || is_new(), "{name}: {} is gone", file.0);
            }
            assert!(command(bench, repair).status().unwrap().success(), "{name}");
            assert!(found(bench) == (new.clone(), 0), "{name}: not repaired after all");
        }
    }
    count
}

/// A command that leads from one state to another.
pub(crate) struct Change<'a> {
    pub(crate) arguments: &'a [&'a str],
    /// `None` for no folder at all.
    pub(crate) old: Option<&'a Files>,
    pub(crate) new: &'a Files,
    /// The exit status of a whole run: 1 where a candidate is rejected.
    pub(crate) status: i32,
    /// The exit status of a run that finds the new state.
    pub(crate) again: i32,
    /// Whether it writes nothing where it finds the new state: a stray file then waits for the next change.
    pub(crate) only_reads_again: bool,
}

impl Change<'_> {
    /// Whether every file is one of before or of after, and the head is new only with new features.
    fn is_between(&self, files: &Files) -> bool {
        let (old, new) = (self.old.unwrap_or(&NOTHING), self.new);
        let of = |files: &Files, name: &str| files.iter().find(|(n, _)| n == name).cloned();
        // Features that wait for their head are the new ones.
        let is_new = |bytes: &[u8]| of(new, "features.hsfc").is_some_and(|(_, new)| new == bytes);
        if files.iter().any(|(name, bytes)| name.starts_with("waiting-") && !is_new(bytes)) {
            return false;
        }
        let settled = self.settled(files);
        let files = &settled;
        let names = [files, old, new].into_iter().flatten().map(|(name, _)| name);
        let head_is_new = of(files, "head.hshr") == of(new, "head.hshr");
        let forgets = self.arguments[0] == "forget";
        // The features of another backbone, until they have their place.
        let adopted = of(files, "adopted.hsfc");
        let new_features = of(new, "features.hsfc").map(|(_, bytes)| bytes);
        let adopts = adopted.is_some();
        if adopted.is_some_and(|(_, bytes)| Some(bytes) != new_features) {
            return false;
        }
        names.into_iter().all(|name| {
            let found = of(files, name);
            if name == "adopted.hsfc" {
                return true;
            }
            let is_features = name == "features.hsfc" && !new.is_empty() && !adopts;
            let is_added = name.starts_with("added-") && of(new, name).is_some();
            let must_be_new = head_is_new && (is_features || is_added);
            // Earlier commits go before the one that has forgotten comes.
            let dropped = forgets && found.is_none() && name.starts_with("commit-");
            dropped || found == of(new, name) || (found == of(old, name) && !must_be_new)
        })
    }

    /// The files as the next change finds them: features that wait have their place where the head is the new one, and are
    /// gone where it is not.
    fn settled(&self, files: &Files) -> Files {
        let is_head = |file: &&(String, Vec<u8>)| file.0 == "head.hshr";
        let head_is_new = files.iter().find(is_head) == self.new.iter().find(is_head);
        let mut settled = files.clone();
        let waiting = settled.iter().position(|(name, _)| name.starts_with("waiting-"));
        if let Some((_, bytes)) = waiting.map(|at| settled.remove(at)).filter(|_| head_is_new)
            && let Some(file) = settled.iter_mut().find(|(name, _)| name == "features.hsfc")
        {
            file.1 = bytes;
        }
        settled
    }

    /// Whether nothing but what was added to the cache of before is still there beside the new files.
    fn is_done(&self, files: &Files) -> bool {
        let outdated = |file| !self.new.contains(file) && file.0.starts_with("added-");
        self.settled(files).iter().filter(|file| !outdated(file)).eq(self.new)
    }

    /// Breaks system calls: every one in all ways, or some. Gives how many were broken.
    pub(crate) fn break_every_call(&self, bench: &Bench) -> usize {
        self.break_calls(bench, false)
    }

    /// The same from the lock on: what is before it only reads.
    pub(crate) fn break_every_call_behind_the_lock(&self, bench: &Bench) -> usize {
        self.break_calls(bench, true)
    }

    fn break_calls(&self, bench: &Bench, behind_the_lock: bool) -> usize {
        let Self { arguments, old, new, .. } = *self;
        restore(bench, old);
        let forgets = arguments[0] == "forget";
        let before = learned_from(bench);
        let whole = run(command(bench, arguments), None);
        assert_eq!(whole.status, Some(self.status), "{arguments:?}");
        assert_eq!(&found(bench), &(new.clone(), 0), "{arguments:?}");
        let after = learned_from(bench);
        // Whatever the current commit was learned from is there, forgetting excepted.
        let has_all = |name: &str| {
            if forgets {
                return;
            }
            let found = std::panic::catch_unwind(|| learned_from(bench));
            let found = found.unwrap_or_else(|_| panic!("{name}: the head lacks what it knows"));
            let Some(found) = found else { return };
            let is = |what: &&LearnedFrom| what.head == found.head && what.samples == found.samples;
            let known = before.iter().chain(&after).find(is);
            let known = known.unwrap_or_else(|| panic!("{name}: the head has other samples"));
            let all = known.copies.iter().all(|id| found.copies.contains(id));
            assert!(all, "{name}: a copy of what the head knows is gone");
        };
        let lock = whole.calls.iter().position(|&number| number == call::FLOCK);
        let first = lock.filter(|_| behind_the_lock).unwrap_or(0);
        let (mut count, mut olds, mut news) = (0, 0, 0);
        for (way, breakage) in BREAKS.into_iter().enumerate() {
            // Another way each time, and none that only some kinds of calls would meet: 3 and 5 have no common factor.
            let chosen = |at: &usize| in_all_ways() || at % (BREAKS.len() * APART) == way * APART;
            for at in (first..).filter(chosen) {
                restore(bench, old);
                let broken = run(command(bench, arguments), Some((at, breakage)));
                if broken.calls.len() <= at {
                    break;
                }
                count += 1;
                let name =
                    format!("{arguments:?}: call {at} (number {}), {breakage:?}", broken.calls[at]);
                let (files, left_over) = found(bench);
                assert!(is_a_pair(bench), "{name}: a head without its features");
                let is_new = files == *new;
                if is_new {
                    news += 1;
                } else {
                    assert!(self.is_between(&files), "{name}: neither old nor new");
                    assert_ne!(broken.status, Some(0), "{name}: success is claimed");
                    olds += 1;
                }
                if let Break::Fail(_) = breakage {
                    // The loader, and Rust where there is no memory, end a process by a signal.
                    let working = broken.calls[..at].contains(&call::FLOCK);
                    let dying = !working || call::MEMORY.contains(&broken.calls[at]);
                    assert!(broken.status.is_some() || dying, "{name}: it died of a signal");
                    let removing = [call::UNLINK, call::UNLINKAT].contains(&broken.calls[at]);
                    assert!(left_over == 0 || removing, "{name}: a stray file");
                    let durable = [call::FSYNC, call::RENAME].contains(&broken.calls[at]);
                    assert!(
                        !durable || broken.status == Some(2),
                        "{name}: a failure is not reported"
                    );
                }
                has_all(&name);
                if at % 2 == 1 {
                    // Whoever locks in between changes nothing of that. No lock of this process: a child that another
                    // test starts would hold it for a moment.
                    let pack =
                        if arguments.contains(&"new.hspk") { "new.hspk" } else { "tiny.hspk" };
                    let nothing = ["rollback", pack, "--state", "state", "--to", "4000000000"];
                    assert_eq!(
                        command(bench, &nothing).status().unwrap().code(),
                        Some(1),
                        "{name}"
                    );
                    has_all(&name);
                }
                // Whatever was left: the next call gets there, and leaves nothing behind.
                let status = command(bench, arguments).status().unwrap();
                let is_done = is_new || self.is_done(&files);
                let expected = if is_done { self.again } else { self.status };
                assert_eq!(status.code(), Some(expected), "{name}");
                let (files, left_over) = found(bench);
                assert!(files == *new, "{name}: not new after all");
                let waits = is_new && self.only_reads_again;
                assert!(left_over == 0 || waits, "{name}: a stray file stays");
            }
        }
        println!(
            "{arguments:?}: {count} calls broken, {olds} kept the old state, {news} made the new"
        );
        assert!(olds > 0 && news > 0, "{arguments:?}");
        count
    }
}
