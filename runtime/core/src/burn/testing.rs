//! What the operators' tests share: one node run on a backend, and windows in plain loops.

use std::format;
use std::vec;
use std::vec::Vec;

use crate::burn::FloatBackend;
use crate::burn::{ExecuteError, Executor, Tensor};
use crate::graph::{Graph, Op};

/// Makes one test a backend out of a function generic over `B: FloatBackend`. With `burn-cuda` tests need an NVIDIA GPU, and fail without.
///
/// With `in float32`, not on a GPU's tensor cores, which round the operands of products to 11 bits.
macro_rules! on_every_backend {
    ($property:ident) => {
        on_every_backend!($property, in float32, on on_cuda);
    };
    ($property:ident, in float32 $(, on $cuda:ident)?) => {
        mod $property {
            #[cfg(feature = "burn-flex")]
            #[test]
            fn on_flex() {
                super::$property::<crate::burn::backend::Flex>();
            }
            #[cfg(feature = "burn-ndarray")]
            #[test]
            fn on_ndarray() {
                super::$property::<crate::burn::backend::NdArray>();
            }
            #[cfg(feature = "burn-candle")]
            #[test]
            fn on_candle() {
                super::$property::<crate::burn::backend::Candle>();
            }
            $(
                #[cfg(feature = "burn-cuda")]
                #[test]
                fn $cuda() {
                    super::$property::<crate::burn::backend::Cuda>();
                }
            )?
        }
    };
}
pub(crate) use on_every_backend;

/// The result of one operator: its first operand is the input, the others are constants.
pub(crate) fn try_run<B: FloatBackend>(
    op: Op,
    operands: Vec<(&[usize], Vec<f32>)>,
) -> Result<Tensor, ExecuteError> {
    let mut graph = Graph::default();
    let mut ids = Vec::new();
    for (index, (shape, data)) in operands.iter().enumerate() {
        ids.push(match index {
            0 => graph.add_value("x", shape.to_vec()),
            _ => graph.add_constant(format!("c{index}"), shape.to_vec(), data.clone()).unwrap(),
        });
    }
    graph.inputs.push(0);
    let y = graph.add_node("node", op, ids, "y").unwrap();
    graph.outputs.push(y);
    let (shape, data) = operands.into_iter().next().unwrap();
    let executor = Executor::<B>::new(&graph, &Default::default())?;
    let mut outputs = executor.run(&[Tensor { shape: shape.to_vec(), data }])?;
    Ok(outputs.remove(0))
}

/// As [`try_run`], for what must run.
pub(crate) fn run<B: FloatBackend>(
    op: Op,
    operands: Vec<(&[usize], Vec<f32>)>,
) -> (Vec<usize>, Vec<f32>) {
    let tensor = try_run::<B>(op, operands).unwrap();
    (tensor.shape, tensor.data)
}

/// Values of a fixed pseudo-random sequence in −1…1.
pub(crate) fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Fails unless both are equal to 1e-5, relative to the size of the value where that is over 1.
#[track_caller]
pub(crate) fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        let equal = found == expected || error <= 1e-5 * expected.abs().max(1.0);
        assert!(equal, "element {index}: {found} instead of {expected}");
    }
}

/// A tensor `[N, C, …]` that a window slides over.
pub(crate) struct Windowed {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

impl Windowed {
    pub(crate) fn noise(shape: &[usize], seed: u32) -> Self {
        Self { shape: shape.to_vec(), data: noise(shape.iter().product(), seed) }
    }

    /// The element there; nothing in the padding.
    pub(crate) fn at(&self, n: usize, c: usize, place: &[i64]) -> Option<f32> {
        let mut index = n * self.shape[1] + c;
        for (&position, &extent) in place.iter().zip(&self.shape[2..]) {
            let position = usize::try_from(position).ok().filter(|&p| p < extent)?;
            index = index * extent + position;
        }
        Some(self.data[index])
    }
}

pub(crate) mod windowed {
    use super::*;
    use crate::graph::Window;

    /// Every index of these extents, row-major.
    pub(crate) fn positions(extents: &[usize]) -> Vec<Vec<usize>> {
        let mut all = vec![vec![]];
        for &extent in extents {
            all = all
                .iter()
                .flat_map(|head: &Vec<usize>| {
                    (0..extent).map(move |i| head.iter().copied().chain([i]).collect())
                })
                .collect();
        }
        all
    }

    /// Where one element of the window at an output position reads; negative in the padding.
    pub(crate) fn place(window: &Window, position: &[usize], tap: &[usize]) -> Vec<i64> {
        (0..position.len())
            .map(|axis| {
                (position[axis] * window.strides[axis] + tap[axis] * window.dilations[axis]) as i64
                    - window.pads_begin[axis] as i64
            })
            .collect()
    }
}
