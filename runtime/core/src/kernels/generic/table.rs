use crate::network::TABLE_BYTES;

/// The results of a function of one element: those of −128, −127 … 127.
pub type Table = [u8; TABLE_BYTES];

/// Replaces every element by its entry: all of them by one table, or each channel's by its own. Elements are whole pixels.
#[inline(always)]
pub fn look_up(tables: &[Table], elements: &mut [i8]) {
    for (q, table) in elements.iter_mut().zip(tables.iter().cycle()) {
        *q = entry(table, *q);
    }
}

#[inline(always)]
pub(in crate::kernels) fn entry(table: &Table, q: i8) -> i8 {
    // One addition, which is part of an address.
    table[(isize::from(q) + 128).cast_unsigned()].cast_signed()
}
