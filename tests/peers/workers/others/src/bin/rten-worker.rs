//! rten on an ONNX file, weights packed in advance. `RTEN_NUM_THREADS` says how many threads.

use conversation::Arguments;
use rten::{ModelOptions, Value};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read()?;
    let mut options = ModelOptions::with_all_ops();
    let model = options.prepack_weights(true).load_file(&arguments.model)?;
    let input = Tensor::from_data(&arguments.shape, arguments.input.clone());
    let answer = || -> anyhow::Result<Value> { Ok(model.run_one(input.view().into(), None)?) };
    arguments.serve(
        || {
            std::hint::black_box(answer()?);
            Ok(())
        },
        || {
            let features: NdTensor<f32, 2> = answer()?.try_into()?;
            Ok(features.to_vec())
        },
    )
}
