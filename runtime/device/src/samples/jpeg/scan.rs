//! Scans: coefficients by their codes (T.81, F.2.2 and G).

use super::block::{Block, SIDE};
use super::frame::Frame;
use super::huffman::{Bits, Table};
use super::inverse::NATURAL;

/// The most blocks of a unit (T.81, B.2.3).
const MAX_UNIT: usize = 10;
const LAST: usize = SIDE * SIDE - 1;

/// A component of a scan, and its tables.
pub(super) struct Part<'t> {
    pub(super) component: usize,
    pub(super) direct: Option<&'t Table>,
    pub(super) alternating: Option<&'t Table>,
}

pub(super) struct Scan<'t> {
    pub(super) parts: Vec<Part<'t>>,
    /// The first and the last coefficient, in the order of files.
    pub(super) band: [usize; 2],
    /// How many low bits the scan before has left out; 0 for the first one.
    pub(super) high: u8,
    /// How many low bits this one leaves out.
    pub(super) low: u8,
    pub(super) restart_interval: usize,
}

/// What goes from one block to the next.
#[derive(Default)]
struct Run {
    /// The mean of the block before, of each part.
    means: [i32; 3],
    /// Blocks that have nothing more.
    empty: u32,
}

impl Scan<'_> {
    /// Decodes all blocks. `None` for data that are damaged, or scans that do not follow from those before.
    pub(super) fn decode(&self, frame: &mut Frame, bits: &mut Bits<'_>) -> Option<()> {
        self.take_place(frame)?;
        let mut run = Run::default();
        let mut done = 0;
        if let [part] = &self.parts[..] {
            let component = &frame.components[part.component];
            let (across, down) = (component.width.div_ceil(SIDE), component.height.div_ceil(SIDE));
            for at in 0..across * down {
                self.restart(&mut done, &mut run, bits)?;
                self.block(frame, 0, [at % across, at / across], &mut run, bits)?;
            }
            return Some(());
        }
        let [across, down] = frame.units;
        for at in 0..across * down {
            self.restart(&mut done, &mut run, bits)?;
            for (index, part) in self.parts.iter().enumerate() {
                let [wide, high] = frame.components[part.component].factors;
                for block in 0..wide * high {
                    let place =
                        [at % across * wide + block % wide, at / across * high + block / wide];
                    self.block(frame, index, place, &mut run, bits)?;
                }
            }
        }
        Some(())
    }

    /// Whether the scan may come now; marks what it brings.
    fn take_place(&self, frame: &mut Frame) -> Option<()> {
        let [first, last] = self.band;
        let is_right = if frame.is_progressive {
            let band = if first == 0 { last == 0 } else { self.parts.len() == 1 };
            band && first <= last && last <= LAST && self.low <= 13
        } else {
            [first, last] == [0, LAST] && self.low == 0 && self.high == 0
        };
        let blocks = |part: &Part<'_>| {
            let [across, down] = frame.components[part.component].factors;
            across * down
        };
        let unit: usize = self.parts.iter().map(blocks).sum();
        if !is_right || self.parts.is_empty() || (self.parts.len() > 1 && unit > MAX_UNIT) {
            return None;
        }
        let before = (self.high != 0).then_some(self.high);
        if before.is_some_and(|high| high != self.low + 1) {
            return None;
        }
        for part in &self.parts {
            for precision in &mut frame.components[part.component].precision[first..=last] {
                if *precision != before {
                    return None;
                }
                *precision = Some(self.low);
            }
        }
        Some(())
    }

    fn restart(&self, done: &mut usize, run: &mut Run, bits: &mut Bits<'_>) -> Option<()> {
        if self.restart_interval > 0 && *done == self.restart_interval {
            bits.restart()?;
            *run = Run::default();
            *done = 0;
        }
        *done += 1;
        Some(())
    }

    /// The block at `place` (across, down) of part `index`.
    fn block(
        &self,
        frame: &mut Frame,
        index: usize,
        place: [usize; 2],
        run: &mut Run,
        bits: &mut Bits<'_>,
    ) -> Option<()> {
        let part = &self.parts[index];
        let component = &mut frame.components[part.component];
        if !frame.is_progressive {
            let mut block = [0; SIDE * SIDE];
            mean(&mut block, part.direct?, 0, &mut run.means[index], bits)?;
            // All but the mean.
            new_ones(&mut block, part.alternating?, [1, LAST], 0, bits)?;
            return component.put(place[0], place[1], &block);
        }
        let block = &mut component.coefficients[place[1] * component.blocks[0] + place[0]];
        match (self.band[0], self.high) {
            (0, 0) => mean(block, part.direct?, self.low, &mut run.means[index], bits),
            (0, _) => {
                block[0] |= (bits.read(1)? as i16) << self.low;
                Some(())
            }
            (_, 0) => self.first(block, part.alternating?, &mut run.empty, bits),
            _ => self.further(block, part.alternating?, &mut run.empty, bits),
        }
    }

    /// A band's high bits (T.81, G.1.2.2).
    fn first(
        &self,
        block: &mut Block,
        table: &Table,
        empty: &mut u32,
        bits: &mut Bits<'_>,
    ) -> Option<()> {
        if *empty > 0 {
            *empty -= 1;
            return Some(());
        }
        if let Some(count) = new_ones(block, table, self.band, self.low, bits)? {
            *empty = (1 << count) - 1 + bits.read(count)?;
        }
        Some(())
    }

    /// One more bit of a band (T.81, G.1.2.3).
    fn further(
        &self,
        block: &mut Block,
        table: &Table,
        empty: &mut u32,
        bits: &mut Bits<'_>,
    ) -> Option<()> {
        let [mut at, last] = self.band;
        let one = 1_i16 << self.low;
        while *empty == 0 && at <= last {
            let (mut zeros, size) = pair(bits.decode(table)?);
            let new = match size {
                0 if zeros < 15 => {
                    *empty = (1 << zeros) + bits.read(zeros)?;
                    break;
                }
                0 => 0,
                1 => [-one, one][bits.read(1)? as usize],
                _ => return None,
            };
            // Over as many zeros, and a bit for each that is none.
            while let Some(place) = NATURAL.get(at).filter(|_| at <= last) {
                let value = &mut block[usize::from(*place)];
                if *value != 0 {
                    refine(value, one, bits)?;
                } else if zeros == 0 {
                    *value = new;
                    break;
                } else {
                    zeros -= 1;
                }
                at += 1;
            }
            if new != 0 && at > last {
                return None;
            }
            at += 1;
        }
        if *empty > 0 {
            for place in NATURAL.get(at..=last).unwrap_or_default() {
                let value = &mut block[usize::from(*place)];
                if *value != 0 {
                    refine(value, one, bits)?;
                }
            }
            *empty -= 1;
        }
        Some(())
    }
}

