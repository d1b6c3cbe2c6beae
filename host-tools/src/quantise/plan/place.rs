//! Places for buffers, so that no two that live at the same time overlap.

use headstart::head::Random;

use super::lives::{ALIGNMENT, Life, peak};

/// Random orders that are tried where the plain ones do not reach the least arena.
const TRIES: usize = 2000;

/// Pairs of buffers that are looked at in all these orders: large networks get fewer of them.
const MOST_PAIRS: usize = 1 << 30;

/// A placement.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// First byte of every buffer.
    pub(super) offsets: Vec<usize>,
    /// Bytes in all.
    pub(super) bytes: usize,
    /// The most that lives at one time; no placement takes less.
    pub(super) least: usize,
}

/// The smallest of several placements, each of which takes the buffers in another order and gives
/// each the lowest free place: largest first, longest first, both, and then random orders, until one
/// takes no more than what lives at the worst time.
pub(super) fn place(lives: &[Life]) -> Placed {
    let least = peak(lives).0;
    let span = |life: &Life| life.last - life.first + 1;
    let mut order: Vec<usize> = (0..lives.len()).filter(|&at| lives[at].bytes > 0).collect();
    let mut best = Placed { offsets: Vec::new(), bytes: usize::MAX, least };
    for key in 0..4 {
        let rank = |life: &Life| match key {
            0 => (life.bytes, span(life)),
            1 => (span(life), life.bytes),
            2 => (life.bytes * span(life), life.bytes),
            _ => (usize::MAX - life.first, life.bytes),
        };
        order.sort_by_key(|&at| (std::cmp::Reverse(rank(&lives[at])), at));
        try_order(lives, &order, &mut best);
        if best.bytes <= least {
            return best;
        }
    }
    let mut random = Random::new(1);
    let pairs = order.len().saturating_mul(order.len());
    for _ in 0..TRIES.min(MOST_PAIRS / pairs.max(1)) {
        random.shuffle(&mut order);
        try_order(lives, &order, &mut best);
        if best.bytes <= least {
            break;
        }
    }
    best
}

fn try_order(lives: &[Life], order: &[usize], best: &mut Placed) {
    let mut offsets = vec![0; lives.len()];
    let mut bytes = 0;
    for (count, &at) in order.iter().enumerate() {
        let life = lives[at];
        let mut taken: Vec<(usize, usize)> = order[..count]
            .iter()
            .filter(|&&other| lives[other].first <= life.last && life.first <= lives[other].last)
            .map(|&other| (offsets[other], offsets[other] + lives[other].bytes))
            .collect();
        taken.sort_unstable();
        let mut start = 0;
        for (from, to) in taken {
            if start + life.bytes <= from {
                break;
            }
            start = start.max(to.next_multiple_of(ALIGNMENT));
        }
        offsets[at] = start;
        bytes = bytes.max(start + life.bytes);
        if bytes >= best.bytes {
            return;
        }
    }
    (best.offsets, best.bytes) = (offsets, bytes);
}
