//! Features in four bits: half the room, at a loss that `docs/results/small-states.md` states.

/// Levels between the least and the greatest feature of a row.
const LEVELS: usize = 16;

/// Where the levels of a row lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spacing {
    /// At equal distances.
    Even = 0,
    /// Their distances grow from the least on: most features of a layer behind a ReLU are small.
    Growing = 1,
}

/// Bytes of a row: where its levels lie, its least and its greatest feature, and two features a byte.
pub(super) fn row_bytes(features: usize) -> usize {
    3 + features.div_ceil(2)
}

/// Moves every feature of a row to the nearest of 16 levels between its least and its greatest one. Done twice, it changes
/// nothing more.
pub(super) fn reduce(row: &mut [i8]) {
    let (_, levels, codes) = nearest(row);
    row.iter_mut().zip(codes).for_each(|(feature, code)| *feature = levels[usize::from(code)]);
}

/// The bytes of a reduced row:
///
/// ```text
/// offset  bytes
///      0      1  0: level k is least + rounded(k · (greatest − least) / 15)
///                1: level k is least + rounded(k² · (greatest − least) / 225)
///      1      1  least
///      2      1  greatest
///      3         a feature's level in four bits, the first one in the low bits; zeros behind an odd last one
/// ```
///
/// Of several ways to say a row this is the first: even levels before growing ones, lower levels before higher ones.
pub(super) fn emit(row: &[i8], bytes: &mut Vec<u8>) {
    let (spacing, levels, codes) = nearest(row);
    bytes.extend([spacing as u8, levels[0].cast_unsigned(), levels[LEVELS - 1].cast_unsigned()]);
    bytes.extend(codes.chunks(2).map(|pair| pair[0] | pair.get(1).map_or(0, |high| high << 4)));
}

/// A row from its bytes; `None` where [`emit`] would have written others.
pub(super) fn parse(bytes: &[u8], features: usize) -> Option<Vec<i8>> {
    let [spacing, least, greatest, codes @ ..] = bytes else { return None };
    let spacing = [Spacing::Even, Spacing::Growing].into_iter().find(|s| *s as u8 == *spacing)?;
    let levels = levels(spacing, least.cast_signed(), greatest.cast_signed());
    let both = codes.iter().flat_map(|pair| [pair & 15, pair >> 4]);
    let row: Vec<i8> = both.take(features).map(|code| levels[usize::from(code)]).collect();
    let mut again = Vec::with_capacity(bytes.len());
    emit(&row, &mut again);
    (row.len() == features && again == bytes).then_some(row)
}

fn levels(spacing: Spacing, least: i8, greatest: i8) -> [i8; LEVELS] {
    let range = i32::from(greatest) - i32::from(least);
    let level = |k: i32| match spacing {
        Spacing::Even => (2 * k * range + 15).div_euclid(30),
        Spacing::Growing => (2 * k * k * range + 225).div_euclid(450),
    };
    // Between the least and the greatest, or where these are the wrong way round, refused by whoever asks.
    std::array::from_fn(|k| (i32::from(least) + level(k as i32)) as i8)
}

/// The spacing that moves a row least, its levels, and the level of each feature.
fn nearest(row: &[i8]) -> (Spacing, [i8; LEVELS], Vec<u8>) {
    let least = row.iter().copied().min().unwrap_or(0);
    let greatest = row.iter().copied().max().unwrap_or(0);
    let [even, growing] = [Spacing::Even, Spacing::Growing].map(|spacing| {
        let levels = levels(spacing, least, greatest);
        // Of each of 256 features; the lower one of two levels that are as near.
        let code = |feature: i8| {
            let distance = |k: &u8| levels[usize::from(*k)].abs_diff(feature);
            (0..LEVELS as u8).min_by_key(distance).unwrap_or(0)
        };
        let table: [u8; 256] = std::array::from_fn(|at| code((at as u8).cast_signed()));
        let codes: Vec<u8> =
            row.iter().map(|feature| table[usize::from(feature.cast_unsigned())]).collect();
        let moved = row
            .iter()
            .zip(&codes)
            .map(|(feature, code)| u64::from(levels[usize::from(*code)].abs_diff(*feature)).pow(2));
        (moved.sum::<u64>(), (spacing, levels, codes))
    });
    if even.0 <= growing.0 { even.1 } else { growing.1 }
}

#[cfg(test)]
mod tests {
    use headstart::head::Random;

    use super::*;

    #[test]
    fn a_reduced_row_is_its_bytes_and_stays_as_it_is() {
        let mut random = Random::new(4);
        for round in 0..3000 {
            let features = 1 + random.below(40) as usize;
            let range = 1 + random.below(256);
            let least = random.below(257 - range) as i32 - 128;
            let mut row: Vec<i8> =
                (0..features).map(|_| (least + random.below(range) as i32) as i8).collect();
            if round % 2 == 0 {
                // Few are large.
                row.iter_mut().for_each(|q| *q = ((i32::from(*q) + 128).pow(2) / 256 - 128) as i8);
            }
            let whole = row.clone();
            reduce(&mut row);
            let mut bytes = Vec::new();
            emit(&row, &mut bytes);
            assert_eq!(bytes.len(), row_bytes(features));
            assert_eq!(parse(&bytes, features).as_deref(), Some(&row[..]));
            let mut again = row.clone();
            reduce(&mut again);
            assert_eq!(again, row);
            // Half of an even level's distance at most.
            let extent =
                i32::from(*whole.iter().max().unwrap()) - i32::from(*whole.iter().min().unwrap());
            let moved: f64 =
                whole.iter().zip(&row).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
            let bound = (f64::from(extent) / 30.0 + 0.5).powi(2) * features as f64;
            assert!(moved <= bound, "{moved} past {bound}");
        }
    }

    #[test]
    fn other_ways_to_say_a_row_are_refused() {
        let mut bytes = Vec::new();
        emit(&[-128, 127, -128], &mut bytes);
        assert_eq!(bytes, [0, 0x80, 0x7F, 0xF0, 0]);
        for (at, byte) in [(0, 1), (0, 2), (1, 0x7F), (2, 0x80), (3, 0xE0), (4, 0x10)] {
            let mut other = bytes.clone();
            other[at] = byte;
            assert_eq!(parse(&other, 3), None, "byte {at}");
        }
        assert_eq!(parse(&bytes[..4], 3), None);
        assert_eq!(parse(&[], 3), None);
    }
}
