//! Work on block rows, side by side where there are threads.

use core::ops::Range;

use super::layout::Layout;

/// So many squares are worth no other thread, where each is worked on once.
pub(super) const FEW: usize = 6;

/// Calls `work` for each of the rows with its squares, which stand one row after the other.
pub(super) fn rows<T: Send>(
    layout: Layout,
    rows: Range<usize>,
    squares: &mut [T],
    work: &(impl Fn(usize, &mut [T]) + Sync),
) {
    if rows.len() < 2 || squares.len() <= FEW {
        let mut squares = squares;
        for row in rows {
            let (own, rest) = squares.split_at_mut(layout.width(row));
            work(row, own);
            squares = rest;
        }
        return;
    }
    let half =
        |&row: &usize| 2 * (layout.start(row + 1) - layout.start(rows.start)) < squares.len();
    let middle = rows.start + 1 + (rows.start..rows.end - 2).take_while(half).count();
    let (first, second) = squares.split_at_mut(layout.start(middle) - layout.start(rows.start));
    both(
        || self::rows(layout, rows.start..middle, first, work),
        || self::rows(layout, middle..rows.end, second, work),
    );
}

/// Calls `work` for each of them, with its place; so many are worth no other thread. `first` is the place of the first of them.
pub(super) fn each<T: Send>(
    squares: &mut [T],
    first: usize,
    few: usize,
    work: &(impl Fn(usize, &mut T) + Sync),
) {
    if squares.len() <= few.max(1) {
        return (first..).zip(squares).for_each(|(at, square)| work(at, square));
    }
    let middle = squares.len() / 2;
    let (before, behind) = squares.split_at_mut(middle);
    both(|| each(before, first, few, work), || each(behind, first + middle, few, work));
}

#[cfg(feature = "std")]
pub(super) use self::threads::among;
#[cfg(feature = "std")]
use self::threads::both;
#[cfg(feature = "std")]
pub use self::threads::on_threads;

#[cfg(feature = "std")]
mod threads {
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::thread_local;

    use rayon::{ThreadPool, ThreadPoolBuilder};

    /// What this thread may share its work with.
    struct Team {
        threads: usize,
        /// None before there is work for it.
        pool: Option<Arc<ThreadPool>>,
    }

    thread_local! {
        static TEAM: RefCell<Team> = const { RefCell::new(Team { threads: 1, pool: None }) };
    }

    /// Puts the team of before back, whatever ends the work.
    struct Before(Option<Team>);

    impl Drop for Before {
        fn drop(&mut self) {
            if let Some(team) = self.0.take() {
                TEAM.replace(team);
            }
        }
    }

    /// Does `work`, whose heads of many samples may take so many threads, which are started where there is enough to do. Where
    /// the system gives none, this one does all of it, with the same bits.
    pub fn on_threads<T>(threads: usize, work: impl FnOnce() -> T) -> T {
        let _before = Before(Some(TEAM.replace(Team { threads, pool: None })));
        work()
    }

    fn pool() -> Option<Arc<ThreadPool>> {
        TEAM.with_borrow_mut(|team| {
            if team.pool.is_none() && team.threads > 1 {
                let pool = ThreadPoolBuilder::new().num_threads(team.threads).build();
                team.pool = pool.ok().map(Arc::new);
            }
            team.pool.clone()
        })
    }

    /// Does work of many steps on so many squares, each step shared, on one of the threads that share it: whoever hands a step over
    /// waits for two changes of threads.
    pub(in super::super) fn among<T: Send>(squares: usize, work: impl FnOnce() -> T + Send) -> T {
        let is_worth = squares > super::FEW && rayon::current_thread_index().is_none();
        match is_worth.then(pool).flatten() {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    pub(super) fn both(first: impl FnOnce() + Send, second: impl FnOnce() + Send) {
        if rayon::current_thread_index().is_some() {
            rayon::join(first, second);
        } else if let Some(pool) = pool() {
            pool.join(first, second);
        } else {
            first();
            second();
        }
    }
}

#[cfg(not(feature = "std"))]
pub(super) fn among<T>(_squares: usize, work: impl FnOnce() -> T) -> T {
    work()
}

#[cfg(not(feature = "std"))]
fn both(first: impl FnOnce(), second: impl FnOnce()) {
    first();
    second();
}
