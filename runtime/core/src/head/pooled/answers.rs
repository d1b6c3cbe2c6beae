//! The logits of many samples.

use super::sums::{blocks, panel_len};
use crate::Error;
use crate::checked::{expect_len, product};
use crate::head::{LinearHead, Samples};
use crate::kernels::squares::{self, Line, SIDE};

/// Writes the logits of all samples, `[sample][class]`: those of [`LinearHead::logits`] but for rounding, and sooner. `panel` is
/// scratch memory of [`panel_len`].
///
/// # Errors
///
/// [`Error::BufferLength`].
pub fn logits(
    head: LinearHead<'_>,
    samples: Samples<'_>,
    logits: &mut [f32],
    panel: &mut [Line],
) -> Result<(), Error> {
    let (features, classes) = (head.feature_len(), head.classes());
    expect_len(samples.feature_len(), features)?;
    expect_len(logits.len(), product(&[samples.len(), classes])?)?;
    let needed = panel_len(features)?;
    if panel.len() < needed {
        return Err(Error::BufferLength { expected: needed, found: panel.len() });
    }
    let blocks = blocks(features);
    let (of_classes, rest) = panel.split_at_mut(blocks * SIDE);
    let of_samples = &mut rest[..blocks * SIDE];
    let mut sums = [[0.0; SIDE]; SIDE];
    for first in (0..classes).step_by(SIDE) {
        let count = SIDE.min(classes - first);
        of_classes.as_flattened_mut().fill(0.0);
        for (column, row) in
            head.weights().chunks_exact(features).skip(first).take(count).enumerate()
        {
            of_classes.iter_mut().zip(row).for_each(|(line, weight)| line[column] = *weight);
        }
        for start in (0..samples.len()).step_by(SIDE) {
            let own = SIDE.min(samples.len() - start);
            of_samples.as_flattened_mut().fill(0.0);
            for column in 0..own {
                let row = samples.row(start + column);
                of_samples.iter_mut().zip(row).for_each(|(line, &q)| line[column] = f32::from(q));
            }
            for column in 0..own {
                let biases = &head.bias()[first..first + count];
                logits[(start + column) * classes + first..][..count].copy_from_slice(biases);
            }
            for (a, b) in of_samples.chunks_exact(SIDE).zip(of_classes.chunks_exact(SIDE)) {
                squares::product(a, b, count, &mut sums);
                for (column, sums) in sums.iter().enumerate().take(own) {
                    let logits = &mut logits[(start + column) * classes + first..][..count];
                    logits.iter_mut().zip(sums).for_each(|(logit, sum)| *logit += sum);
                }
            }
        }
    }
    Ok(())
}
