use std::string::ToString;
use std::vec;
use std::vec::Vec;

use burn::tensor::backend::Backend;
use burn::tensor::ops::{Device, FloatTensor};
use burn::tensor::{Shape, TensorData};

use super::ExecuteError;

/// A tensor in the host's memory: row-major float32.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The dimensions, batch included.
    pub shape: Vec<usize>,
    /// The elements, as many as the shape says.
    pub data: Vec<f32>,
}

/// A tensor on a backend, with the shape that the graph means.
///
/// Backends differ on tensors without dimensions, so a scalar lives there with the shape `[1]`; so
/// does a tensor without elements, as a zero that nobody reads.
#[derive(Clone)]
pub(super) struct Array<B: Backend> {
    /// The tensor itself.
    pub(super) primitive: FloatTensor<B>,
    /// The graph's shape of it.
    pub(super) shape: Vec<usize>,
}

impl<B: Backend> Array<B> {
    /// Uploads `data`, which fills `shape`.
    pub(super) fn upload(mut data: Vec<f32>, shape: Vec<usize>, device: &Device<B>) -> Self {
        if shape.contains(&0) {
            data = vec![0.0];
        }
        let primitive =
            B::float_from_data(TensorData::new(data, physical(&shape).to_vec()), device);
        Self { primitive, shape }
    }

    /// The same elements in another shape.
    pub(super) fn reshaped(self, shape: Vec<usize>) -> Self {
        Self { primitive: reshape::<B>(self.primitive, &shape), shape }
    }

    /// Copies the elements back.
    pub(super) fn download(self) -> Result<Tensor, ExecuteError> {
        if self.shape.contains(&0) {
            return Ok(Tensor { shape: self.shape, data: vec![] });
        }
        let data = burn::tensor::try_read_sync(B::float_into_data(self.primitive))
            .ok_or_else(|| ExecuteError::Backend("it cannot be read synchronously".to_string()))?
            .map_err(|error| ExecuteError::Backend(error.to_string()))?
            .convert::<f32>()
            .into_vec::<f32>()
            .map_err(|error| ExecuteError::Backend(error.to_string()))?;
        Ok(Tensor { shape: self.shape, data })
    }
}

/// The backend's dimensions for a tensor of the graph's `shape`.
fn physical(shape: &[usize]) -> &[usize] {
    if shape.is_empty() || shape.contains(&0) { &[1] } else { shape }
}

/// The same elements in another shape of the graph.
pub(super) fn reshape<B: Backend>(x: FloatTensor<B>, shape: &[usize]) -> FloatTensor<B> {
    B::float_reshape(x, Shape::from(physical(shape).to_vec()))
}
