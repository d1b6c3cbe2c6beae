//! A logical tensor over an int8 value in the arena: reshapes and transpositions cost nothing
//! until something needs the elements in another order.

use crate::cut::layout::groups;

/// Dimensions and steps in memory of a graph tensor, batch left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The index of the value in the arena.
    pub value: u32,
    /// The extents, in the order of the source model.
    pub dims: Vec<usize>,
    /// The step in memory along each of the extents.
    pub strides: Vec<usize>,
}

/// Axes from the outermost in memory to the innermost.
pub type Order = Vec<usize>;

/// Axes of an image in the device's order: spatial axes first, channels (axis 0) last.
#[must_use]
pub fn channels_last(rank: usize) -> Order {
    (1..rank).chain((rank > 0).then_some(0)).collect()
}

impl View {
    /// A view of a value whose elements lie in `order` without gaps.
    #[must_use]
    pub fn contiguous(value: u32, dims: Vec<usize>, order: &[usize]) -> Self {
        let mut strides = vec![0; dims.len()];
        let mut step = 1;
        for &axis in order.iter().rev() {
            strides[axis] = step;
            step *= dims[axis];
        }
        Self { value, dims, strides }
    }

    /// The number of elements.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether the elements lie in `order` without gaps (axes of extent 1 lie anywhere).
    #[must_use]
    pub fn lies_in(&self, order: &[usize]) -> bool {
        let wanted = Self::contiguous(self.value, self.dims.clone(), order);
        (0..self.dims.len()).all(|i| self.dims[i] == 1 || self.strides[i] == wanted.strides[i])
    }

    /// Reorders axes: axis `i` of the result is axis `permutation[i]`.
    #[must_use]
    pub fn transpose(&self, permutation: &[usize]) -> Self {
        let pick = |list: &[usize]| permutation.iter().map(|&axis| list[axis]).collect();
        Self { value: self.value, dims: pick(&self.dims), strides: pick(&self.strides) }
    }

    /// Views the elements with other extents, if that needs no copy.
    #[must_use]
    pub fn reshape(&self, dims: &[usize]) -> Option<Self> {
        let mut strides = vec![1; dims.len()];
        for group in groups(&self.dims, dims)? {
            let axes: Vec<usize> = group.from.clone().filter(|&axis| self.dims[axis] > 1).collect();
            let dense = axes
                .windows(2)
                .all(|pair| self.strides[pair[0]] == self.strides[pair[1]] * self.dims[pair[1]]);
            if !dense {
                return None;
            }
            let mut step = axes.last().map_or(1, |&axis| self.strides[axis]);
            for axis in group.to.rev() {
                strides[axis] = step;
                step *= dims[axis];
            }
        }
        Some(Self { value: self.value, dims: dims.to_vec(), strides })
    }

    /// The order in which elements must be copied so that [`reshape`](Self::reshape) to `dims`
    /// succeeds and gives a tensor with channels last.
    #[must_use]
    pub fn order_for_reshape(&self, dims: &[usize]) -> Order {
        let Some(groups) = groups(&self.dims, dims) else { return (0..self.dims.len()).collect() };
        let first_last = groups.iter().skip(1).chain(groups.first());
        if dims.len() < 2 || groups.first().is_none_or(|group| group.to.len() != 1) {
            return (0..self.dims.len()).collect();
        }
        first_last.flat_map(|group| group.from.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_shuffle_needs_one_copy() {
        let image = View::contiguous(0, vec![6, 4, 5], &channels_last(3));
        let split = image.reshape(&[2, 3, 4, 5]).unwrap();
        assert_eq!(split.strides, [3, 1, 30, 6]);
        let swapped = split.transpose(&[1, 0, 2, 3]);
        assert_eq!(swapped.reshape(&[6, 4, 5]), None);
        let order = swapped.order_for_reshape(&[6, 4, 5]);
        assert_eq!(order, [2, 3, 0, 1]);
        let copied = View::contiguous(1, swapped.dims, &order);
        assert!(copied.reshape(&[6, 4, 5]).unwrap().lies_in(&channels_last(3)));
    }

    #[test]
    fn flattening_pooled_channels_is_free_and_flattening_an_image_is_not() {
        let pooled = View::contiguous(0, vec![8, 1, 1], &channels_last(3));
        assert_eq!(pooled.reshape(&[8]).unwrap().strides, [1]);
        let image = View::contiguous(0, vec![8, 2, 2], &channels_last(3));
        assert_eq!(image.reshape(&[32]), None);
        assert_eq!(image.order_for_reshape(&[32]), [0, 1, 2]);
    }
}
