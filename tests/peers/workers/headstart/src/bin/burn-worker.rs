//! Burn's own CPU backend, flex, in float32, through the project's executor of float graphs.
//!
//! `RAYON_NUM_THREADS` says how many threads.

use conversation::Arguments;
use headstart::burn::backend::Flex;
use headstart::burn::{Executor, Tensor};
use headstart_tools::import::model::Model;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read()?;
    let graph = Model::load(&arguments.model)?.simplified();
    let executor = Executor::<Flex>::new(&graph, &Default::default())?;
    let input = [Tensor { shape: arguments.shape.clone(), data: arguments.input.clone() }];
    arguments.serve(
        || {
            std::hint::black_box(executor.run(&input)?);
            Ok(())
        },
        || Ok(executor.run(&input)?.remove(0).data),
    )
}
