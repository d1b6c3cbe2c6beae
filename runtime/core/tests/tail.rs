//! Training a tail gives PyTorch's losses (`tail/golden.py` made them), and frozen constants stay as they are.
#![cfg(any(feature = "burn-flex", feature = "burn-ndarray", feature = "burn-candle"))]

use headstart::burn::FloatBackend;
use headstart::burn::backend::{self, Autodiff, AutodiffBackend};
use headstart::burn::tail::{LastLayer, Optimiser, Settings, TailTrainer};
use headstart::graph::{Activation, Binary, Conv, Graph, Op, ValueId, Window};

const STEPS: usize = 60;
const SAMPLES: usize = 24;
const BATCH: usize = 8;
const CLASSES: usize = 4;
const SIDE: usize = 6;
const PIXELS: usize = SIDE * SIDE;

fn noise(count: usize, seed: u32, scale: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * scale
    };
    (0..count).map(|_| next()).collect()
}

/// Expand, depthwise, project with a residual, means; and its constants.
fn tail() -> (Graph, Vec<ValueId>) {
    let mut graph = Graph::default();
    let x = graph.add_value("x", vec![1, 3, SIDE, SIDE]);
    graph.inputs.push(x);
    let mut constants = Vec::new();
    let mut conv = |graph: &mut Graph, x, seed: u32, shape: [usize; 4], groups| {
        let count = shape.iter().product();
        let name = format!("weight{seed}");
        let weight = graph.add_constant(name, shape.to_vec(), noise(count, seed, 0.5)).unwrap();
        let bias = noise(shape[0], 10 + seed, 0.1);
        let bias = graph.add_constant(format!("bias{seed}"), vec![shape[0]], bias).unwrap();
        constants.extend([weight, bias]);
        let window = Window {
            kernel: shape[2..].to_vec(),
            strides: vec![1; 2],
            dilations: vec![1; 2],
            pads_begin: vec![shape[2] / 2; 2],
            pads_end: vec![shape[2] / 2; 2],
        };
        let name = format!("conv{seed}");
        let op = Op::Conv(Conv { window, groups });
        graph.add_node(name.clone(), op, vec![x, weight, bias], name).unwrap()
    };
    let y = conv(&mut graph, x, 1, [8, 3, 1, 1], 1);
    let clip = Op::Activation(Activation::Clip { min: 0.0, max: 6.0 });
    let y = graph.add_node("clip", clip, vec![y], "clip").unwrap();
    let y = conv(&mut graph, y, 2, [8, 1, 3, 3], 8);
    let relu = Op::Activation(Activation::Relu);
    let y = graph.add_node("relu", relu, vec![y], "relu").unwrap();
    let y = conv(&mut graph, y, 3, [3, 8, 3, 3], 1);
    let y = graph.add_node("sum", Op::Binary(Binary::Add), vec![x, y], "sum").unwrap();
    let y = graph.add_node("mean", Op::GlobalAveragePool, vec![y], "mean").unwrap();
    graph.outputs.push(y);
    (graph, constants)
}

fn samples() -> (Vec<Vec<f32>>, Vec<u16>) {
    let labels: Vec<u16> = (0..SAMPLES).map(|sample| (sample % CLASSES) as u16).collect();
    let mut x: Vec<Vec<f32>> =
        noise(SAMPLES * 3 * PIXELS, 99, 1.0).chunks(3 * PIXELS).map(<[f32]>::to_vec).collect();
    for (x, &label) in x.iter_mut().zip(&labels) {
        let plane = usize::from(label) % 3 * PIXELS;
        let more = 0.4 * f32::from(label + 1) / CLASSES as f32;
        x[plane..plane + PIXELS].iter_mut().for_each(|value| *value += more);
    }
    (x, labels)
}

