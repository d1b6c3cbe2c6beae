//! Instructions, from SysTick.

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;

/// Counts instructions: QEMU's `-icount shift=0` makes one of them a nanosecond.
pub struct Clock(SYST);

const TURN: u32 = 0x00ff_ffff;

impl Clock {
    /// Starts SysTick, which nothing else may use.
    #[must_use]
    pub fn new(mut timer: SYST) -> Self {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(TURN);
        timer.clear_current();
        timer.enable_counter();
        Self(timer)
    }

    /// Instructions that `work` took, to 40, and what it gave. Work longer than 671 million is not
    /// counted right.
    pub fn count<T>(&mut self, work: impl FnOnce() -> T) -> (u64, T) {
        let before = SYST::get_current();
        let result = work();
        let after = SYST::get_current();
        (u64::from(before.wrapping_sub(after) & TURN) * 40, result)
    }
}
