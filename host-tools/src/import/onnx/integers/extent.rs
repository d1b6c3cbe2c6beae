//! Integer tensors that grow and shrink along their axes: padding and windows.

use headstart::graph::{Pad, PadMode, Window};

use super::{Integers, count};

type Outcome<T> = Result<T, String>;

impl Integers {
    /// `Pad`; what stands in the padding of mode `Constant` is `value`.
    pub(in super::super) fn pad(&self, pad: &Pad, value: i64) -> Outcome<Self> {
        let grown = |axis: usize| {
            self.shape[axis]
                .checked_add(pad.begin[axis])
                .and_then(|n| n.checked_add(pad.end[axis]))
                .ok_or_else(|| format!("pads of {:?} and {:?}", pad.begin, pad.end))
        };
        let shape = (0..self.shape.len()).map(grown).collect::<Outcome<Vec<_>>>()?;
        let source = |flat: usize| {
            let mut from = 0;
            for (axis, position) in place(flat, &shape).into_iter().enumerate() {
                let extent = self.shape[axis] as i64;
                let position = position as i64 - pad.begin[axis] as i64;
                let inside = match pad.mode {
                    PadMode::Constant(_) if !(0..extent).contains(&position) => return None,
                    PadMode::Constant(_) => position,
                    PadMode::Edge => position.clamp(0, extent - 1),
                    PadMode::Wrap => position.rem_euclid(extent),
                    // The amounts are smaller than the extent: one fold is enough.
                    PadMode::Reflect => (extent - 1) - ((extent - 1) - position.abs()).abs(),
                };
                from = from * self.shape[axis] + inside as usize;
            }
            Some(from)
        };
        let element = |flat| source(flat).map_or(value, |from| self.data[from]);
        let data = (0..count(&shape)?).map(element).collect();
        Ok(Self { shape, data, kind: self.kind })
    }

    /// Elements that all windows of a pool see.
    pub(in super::super) fn seen_by(&self, window: &Window) -> Outcome<u64> {
        Ok(count(&self.pooled(window)?)? as u64 * count(&window.kernel)? as u64)
    }

    fn pooled(&self, window: &Window) -> Outcome<Vec<usize>> {
        let spatial = self.shape.get(2..).unwrap_or_default();
        let outputs = window.output(spatial).map_err(|error| error.to_string())?;
        Ok([&self.shape[..2], &outputs].concat())
    }

    /// `MaxPool`; padding never wins.
    pub(in super::super) fn max_pool(&self, window: &Window) -> Outcome<Self> {
        let shape = self.pooled(window)?;
        let spatial = self.shape.get(2..).unwrap_or_default();
        let plane: usize = spatial.iter().product();
        let taps = count(&window.kernel)?;
        let mut data = Vec::with_capacity(count(&shape)?);
        for flat in 0..count(&shape)? {
            let position = place(flat, &shape);
            let channel = position[0] * self.shape[1] + position[1];
            let seen = (0..taps).filter_map(|tap| {
                let mut at = 0;
                for (axis, tap) in place(tap, &window.kernel).into_iter().enumerate() {
                    let reached =
                        position[2 + axis] * window.strides[axis] + tap * window.dilations[axis];
                    let inside = reached.checked_sub(window.pads_begin[axis]);
                    at = at * spatial[axis] + inside.filter(|&i| i < spatial[axis])?;
                }
                Some(self.data[channel * plane + at])
            });
            let greatest = seen.max_by(|&a, &b| self.kind.order(a, b));
            data.push(greatest.ok_or("a window that sees padding only")?);
        }
        Ok(Self { shape, data, kind: self.kind })
    }
}

/// The place of element `flat` along every axis.
fn place(mut flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut place = vec![0; shape.len()];
    for (position, &extent) in place.iter_mut().zip(shape).rev() {
        *position = flat % extent;
        flat /= extent;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::super::IntegerType;
    use super::*;

    fn list(data: Vec<i64>, kind: IntegerType) -> Integers {
        Integers { shape: vec![1, 1, data.len()], data, kind }
    }

    #[test]
    fn padding_repeats_what_its_mode_says() {
        let x = list(vec![1, 2, 3], IntegerType::Int32);
        let padded = |mode, value| {
            let pad = Pad { begin: vec![0, 0, 2], end: vec![0, 0, 1], mode };
            x.pad(&pad, value).unwrap().data
        };
        assert_eq!(padded(PadMode::Constant(0.0), 9), [9, 9, 1, 2, 3, 9]);
        assert_eq!(padded(PadMode::Edge, 0), [1, 1, 1, 2, 3, 3]);
        assert_eq!(padded(PadMode::Reflect, 0), [3, 2, 1, 2, 3, 2]);
        assert_eq!(padded(PadMode::Wrap, 0), [2, 3, 1, 2, 3, 1]);
        let mode = PadMode::Edge;
        let huge = Pad { begin: vec![0, 0, usize::MAX], end: vec![0; 3], mode };
        assert!(x.pad(&huge, 0).is_err());
    }

    #[test]
    fn the_greatest_is_that_of_the_type_and_never_the_padding() {
        let window = Window {
            kernel: vec![2],
            strides: vec![2],
            dilations: vec![1],
            pads_begin: vec![1],
            pads_end: vec![0],
        };
        let pooled = |data, kind| list(data, kind).max_pool(&window).unwrap().data;
        assert_eq!(pooled(vec![-5, -2, -3], IntegerType::Int8), [-5, -2]);
        assert_eq!(pooled(vec![1, -1, 7], IntegerType::Uint64), [1, -1]);
    }
}