fn run<B: FloatBackend>(trained: &[ValueId], settings: Settings, rate: f32) -> (Vec<f32>, Outcome)
where
    Autodiff<B>: AutodiffBackend + FloatBackend,
{
    let (graph, _) = tail();
    let last = LastLayer { weights: vec![0.0; 3 * CLASSES], bias: vec![0.0; CLASSES] };
    let mut trainer = TailTrainer::<Autodiff<B>>::new(&graph, trained, last, settings).unwrap();
    let (x, labels) = samples();
    let mut losses = Vec::new();
    for step in 0..STEPS {
        let chosen: Vec<usize> = (0..BATCH).map(|at| (step * BATCH + at) * 5 % SAMPLES).collect();
        let input: Vec<f32> = chosen.iter().flat_map(|&sample| x[sample].iter().copied()).collect();
        let labels: Vec<u16> = chosen.iter().map(|&sample| labels[sample]).collect();
        if step == STEPS / 2 {
            // Cut off here, training goes on as if nothing had been.
            let snapshot = trainer.snapshot().unwrap();
            let last = LastLayer { weights: vec![1.0; 3 * CLASSES], bias: vec![1.0; CLASSES] };
            trainer = TailTrainer::new(&graph, trained, last, settings).unwrap();
            assert!(trainer.restore(&snapshot));
            assert!(!trainer.restore(&Default::default()));
        }
        losses.push(trainer.step(&[input], &labels, rate).unwrap());
    }
    (losses, trainer.learned().unwrap())
}

type Outcome = (std::collections::BTreeMap<ValueId, std::sync::Arc<[f32]>>, LastLayer);

const SGD: Settings = Settings {
    optimiser: Optimiser::Sgd { momentum: 0.9 },
    weight_decay: 1e-3,
    clip: None,
    label_smoothing: 0.0,
};
const ADAMW: Settings = Settings {
    optimiser: Optimiser::AdamW,
    weight_decay: 0.05,
    clip: Some(0.5),
    label_smoothing: 0.1,
};

fn losses_are_those_of_pytorch<B: FloatBackend>()
where
    Autodiff<B>: AutodiffBackend + FloatBackend,
{
    let (_, constants) = tail();
    for (line, (settings, rate)) in
        include_str!("tail/golden.txt").lines().zip([(SGD, 0.1), (ADAMW, 0.02)])
    {
        let golden: Vec<f32> = line.split(' ').skip(1).map(|loss| loss.parse().unwrap()).collect();
        let (losses, _) = run::<B>(&constants, settings, rate);
        assert_eq!(losses.len(), golden.len());
        assert!(golden[STEPS - 1] < 0.9 * golden[0], "nothing is learned: {line}");
        for (step, (found, golden)) in losses.iter().zip(&golden).enumerate() {
            let error = (found - golden).abs() / golden;
            assert!(error <= 0.01, "{settings:?}, step {step}: {found} and not {golden}");
        }
    }
}

fn frozen_constants_do_not_change_by_a_bit<B: FloatBackend>()
where
    Autodiff<B>: AutodiffBackend + FloatBackend,
{
    let (graph, constants) = tail();
    let trained = [constants[2], constants[5]];
    let (_, (learned, last)) = run::<B>(&trained, ADAMW, 0.02);
    assert_eq!(learned.keys().copied().collect::<Vec<_>>(), trained);
    for id in trained {
        assert_ne!(Some(&learned[&id]), graph.values[id].constant.as_ref());
    }
    assert!(last.weights.iter().any(|&w| w != 0.0));
}

/// `torch.nn.functional.cross_entropy(logits, y, weight=w, label_smoothing=0.1)` for logits `[0, ln 3]`, classes 0, 0, 1 and
/// weights 0.5 and 2.
fn classes_weigh_as_in_pytorch<B: FloatBackend>()
where
    Autodiff<B>: AutodiffBackend + FloatBackend,
{
    let (graph, _) = tail();
    let last = LastLayer { weights: vec![0.0; 3 * 2], bias: vec![0.0, 3_f32.ln()] };
    let settings = Settings { label_smoothing: 0.1, ..SGD };
    let mut trainer = TailTrainer::<Autodiff<B>>::new(&graph, &[], last, settings).unwrap();
    assert!(!trainer.weigh_classes(&[1.0]) && !trainer.weigh_classes(&[1.0, f32::NAN]));
    assert!(trainer.weigh_classes(&[0.5, 2.0]));
    let input = vec![0.5; 3 * 3 * PIXELS];
    let loss = trainer.step(&[input], &[0, 0, 1], 0.0).unwrap();
    assert!((loss - LOSS_OF_WEIGHTS).abs() < 1e-5, "{loss}");
}

const LOSS_OF_WEIGHTS: f32 = 0.651_923_06;

