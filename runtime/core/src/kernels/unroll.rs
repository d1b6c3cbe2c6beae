//! Loops that are written out, so that arrays of registers stay in registers.

/// Runs a block for each counter of the list that is below `$count`; the counter is a constant.
/// The list bounds what is compiled: it must hold all numbers up to the greatest count.
macro_rules! unroll {
    ($i:ident in [$($n:literal)*], below $count:expr => $body:block) => {
        $(if $n < $count {
            #[allow(non_upper_case_globals, reason = "it is read like a loop's counter")]
            const $i: usize = $n;
            #[allow(clippy::absurd_extreme_comparisons, reason = "0 is one of the counters")]
            $body
        })*
    };
}