/// How many zeros come before, and how many bits a value has.
fn pair(code: u8) -> (u32, u32) {
    (u32::from(code >> 4), u32::from(code & 15))
}

fn mean(
    block: &mut Block,
    table: &Table,
    low: u8,
    before: &mut i32,
    bits: &mut Bits<'_>,
) -> Option<()> {
    let size = u32::from(bits.decode(table)?);
    if size > 15 {
        return None;
    }
    *before = before.wrapping_add(bits.read_signed(size)?);
    block[0] = (*before << low) as i16;
    Some(())
}

/// Coefficients of a band that none came of before, without their low bits. Where a code ends the block before the band does, the number
/// in it: a progressive scan says by so many bits how many blocks more are empty.
fn new_ones(
    block: &mut Block,
    table: &Table,
    [mut at, last]: [usize; 2],
    low: u8,
    bits: &mut Bits<'_>,
) -> Option<Option<u32>> {
    while at <= last {
        let (zeros, size) = pair(bits.decode(table)?);
        if size == 0 {
            if zeros < 15 {
                return Some(Some(zeros));
            }
            at += 16;
            continue;
        }
        at += zeros as usize;
        if at > last {
            return None;
        }
        block[usize::from(NATURAL[at])] = (bits.read_signed(size)? << low) as i16;
        at += 1;
    }
    Some(None)
}

/// Takes one more bit of a value, away from zero.
fn refine(value: &mut i16, one: i16, bits: &mut Bits<'_>) -> Option<()> {
    if bits.read(1)? == 1 && *value & one == 0 {
        *value = value.wrapping_add(if *value >= 0 { one } else { -one });
    }
    Some(())
}
