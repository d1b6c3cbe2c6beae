//! One backbone on the kernels and on Burn's backends, value by value.

use std::collections::BTreeMap;

use headstart::backbone::Backbone;
use headstart::burn::backend::{self, Device};
use headstart::burn::{FloatBackend, Integers};
use headstart::pack::Pack;

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
pub(crate) fn check(name: &str, pack: &Pack<'_>, samples: &[i8]) {
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
