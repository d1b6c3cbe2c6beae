//! The logarithm in integers: a straight line between powers of two, and a table of what that is short of.
//!
//! Between the table's entries the C code goes on by 1/128 of the way only (it shifts by 16 bits where the entries are 9 apart).
//! Networks were trained on that, so that it stands here too: logarithms are up to 0.0024 too small.

/// Bits behind the binary point of logarithms.
const BITS: u32 = 16;
/// Bits that number the table's segments.
const SEGMENT_BITS: u32 = 7;
/// ln 2 with [`BITS`].
const LN_2: u64 = 45_426;
/// ⌊65536 (log2(1 + i / 128) − i / 128) + ½⌋.
static SHORT_OF: [u16; (1 << SEGMENT_BITS) + 1] = table();

const fn table() -> [u16; (1 << SEGMENT_BITS) + 1] {
    let mut table = [0; (1 << SEGMENT_BITS) + 1];
    let mut at = 0;
    while at < table.len() {
        let x = at as f64 / 128.0;
        // ln(1 + x) = 2 artanh(x / (2 + x))
        let s = x / (2.0 + x);
        let (mut sum, mut power, mut odd) = (0.0, s, 1.0);
        while odd < 80.0 {
            sum += power / odd;
            power *= s * s;
            odd += 2.0;
        }
        let log2 = 2.0 * sum / core::f64::consts::LN_2;
        table[at] = (65536.0 * (log2 - x) + 0.5) as u16;
        at += 1;
    }
    table
}

/// 65536 log2 of a number above 0.
fn log2(x: u32) -> u32 {
    let whole = 31 - x.leading_zeros();
    let rest = x - (1 << whole);
    let part = if whole < BITS { rest << (BITS - whole) } else { rest >> (whole - BITS) };
    let segment = part >> (BITS - SEGMENT_BITS);
    let [low, high] = [segment, segment + 1].map(|at| i32::from(SHORT_OF[at as usize]));
    let inside = (part - (segment << (BITS - SEGMENT_BITS))) as i32;
    let short = low + (((high - low) * inside) >> BITS);
    (whole << BITS) + part + short as u32
}

/// ln of a number above 0, times two to the power of `shift`, rounded.
fn ln(x: u32, shift: u32) -> u32 {
    let round = 1 << (BITS - 1);
    let natural = ((LN_2 * u64::from(log2(x)) + round) >> BITS) as u32;
    (natural << shift).wrapping_add(round as u32) >> BITS
}

/// What a channel's value becomes: corrected by `correction` bits, its logarithm where one is taken, and 65535 at most.
pub(super) fn scale(value: u32, correction: i32, log_shift: Option<u8>) -> u16 {
    let Some(shift) = log_shift else { return value.try_into().unwrap_or(u16::MAX) };
    let magnitude = correction.unsigned_abs();
    let value = if correction < 0 { value >> magnitude } else { value << magnitude };
    if value > 1 { ln(value, shift.into()).try_into().unwrap_or(u16::MAX) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_its_formula() {
        for (at, &entry) in SHORT_OF.iter().enumerate() {
            let x = at as f64 / 128.0;
            assert_eq!(entry, libm::floor(65536.0 * (libm::log2(1.0 + x) - x) + 0.5) as u16);
        }
    }

    #[test]
    fn logarithms_are_right_to_three_thousandths() {
        for x in (2..5000_u32).chain((4..31).map(|bit| (1 << bit) - 1)).chain([u32::MAX]) {
            let found = f64::from(ln(x, 11)) / 2048.0;
            assert!((found - libm::log(x.into())).abs() < 3e-3, "{x}: {found}");
        }
    }
}
