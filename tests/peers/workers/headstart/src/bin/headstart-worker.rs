//! Headstart: a pack's backbone, from the int8 input to the features.
//!
//! The kernels are those that `HEADSTART_ISA` names, or the CPU's best.

use std::cell::RefCell;

use conversation::Arguments;
use headstart_device::PackFile;
use headstart_device::samples::Decoded;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::read()?;
    let file = PackFile::open(&arguments.model)?;
    let pack = file.pack()?;
    let features = pack.feature_value()?;
    let (shape, values) = (arguments.shape.clone(), arguments.input.clone());
    let mut extractor = headstart_workers::extractor(pack)?;
    extractor.preprocess(&Decoded::Values { shape, values })?;
    let extractor = RefCell::new(extractor);
    arguments.serve(
        || {
            std::hint::black_box(extractor.borrow_mut().run()?);
            Ok(())
        },
        || {
            let real =
                |q: &i8| f32::from(i16::from(*q) - i16::from(features.zero_point)) * features.scale;
            Ok(extractor.borrow_mut().run()?.iter().map(real).collect())
        },
    )
}
