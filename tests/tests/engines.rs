//! Backbones on Burn backends against the int8 kernels, value by value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use headstart::backbone::Backbone;
use headstart::burn::backend::{self, Device};
use headstart::burn::{FloatBackend, Integers};
use headstart::pack::{Pack, Preprocessing, Resize};
use headstart::preprocess;
use headstart_tests::drawings::picture::{SIDE, picture};
use headstart_tests::drawings::{icons, random::Random};
use headstart_tools::import::model::Model;
use headstart_tools::quantise::plan::Aim;
use headstart_tools::quantise::quantised::{Settings, quantise};

/// What a backbone was found to do on a backend.
#[derive(Debug, Default)]
struct Found {
    values: usize,
    /// Values that have an element that is not the kernels'.
    differ: usize,
    /// The greatest difference, in steps.
    furthest: u8,
}

/// Every value of every sample, on the kernels and on the backend, all samples at once there.
fn compare<B: FloatBackend>(
    device: &Device<B>,
    pack: &Pack<'_>,
    samples: &[i8],
) -> (Integers<B>, Found) {
    let integers = Integers::<B>::new(pack, device).unwrap();
    let elements = pack.value(0).unwrap().elements() as usize;
    let mut arena = vec![0; pack.plan().arena_bytes as usize];
    let mut backbone = Backbone::new(*pack, &mut arena).unwrap();
    let mut expected: BTreeMap<u32, Vec<i8>> = BTreeMap::new();
    for sample in samples.chunks(elements) {
        // A value that is made in strips comes in as many parts, in the order of its rows.
        backbone
            .run(sample, |id, _, _, rows| expected.entry(id).or_default().extend_from_slice(rows))
            .unwrap();
    }
    let mut found = Found::default();
    let ids: Vec<u32> = expected.keys().copied().collect();
    integers
        .observe(samples, &ids, |id, data| {
            let expected = &expected[&id];
            assert_eq!(data.len(), expected.len(), "value {id}");
            let furthest =
                data.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
            found.values += 1;
            found.differ += usize::from(furthest > 0);
            found.furthest = found.furthest.max(furthest);
        })
        .unwrap();
    (integers, found)
}

/// On every backend that is compiled: exact where that is said, and never further than a step.
///
/// The features `cuda` and `candle-cuda` need an NVIDIA GPU: without one they fail.
fn check(name: &str, pack: &Pack<'_>, samples: &[i8]) {
    fn on<B: FloatBackend>(
        engine: &str,
        device: &Device<B>,
        name: &str,
        pack: &Pack<'_>,
        samples: &[i8],
    ) {
        let (integers, found) = compare::<B>(device, pack, samples);
        println!(
            "{name}: {engine}: {} values, {} differ, by {} at most; not proven exact: nodes {:?}",
            found.values,
            found.differ,
            found.furthest,
            integers.not_proven()
        );
        assert!(found.furthest <= u8::from(!integers.is_exact()), "{name}: {engine}: {found:?}");
    }
    on::<backend::Flex>("flex", &Default::default(), name, pack, samples);
    #[cfg(feature = "ndarray")]
    on::<backend::NdArray>("ndarray", &Default::default(), name, pack, samples);
    #[cfg(feature = "candle")]
    on::<backend::Candle>("candle", &Default::default(), name, pack, samples);
    #[cfg(feature = "cuda")]
    on::<backend::Cuda>("cuda", &backend::cuda_device(), name, pack, samples);
    #[cfg(feature = "candle-cuda")]
    on::<backend::Candle>("candle-cuda", &backend::candle_cuda_device(), name, pack, samples);
}

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
    let settings = Settings {
        freeze_point: graph.values[classifier.features].name.clone(),
        grid: 1,
        preprocessing: Preprocessing { resize: Resize::Stretch, mean: [127.5; 3], std: [127.5; 3] },
        max_classes: 10,
        arena: Aim::Speed,
        tail: None,
        per_place: false,
    };
    let quantised = quantise(&model, &graph, &inputs, settings, || ()).unwrap();
    let pack = Pack::open(&quantised.bytes).unwrap();
    let elements = pack.value(0).unwrap().elements() as usize;
    let mut samples = vec![0; inputs.len() * elements];
    for (sample, input) in samples.chunks_mut(elements).zip(&inputs) {
        preprocess::values(&pack, input.iter().copied(), sample).unwrap();
    }
    assert!(Integers::<backend::Flex>::new(&pack, &Default::default()).unwrap().is_exact());
    check("carried model", &pack, &samples);
}

/// `tests/engines/run MODELS` makes the packs and runs this.
#[test]
#[ignore = "reads the packs in the folder HEADSTART_PACKS"]
fn packs_in_a_folder_give_the_kernels_integers_on_every_backend() {
    let folder = PathBuf::from(std::env::var_os("HEADSTART_PACKS").expect("HEADSTART_PACKS"));
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "hspk"));
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let pack = Pack::open(&bytes).unwrap();
        let elements = pack.value(0).unwrap().elements() as usize;
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 as i8
        };
        let mut samples: Vec<i8> = (0..2 * elements).map(|_| noise()).collect();
        // Smooth, and as black and as white as can be.
        samples.extend((0..elements).map(|at| (at * 256 / elements) as u8 as i8));
        samples.extend((0..2 * elements).map(|at| if at < elements { -128 } else { 127 }));
        check(&path.file_name().unwrap().to_string_lossy(), &pack, &samples);
    }
}
