//! tract on an ONNX file: optimised, on one thread.

use conversation::Arguments;
use tract_onnx::prelude::*;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read()?;
    let fact = f32::fact(&arguments.shape).into();
    let model = tract_onnx::onnx().model_for_path(&arguments.model)?.with_input_fact(0, fact)?;
    let model = model.into_optimized()?.into_runnable()?;
    let input: TValue = Tensor::from_shape(&arguments.shape, &arguments.input)?.into();
    let answer = || -> anyhow::Result<TVec<TValue>> { model.run(tvec!(input.clone())) };
    arguments.serve(
        || {
            std::hint::black_box(answer()?);
            Ok(())
        },
        || Ok(answer()?[0].to_plain_array_view::<f32>()?.iter().copied().collect()),
    )
}
