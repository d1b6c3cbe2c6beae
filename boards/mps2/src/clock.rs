//! Instructions, from SysTick.

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;

/// Counts instructions: with QEMU's `-icount shift=0` one of them takes a nanosecond.
pub struct Clock {
    /// The counter's reading at the last lap.
    last: u32,
}

const TURN: u32 = 0x00ff_ffff;

/// Hertz, in decimal digits.
const HERTZ: u64 = {
    let (mut hertz, mut at, digits) = (0, 0, env!("HEADSTART_CLOCK").as_bytes());
    while at < digits.len() {
        hertz = 10 * hertz + (digits[at] - b'0') as u64;
        at += 1;
    }
    hertz
};

impl Clock {
    /// Starts SysTick, which nothing else may use then.
    #[must_use]
    pub fn new(mut timer: SYST) -> Self {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(TURN);
        timer.clear_current();
        timer.enable_counter();
        Self { last: 0 }
    }

    /// Instructions since the lap before this one, with [`count`](Self::count)'s bounds.
    pub fn lap(&mut self) -> u64 {
        let now = SYST::get_current();
        let ticks = u64::from(self.last.wrapping_sub(now) & TURN);
        self.last = now;
        ticks * 1_000_000_000 / HERTZ
    }

    /// Instructions that `work` took, to about 50, and what it gave. Only the rest after each turn
    /// of SysTick is counted: half a second, or 500 million instructions.
    pub fn count<T>(&mut self, work: impl FnOnce() -> T) -> (u64, T) {
        let before = SYST::get_current();
        let result = work();
        let after = SYST::get_current();
        let ticks = u64::from(before.wrapping_sub(after) & TURN);
        (ticks * 1_000_000_000 / HERTZ, result)
    }
}
