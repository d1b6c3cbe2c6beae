//! Runs chains of convolutions whose results are kept a few rows at a time.
//!
//! For every strip of the chain's last result, each convolution makes the rows that are missing; rows
//! that the strip before had already move to the band's start.

use core::ops::Range;

use super::operands::{convolution, output, tensor};
use crate::Error;
use crate::kernels::Kernels;
use crate::kernels::generic::Tensor;
use crate::network::{Chain, MOST_STAGES, Network, Stage, Value};

impl Stage {
    /// Makes `rows` of the result in `out`, of an input whose rows from `first` on `x` holds.
    pub(crate) fn make(
        &self,
        network: &Network<'_>,
        kernels: Kernels,
        (x, first): (Tensor<'_>, usize),
        rows: &Range<usize>,
        out: &mut [i8],
    ) -> Result<(), Error> {
        let input = network.value(self.conv.input)?;
        let to = output(&self.value, self.conv.min, self.conv.max);
        let mut window = self.conv.window;
        let (stride, padding) = (usize::from(window.stride[0]), usize::from(window.padding[0]));
        // Rows before the first one that is read are left out, so that what is missing is padding.
        let start = (rows.start * stride).saturating_sub(padding).max(first);
        let skipped = (start - first) * x.width * x.channels;
        window.padding[0] = (padding + start - rows.start * stride) as u16;
        let mut c = convolution(network, &self.conv, (&input, x), (&self.value, to));
        c.x.data = &x.data[skipped..];
        c.x.height = x.height - (start - first);
        c.to.height = rows.len();
        c.window = &window;
        if self.conv.is_depthwise(&input, &self.value) {
            kernels.depthwise(&c, 0, out);
        } else {
            kernels.conv(&c, 0, out);
        }
        Ok(())
    }
}

impl Chain {
    /// Makes the whole chain in the arena, strip after strip; `see` is called with the node, its value,
    /// the first row and the rows' elements whenever some were made.
    pub(crate) fn run(
        &self,
        network: &Network<'_>,
        kernels: Kernels,
        arena: &mut [i8],
        see: impl FnMut(u32, &Value, usize, &[i8]),
    ) -> Result<(), Error> {
        let mut ranges = [const { 0..0 }; MOST_STAGES + 1];
        ranges[MOST_STAGES] = self.input.range();
        for (range, stage) in ranges.iter_mut().zip(self.stages()) {
            *range = stage.value.range();
        }
        // They lie apart: `part` saw to it.
        let [places @ .., input] =
            arena.get_disjoint_mut(ranges).map_err(|_| Error::ShapeOverflow)?;
        let mut places: [&mut [i8]; MOST_STAGES] = places;
        let rows = 0..self.result().height as usize;
        self.make(network, kernels, input, &mut places[..self.stages().len()], rows, see)
    }

    /// Makes some rows of the result in `out`, which holds just these, of the chain's input; bands are
    /// kept in `scratch`, which is made long enough.
    #[cfg(feature = "std")]
    pub(crate) fn make_rows(
        &self,
        network: &Network<'_>,
        kernels: Kernels,
        input: &[i8],
        scratch: &mut std::vec::Vec<i8>,
        rows: Range<usize>,
        out: &mut [i8],
    ) -> Result<(), Error> {
        let (_, bands) = self.stages().split_last().ok_or(Error::ShapeOverflow)?;
        let needed = bands.iter().map(|band| band.value.range().len()).sum();
        if scratch.len() < needed {
            scratch.resize(needed, 0);
        }
        let mut places: [&mut [i8]; MOST_STAGES] = core::array::from_fn(|_| Default::default());
        let mut free = scratch.as_mut_slice();
        for (place, band) in places.iter_mut().zip(bands) {
            (*place, free) = free.split_at_mut(band.value.range().len());
        }
        places[bands.len()] = out;
        self.make(
            network,
            kernels,
            input,
            &mut places[..self.stages().len()],
            rows,
            |_, _, _, _| (),
        )
    }

    /// Makes `rows` of the result, strip after strip, with one place a stage: the bands, and the result
    /// from `rows.start` on.
    fn make(
        &self,
        network: &Network<'_>,
        kernels: Kernels,
        input: &[i8],
        places: &mut [&mut [i8]],
        rows: Range<usize>,
        mut see: impl FnMut(u32, &Value, usize, &[i8]),
    ) -> Result<(), Error> {
        let last = self.stages().len() - 1;
        let mut had = [const { 0..0 }; MOST_STAGES];
        let mut next = rows.start;
        while next < rows.end {
            let strip = self.strip(next..(next + self.rows).min(rows.end));
            next = strip[last].end;
            for (at, stage) in self.stages().iter().enumerate() {
                let bytes = stage.value.row_bytes();
                let (before, here) = places.split_at_mut(at);
                let Some(place) = here.first_mut() else { return Err(Error::ShapeOverflow) };
                let (wanted, had) = (&strip[at], &had[at]);
                let mut first = wanted.start;
                // The result is whole: its rows have places of their own.
                let origin = if at < last { wanted.start } else { rows.start };
                if at < last && had.start <= first && first < had.end {
                    // Row by row: a row's old and new places never overlap.
                    let moved = (first - had.start) * bytes;
                    for row in 0..if moved > 0 { had.end - first } else { 0 } {
                        let (to, from) = place.split_at_mut(row * bytes + moved);
                        to[row * bytes..][..bytes].copy_from_slice(&from[..bytes]);
                    }
                    first = had.end;
                }
                let missing = first..wanted.end.max(first);
                if missing.is_empty() {
                    continue;
                }
                let out = (missing.start - origin) * bytes..(missing.end - origin) * bytes;
                let (x, origin) = match at.checked_sub(1) {
                    Some(source) => {
                        let (rows, value) = (&strip[source], &self.stages()[source].value);
                        let data = &before[source][..rows.len() * value.row_bytes()];
                        (Tensor { height: rows.len(), ..tensor(value, data) }, rows.start)
                    }
                    None => (tensor(&self.input, input), 0),
                };
                let result = &mut place[out];
                stage.make(network, kernels, (x, origin), &missing, result)?;
                see(stage.node, &stage.value, missing.start, result);
            }
            had = strip;
        }
        Ok(())
    }
}
