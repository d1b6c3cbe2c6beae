//! Functions of an element and two numbers of its channel, in whole vectors.
//!
//! What the channels bring is laid out once as it meets the elements, for as many pixels as make steps of whole vectors where it can be.

use super::generic::Output;
use super::work::{Instructions, STEP, Step};

/// Room for what the channels of a row bring.
const ROOM: usize = 512;

/// A function of elements less their zero point, and of what their channels bring.
pub(super) trait Function {
    /// Puts results, before they are rounded, in the elements' place. Always inlined.
    fn replace(&self, x: &mut Step, numbers: [&Step; 2]);
}

/// Replaces every element by a function's result, rounded. `numbers` gives what a channel brings. Where the elements stand elsewhere, `from`
/// holds them. They are whole pixels.
#[inline(always)]
pub(super) fn by_channel(
    set: impl Instructions,
    function: &impl Function,
    numbers: impl Fn(usize) -> [f32; 2],
    zero_point: i8,
    to: &Output,
    from: Option<&[i8]>,
    elements: &mut [i8],
) {
    let channels = to.channels.max(1);
    let pixels = pixels(channels, elements.len());
    for first in (0..channels).step_by(ROOM) {
        let count = (channels - first).min(ROOM);
        let row = Row::new(count, pixels, |channel| numbers(first + channel));
        for (at, place) in elements.chunks_mut(channels * pixels).enumerate() {
            let end = place.len().min(first + row.length);
            let place = &mut place[first..end];
            if let Some(from) = from {
                let start = at * channels * pixels + first;
                place.copy_from_slice(&from[start..][..place.len()]);
            }
            row.apply(set, function, zero_point, to, place);
        }
    }
}

/// Pixels of a row: as few as make whole steps, or as many as there is room for.
#[inline(always)]
fn pixels(channels: usize, elements: usize) -> usize {
    let most = (ROOM / channels).min(elements / channels).max(1);
    let whole = STEP >> channels.trailing_zeros().min(STEP.trailing_zeros());
    if whole <= most { whole * (most / whole) } else { most }
}

/// What channels bring, for some pixels; zeros behind them.
struct Row {
    numbers: [[f32; ROOM]; 2],
    length: usize,
}

impl Row {
    #[inline(always)]
    fn new(channels: usize, pixels: usize, of: impl Fn(usize) -> [f32; 2]) -> Self {
        let length = channels * pixels;
        let mut row = Self { numbers: [[0.0; ROOM]; 2], length };
        let [a, b] = &mut row.numbers;
        for (channel, (a, b)) in a.iter_mut().zip(b).take(channels).enumerate() {
            [*a, *b] = of(channel);
        }
        for numbers in &mut row.numbers {
            for at in (channels..length).step_by(channels) {
                numbers.copy_within(..channels, at);
            }
        }
        row
    }

    #[inline(always)]
    fn apply(
        &self,
        set: impl Instructions,
        function: &impl Function,
        zero_point: i8,
        to: &Output,
        place: &mut [i8],
    ) {
        let [a, b] = self.numbers.each_ref().map(|numbers| numbers.as_chunks().0);
        let (steps, rest) = place.as_chunks_mut::<STEP>();
        for ((elements, a), b) in steps.iter_mut().zip(a).zip(b) {
            step(set, function, zero_point, to, elements, [a, b]);
        }
        if let (Some(a), Some(b)) = (a.get(steps.len()), b.get(steps.len()))
            && !rest.is_empty()
        {
            let mut elements = [0; STEP];
            elements[..rest.len()].copy_from_slice(rest);
            step(set, function, zero_point, to, &mut elements, [a, b]);
            rest.copy_from_slice(&elements[..rest.len()]);
        }
    }
}

/// Replaces the elements of a step.
#[inline(always)]
pub(super) fn step(
    set: impl Instructions,
    function: &impl Function,
    zero_point: i8,
    to: &Output,
    elements: &mut [i8; STEP],
    numbers: [&Step; 2],
) {
    let mut x = [0.0; STEP];
    // Whole numbers of nine bits: the difference is exact.
    for (x, q) in x.iter_mut().zip(&*elements) {
        *x = f32::from(*q) - f32::from(zero_point);
    }
    function.replace(&mut x, numbers);
    *elements = set.round(&x, to);
}
