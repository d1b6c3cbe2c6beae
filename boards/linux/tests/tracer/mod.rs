//! Runs a program and breaks one of its system calls.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Numbers of the system calls that the tests ask for by name.
pub(crate) mod call {
    pub(crate) const WRITE: u64 = 1;
    pub(crate) const FSYNC: u64 = 74;
    pub(crate) const FLOCK: u64 = 73;
    /// And its newer forms, which are counted as this one.
    pub(crate) const RENAME: u64 = 82;
    pub(super) const RENAMES: [u64; 2] = [264, 316];
    pub(crate) const MEMORY: [u64; 5] = [9, 10, 11, 12, 25];
    pub(crate) const UNLINK: u64 = 87;
    pub(crate) const UNLINKAT: u64 = 263;
}

/// What happens to a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    /// The process is killed before it.
    KillBefore,
    /// A write takes half of its bytes, and the process is killed; other calls as [`Self::KillAfter`].
    KillInside,
    /// The process is killed after it.
    KillAfter,
    /// It does nothing and gives this error.
    Fail(Errno),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The number of each system call that was begun, in order.
    pub(crate) calls: Vec<u64>,
    /// The exit status; `None` where it was killed.
    pub(crate) status: Option<i32>,
}

/// Runs `command`, which must stay in one thread, and breaks its system call number `at`.
///
/// Only from the thread that began the run: `ptrace` knows its threads.
pub(crate) fn run(command: Command, breakage: Option<(usize, Break)>) -> Run {
    run_watched(command, breakage, |_| ())
}

/// The same; `before` is told of each system call before it is done, while the program stands still.
#[allow(clippy::zombie_processes, reason = "`waitpid` waits for it")]
pub(crate) fn run_watched(
    mut command: Command,
    breakage: Option<(usize, Break)>,
    mut before: impl FnMut(u64),
) -> Run {
    // SAFETY: between fork and exec only `ptrace` is called, which is async-signal-safe.
    unsafe { command.pre_exec(|| ptrace::traceme().map_err(std::io::Error::from)) };
    let child = command.spawn().unwrap();
    let pid = Pid::from_raw(child.id() as i32);
    assert_eq!(waitpid(pid, None).unwrap(), WaitStatus::Stopped(pid, Signal::SIGTRAP));
    let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(pid, options | Options::PTRACE_O_TRACECLONE).unwrap();
    let mut run = Run { calls: Vec::new(), status: None };
    let (mut inside, mut signal) = (false, None);
    loop {
        // A process that is killed at a stop may be gone already.
        let _ = ptrace::syscall(pid, signal.take());
        match waitpid(pid, Some(WaitPidFlag::__WALL)).unwrap() {
            WaitStatus::Exited(_, status) => {
                run.status = Some(status);
                return run;
            }
            WaitStatus::Signaled(..) => return run,
            WaitStatus::PtraceSyscall(_) => {
                inside = !inside;
                let mut registers = ptrace::getregs(pid).unwrap();
                if inside {
                    let number = registers.orig_rax;
                    let renames = call::RENAMES.contains(&number);
                    run.calls.push(if renames { call::RENAME } else { number });
                    before(number);
                }
                let breakage = breakage.filter(|(at, _)| at + 1 == run.calls.len());
                match (breakage.map(|(_, breakage)| breakage), inside) {
                    (Some(Break::KillBefore), true)
                    | (Some(Break::KillInside | Break::KillAfter), false) => {
                        kill(pid, Signal::SIGKILL).unwrap();
                    }
                    (Some(Break::KillInside), true) if registers.orig_rax == call::WRITE => {
                        registers.rdx /= 2;
                        ptrace::setregs(pid, registers).unwrap();
                    }
                    (Some(Break::Fail(_)), true) => {
                        // No such call: nothing happens.
                        registers.orig_rax = u64::MAX;
                        ptrace::setregs(pid, registers).unwrap();
                    }
                    (Some(Break::Fail(error)), false) => {
                        registers.rax = -i64::from(error as i32) as u64;
                        ptrace::setregs(pid, registers).unwrap();
                    }
                    _ => {}
                }
            }
            WaitStatus::PtraceEvent(..) => panic!("the program has started a thread"),
            WaitStatus::Stopped(_, stopped) => signal = Some(stopped),
            other => panic!("{other:?}"),
        }
    }
}
