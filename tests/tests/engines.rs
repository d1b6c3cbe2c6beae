//! The carried model's backbone on Burn backends against the int8 kernels, value by value.

mod beside;

use std::path::Path;

use beside::check;
use headstart::burn::{Integers, backend};
use headstart::pack::{Pack, Preprocessing, Resize};
use headstart::preprocess;
use headstart_tests::drawings::picture::{SIDE, picture};
use headstart_tests::drawings::{icons, random::Random};
use headstart_tools::import::model::Model;
use headstart_tools::quantise::plan::Aim;
use headstart_tools::quantise::quantised::{Settings, quantise};
use headstart_tools::quantise::sample::Sample;

#[test]
fn the_carried_model_gives_the_kernels_integers_on_every_backend() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("carried-model/shapes.onnx");
    let model = Model::load(&path).unwrap();
    let (graph, classifier) = model.classifier().unwrap();
    let plane = SIDE * SIDE;
    let inputs: Vec<Vec<f32>> = icons()
        .iter()
        .map(|(_, icon)| {
            let pixels = picture(icon, &mut Random::keyed(7, 0, 0));
            let value =
                |at: usize| (f32::from(pixels[at % plane * 3 + at / plane]) - 127.5) / 127.5;
            (0..3 * plane).map(value).collect()
        })
        .collect();
    let calibration: Vec<Sample> = inputs.iter().cloned().map(Sample::from).collect();
    let settings = Settings {
        freeze_point: graph.values[classifier.features].name.clone(),
        grid: 1,
        preprocessing: Preprocessing { resize: Resize::Stretch, mean: [127.5; 3], std: [127.5; 3] },
        max_classes: 10,
        arena: Aim::Speed,
        tail: None,
        per_place: false,
    };
    let quantised = quantise(&model, &graph, calibration[..].into(), settings, || ()).unwrap();
    let pack = Pack::open(&quantised.bytes).unwrap();
    let elements = pack.value(0).unwrap().elements() as usize;
    let mut samples = vec![0; inputs.len() * elements];
    for (sample, input) in samples.chunks_mut(elements).zip(&inputs) {
        preprocess::values(&pack, input.iter().copied(), sample).unwrap();
    }
    assert!(Integers::<backend::Flex>::new(&pack, &Default::default()).unwrap().is_exact());
    check("carried model", &pack, &samples);
}
