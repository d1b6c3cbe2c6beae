//! Sparse constants: the elements that are stored, and lists that say where they stand.
//!
//! The file names the axes of the tensor, and those of small blocks within it, in the order in which the stored elements
//! walk through them; each is dense, so that all its places follow, or compressed, so that a list names those that are
//! there (`SparsityParameters` of `tensorflow/lite/schema/schema.fbs`; the format of Kjolstad et al. 2017, The Tensor
//! Algebra Compiler, doi:10.1145/3133901).

use super::flatbuffer::{Damage, Table};

type Outcome<T> = Result<T, String>;

/// How the places along one axis are told.
enum Places {
    /// All of them, so many.
    All(usize),
    /// Those of the list `at` from `ends[i]` to `ends[i + 1]` for the `i`-th way to come here.
    Listed { ends: Vec<usize>, at: Vec<usize> },
}

/// An axis, or a part of one that lies in a block.
struct Level {
    /// How many places it has.
    extent: usize,
    /// Elements of the dense tensor from one place to the next.
    stride: usize,
    places: Places,
}

/// All elements of a tensor of that shape, of which `stored` ones are not zero.
///
/// Neither time nor memory goes beyond the shape's elements and what the file holds: each list of places has an end for
/// each way to come there, and the last axis leads to as many places as there are stored elements.
///
/// # Errors
///
/// The text says what of the lists does not fit the shape or the stored elements.
pub(super) fn dense<T: Copy + Default>(
    sparsity: &Table<'_>,
    shape: &[usize],
    stored: &[T],
) -> Outcome<Vec<T>> {
    let levels = levels(sparsity, shape)?;
    check_counts(&levels, stored.len())?;
    let mut offsets = vec![0_usize];
    for level in &levels {
        offsets = match &level.places {
            Places::All(count) => {
                let along = |offset: usize| (0..*count).map(move |i| offset + i * level.stride);
                offsets.into_iter().flat_map(along).collect()
            }
            Places::Listed { ends, at } => {
                let ranges = offsets.iter().zip(ends.windows(2));
                let along = |(&offset, range): (&usize, &[usize])| {
                    let listed = at[range[0]..range[1]].iter();
                    listed.map(move |&place| offset + place * level.stride)
                };
                ranges.flat_map(along).collect()
            }
        };
    }
    let mut elements = vec![T::default(); shape.iter().product()];
    for (offset, &element) in offsets.into_iter().zip(stored) {
        elements[offset] = element;
    }
    Ok(elements)
}

/// Checks that each level has a list for each way to come to it, and the last one leads to each stored element. Ways are
/// only multiplied where all places follow, and then they are few: either a list of the file has an end for each, or each
/// is a stored element.
fn check_counts(levels: &[Level], stored: usize) -> Outcome<()> {
    let mut ways = 1_usize;
    for level in levels {
        ways = match &level.places {
            Places::All(count) => {
                let more = ways.checked_mul(*count);
                more.ok_or("is sparse, with too many places")?
            }
            Places::Listed { ends, at } => {
                let fits = ways.checked_add(1) == Some(ends.len())
                    && ends.first() == Some(&0)
                    && ends.last() == Some(&at.len())
                    && ends.is_sorted()
                    && at.iter().all(|&place| place < level.extent);
                if !fits {
                    return Err("is sparse, and its lists of places do not fit its shape".into());
                }
                at.len()
            }
        };
    }
    match ways == stored {
        true => Ok(()),
        false => Err(format!("is sparse, with {stored} elements of data for {ways} places")),
    }
}

/// The axes in the order in which the stored elements walk through them.
fn levels(sparsity: &Table<'_>, shape: &[usize]) -> Outcome<Vec<Level>> {
    let said = |damage: Damage| format!("is sparse, with {} at byte {}", damage.what, damage.byte);
    let whole = |words: &[[u8; 4]]| -> Outcome<Vec<usize>> {
        let word = |&word: &[u8; 4]| usize::try_from(i32::from_le_bytes(word)).ok();
        let list: Option<Vec<usize>> = words.iter().map(word).collect();
        list.ok_or_else(|| "is sparse, with a negative place".to_owned())
    };
    let order = whole(sparsity.words(0).map_err(said)?)?;
    let blocks = whole(sparsity.words(1).map_err(said)?)?;
    let described = sparsity.tables(2).map_err(said)?;
    let rank = shape.len();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    let fits = sorted.iter().copied().eq(0..rank + blocks.len())
        && described.count == order.len()
        && blocks.iter().all(|&axis| axis < rank)
        && (1..blocks.len()).all(|i| !blocks[..i].contains(&blocks[i]));
    if !fits {
        return Err(format!("is sparse, with axes {order:?} and blocks along {blocks:?}"));
    }
    let mut places = Vec::with_capacity(order.len());
    for level in 0..order.len() {
        let table = described.at(level).map_err(said)?.ok_or("is sparse, without its places")?;
        places.push(match table.i8(0).map_err(said)? {
            0 => Places::All(whole(&[table.i32(1, 0).map_err(said)?.to_le_bytes()])?[0]),
            1 => Places::Listed { ends: list(&table, 2)?, at: list(&table, 4)? },
            other => return Err(format!("is sparse, with an axis of kind {other}")),
        });
    }
    // Blocks are dense: their extents are stated.
    let block = |number: usize| -> Outcome<usize> {
        let level = order.iter().position(|&axis| axis == rank + number);
        match level.and_then(|level| places.get(level)) {
            Some(Places::All(extent)) if *extent > 0 => Ok(*extent),
            _ => Err("is sparse, in blocks that are sparse or empty".into()),
        }
    };
    let sizes = (0..blocks.len()).map(block).collect::<Outcome<Vec<_>>>()?;
    let mut levels = Vec::with_capacity(order.len());
    for (&axis, places) in order.iter().zip(places) {
        let of = axis.checked_sub(rank).map_or(axis, |number| blocks[number]);
        let inner: usize = shape[of + 1..].iter().product();
        let size = blocks.iter().position(|&along| along == of).map_or(1, |number| sizes[number]);
        let (extent, stride) = match axis < rank {
            true => (shape[of] / size, inner.saturating_mul(size)),
            false => (size, inner),
        };
        let is_whole = shape[of].is_multiple_of(size);
        if !is_whole || matches!(places, Places::All(count) if count != extent) {
            return Err(format!("is sparse, and axis {of} of its shape {shape:?} does not fit"));
        }
        levels.push(Level { extent, stride, places });
    }
    Ok(levels)
}

/// A list of numbers of one, two or four bytes, by its type in slot `slot`.
fn list(table: &Table<'_>, slot: usize) -> Outcome<Vec<usize>> {
    let said = |damage: Damage| format!("is sparse, with {} at byte {}", damage.what, damage.byte);
    let kind = table.i8(slot).map_err(said)?;
    let of = table.table(slot + 1).map_err(said)?.ok_or("is sparse, without a list of places")?;
    let list: Option<Vec<usize>> = match kind {
        1 => {
            let words = of.words(0).map_err(said)?.iter();
            words.map(|&word| usize::try_from(i32::from_le_bytes(word)).ok()).collect()
        }
        2 => {
            let words = of.half_words(0).map_err(said)?.iter();
            words.map(|&word| Some(usize::from(u16::from_le_bytes(word)))).collect()
        }
        3 => of.bytes(0).map_err(said)?.iter().map(|&byte| Some(usize::from(byte))).collect(),
        other => return Err(format!("is sparse, with lists of kind {other}")),
    };
    list.ok_or_else(|| "is sparse, with a negative place".to_owned())
}
