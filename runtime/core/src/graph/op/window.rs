use std::format;
use std::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::graph::GraphError;
use crate::graph::shape::mismatch;

/// A sliding window over the spatial dimensions (one to three of them, after batch and channels).
///
/// Every list has one entry a spatial dimension, padding is explicit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Extent of the window along each dimension.
    pub kernel: Vec<usize>,
    /// Step from one window to the next.
    pub strides: Vec<usize>,
    /// Distance between the elements that a window reads.
    pub dilations: Vec<usize>,
    /// Padding before the first element.
    pub pads_begin: Vec<usize>,
    /// Padding after the last element.
    pub pads_end: Vec<usize>,
}

impl Window {
    /// A window of that extent over neighbouring elements, without padding, that moves by one.
    #[must_use]
    pub fn new(kernel: &[usize]) -> Self {
        let each = |n: usize| core::iter::repeat_n(n, kernel.len()).collect::<Vec<_>>();
        Self {
            kernel: kernel.to_vec(),
            strides: each(1),
            dilations: each(1),
            pads_begin: each(0),
            pads_end: each(0),
        }
    }

    /// Number of windows along each spatial dimension of extents `spatial`.
    ///
    /// # Errors
    ///
    /// [`GraphError::Shape`] if a list has the wrong length, an extent or step is 0, or the window
    /// does not fit into the padded input.
    pub fn output(&self, spatial: &[usize]) -> Result<Vec<usize>, GraphError> {
        let rank = spatial.len();
        let lists =
            [&self.kernel, &self.strides, &self.dilations, &self.pads_begin, &self.pads_end];
        if lists.iter().any(|list| list.len() != rank) {
            return mismatch(format!("a window of {} dimensions over {rank}", self.kernel.len()));
        }
        (0..rank)
            .map(|i| {
                let reach = self.kernel[i]
                    .checked_sub(1)
                    .and_then(|k| k.checked_mul(self.dilations[i]))
                    .and_then(|k| k.checked_add(1));
                let padded = spatial[i]
                    .checked_add(self.pads_begin[i])
                    .and_then(|s| s.checked_add(self.pads_end[i]));
                match (reach, padded) {
                    (Some(reach), Some(padded))
                        if padded >= reach && self.strides[i] > 0 && self.dilations[i] > 0 =>
                    {
                        Ok((padded - reach) / self.strides[i] + 1)
                    }
                    _ => mismatch(format!(
                        "a window of {:?} with strides of {:?}, dilations of {:?} and pads of {:?} before and {:?} \
                         behind does not fit {spatial:?} places",
                        self.kernel, self.strides, self.dilations, self.pads_begin, self.pads_end
                    )),
                }
            })
            .collect()
    }
}