/// A map of two channels for a map of three, and a trainer of three classes on it with this last layer.
fn of_places<B: FloatBackend>(weights: &[f32], settings: Settings) -> TailTrainer<Autodiff<B>>
where
    Autodiff<B>: AutodiffBackend + FloatBackend,
{
    let mut graph = Graph::default();
    let x = graph.add_value("x", vec![1, 3, 2, 2]);
    graph.inputs.push(x);
    let weight = graph.add_constant("w", vec![2, 3, 1, 1], noise(6, 5, 1.0)).unwrap();
    let window = Window::new(&[1; 2]);
    let y =
        graph.add_node("c", Op::Conv(Conv { window, groups: 1 }), vec![x, weight], "y").unwrap();
    graph.outputs.push(y);
    let last = LastLayer { weights: weights.to_vec(), bias: vec![0.1, 0.0, -0.1] };
    TailTrainer::per_place(&Default::default(), &graph, &[weight], last, settings, 0.7).unwrap()
}

fn places_have_the_loss_of_their_formula_and_its_slope<B: FloatBackend>()
where
    Autodiff<B>: AutodiffBackend + FloatBackend,
{
    let plain = Settings {
        optimiser: Optimiser::Sgd { momentum: 0.0 },
        weight_decay: 0.0,
        clip: None,
        label_smoothing: 0.0,
    };
    let (weights, input) = (noise(6, 6, 0.8), [noise(2 * 12, 7, 1.0)]);
    // Two samples of four places; the second place shows two classes, the last does not count.
    let mut targets = vec![0.0; 2 * 4 * 3];
    for (place, class) in [2, 0, 1, 1, 0, 0, 2].into_iter().enumerate() {
        targets[3 * place + class] = 1.0;
    }
    (targets[3], targets[4]) = (0.25, 0.75);
    let loss_at = |weights: &[f32]| {
        let mut trainer = of_places::<B>(weights, plain);
        trainer.step_towards(&input, 2, targets.clone(), 0.0).unwrap()
    };

    let logits = of_places::<B>(&weights, plain).logits(&input, 2).unwrap();
    let (mut entropy, mut both, mut each) = (0.0, [0.0; 3], [0.0; 3]);
    for (logits, targets) in logits.chunks(3).zip(targets.chunks(3)).take(7) {
        let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
        for class in 0..3 {
            let probability = logits[class].exp() / sum;
            entropy -= targets[class] * probability.ln() / 7.0;
            both[class] += targets[class] * probability;
            each[class] += targets[class] + probability;
        }
    }
    let dice: f32 = (0..3).map(|c| (2.0 * both[c] + 1.0) / (each[c] + 1.0)).sum::<f32>() / 3.0;
    let expected = entropy + 0.7 * (1.0 - dice);
    let found = loss_at(&weights);
    assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");

    let mut trainer = of_places::<B>(&weights, plain);
    trainer.step_towards(&input, 2, targets.clone(), 1.0).unwrap();
    let after = trainer.learned().unwrap().1.weights;
    for at in 0..weights.len() {
        let moved = |step: f32| {
            let mut moved = weights.clone();
            moved[at] += step;
            loss_at(&moved)
        };
        let slope = (moved(0.01) - moved(-0.01)) / 0.02;
        let found = weights[at] - after[at];
        assert!((found - slope).abs() < 1e-3, "weight {at}: {found} is not {slope}");
    }
    let wrong = trainer.step_towards(&input, 2, vec![0.0; 3], 1.0);
    assert!(wrong.is_err());
}

macro_rules! on {
    ($name:ident, $backend:ty, $feature:literal) => {
        #[cfg(feature = $feature)]
        mod $name {
            use super::*;

            #[test]
            fn losses_are_those_of_pytorch() {
                super::losses_are_those_of_pytorch::<$backend>();
            }

            #[test]
            fn places_have_the_loss_of_their_formula_and_its_slope() {
                super::places_have_the_loss_of_their_formula_and_its_slope::<$backend>();
            }

            #[test]
            fn classes_weigh_as_in_pytorch() {
                super::classes_weigh_as_in_pytorch::<$backend>();
            }

            #[test]
            fn frozen_constants_do_not_change_by_a_bit() {
                super::frozen_constants_do_not_change_by_a_bit::<$backend>();
            }
        }
    };
}

on!(flex, backend::Flex, "burn-flex");
on!(ndarray, backend::NdArray, "burn-ndarray");
on!(candle, backend::Candle, "burn-candle");
