//! The page's clock.

use std::time::Duration;

/// A moment; [`std::time::Instant`] has none in a browser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant(Duration);

impl Instant {
    pub(crate) fn now() -> Self {
        Self(Duration::from_secs_f64(milliseconds().max(0.0) / 1e3))
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}

#[cfg(target_family = "wasm")]
#[allow(
    unsafe_code,
    reason = "the page's function is declared, with no argument and a number as its result"
)]
fn milliseconds() -> f64 {
    #[link(wasm_import_module = "headstart")]
    unsafe extern "C" {
        /// `performance.now()`.
        safe fn now() -> f64;
    }
    now()
}

#[cfg(not(target_family = "wasm"))]
fn milliseconds() -> f64 {
    use std::sync::LazyLock;

    static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    START.elapsed().as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes() {
        let start = Instant::now();
        std::thread::sleep(Duration::from_millis(5));
        assert!(start.elapsed() >= Duration::from_millis(5));
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}
