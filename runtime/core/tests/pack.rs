//! A pack, made by hand, opens, runs, and is refused after any change.
#![cfg(feature = "std")]

mod common;

use common::contents;
use headstart::Error;
use headstart::backbone::Backbone;
use headstart::network::{Activation, Curve, Node, Value};
use headstart::pack::{Contents, Filter, Pack, Resize, emit, sign};
use headstart::preprocess::{self, Picture};
use sha2::{Digest, Sha256};

/// Bytes at an address that sections may be cast from on any machine.
fn features(bytes: &[u8], input: &[i8]) -> Result<Vec<i8>, Error> {
    let pack = Pack::open(bytes)?;
    let mut arena = vec![0; pack.plan().arena_bytes as usize];
    Backbone::new(pack, &mut arena)?.features(input).map(<[i8]>::to_vec)
}

#[test]
fn a_backbone_computes_what_its_definition_says() {
    let bytes = emit(&contents()).unwrap();
    // Channel 0: 2x + 1 − 1 (zero point); channel 1: rne(−1.5x) − 1. The mean is taken of q + 1.
    // x = 1, 2, 3, 60: channel 0 gives 2, 4, 6, 100 (clamped); channel 1: −3, −4, −5, −91.
    // Means of q + 1: 29 and rne(−99/4 = −24.75) = −25.
    assert_eq!(features(&bytes, &[1, 2, 3, 60]), Ok(vec![29, -25]));
}

#[test]
fn the_same_contents_give_the_same_bytes() {
    assert_eq!(emit(&contents()), emit(&contents()));
}

#[test]
fn any_changed_byte_is_refused() {
    let bytes = emit(&contents()).unwrap();
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[index] ^= 1 << bit;
            assert!(Pack::open(&changed).is_err(), "bit {bit} of byte {index}");
        }
    }
}

#[test]
fn any_other_length_is_refused() {
    let mut bytes = emit(&contents()).unwrap();
    assert_eq!(Pack::length(&bytes[..24]), Some(bytes.len()));
    assert_eq!([Pack::length(&bytes[..23]), Pack::length(&[0xFF; 24])], [None; 2]);
    for length in 0..bytes.len() {
        assert!(Pack::open(&bytes[..length]).is_err(), "{length} bytes");
    }
    bytes.push(0);
    assert_eq!(Pack::open(&bytes).err(), Some(Error::TrailingBytes));
}

#[test]
fn provenance_does_not_change_what_a_head_is_bound_to() {
    let mut other = contents();
    other.provenance.model = "renamed";
    let digest =
        |contents: &Contents<'_>| Pack::open(&emit(contents).unwrap()).unwrap().backbone_digest();
    assert_eq!(digest(&contents()), digest(&other));
    other.weights[0] = 3;
    assert_ne!(digest(&contents()), digest(&other));
}

#[test]
fn contents_that_break_a_rule_are_refused_by_name() {
    type Change = fn(&mut Contents<'static>);
    let cases: [(&str, Change, Error); 11] = [
        ("reads itself", |c| set_input(c, 1), Error::BadNode { index: 0 }),
        ("reads the future", |c| set_input(c, 9), Error::BadNode { index: 0 }),
        ("overlaps its operand", |c| c.values[1].offset = 3, Error::BadNode { index: 0 }),
        ("too few weights", |c| c.weights.truncate(1), Error::BadNode { index: 0 }),
        ("a weight of −128", |c| c.weights[1] = -128, Error::BadNode { index: 0 }),
        ("a sum that wraps", |c| c.channels[0].0 = i32::MAX, Error::BadNode { index: 0 }),
        ("not a number", |c| c.channels[1].1 = f32::NAN, Error::BadNode { index: 0 }),
        ("more rows than there are", |c| c.values[1].kept_rows = 2, Error::BadValue { index: 1 }),
        (
            "a band that no convolution reads",
            |c| c.values[1].kept_rows = 1,
            Error::BadNode { index: 1 },
        ),
        ("an input in strips", |c| c.values[0].kept_rows = 1, Error::BadValue { index: 0 }),
        ("a scale of 0", |c| c.values[2].scale = 0.0, Error::BadValue { index: 2 }),
    ];
    for (what, change, expected) in cases {
        let mut broken = contents();
        change(&mut broken);
        assert_eq!(emit(&broken).err(), Some(expected), "{what}");
    }
}

/// The same with a function in the place of its last node: hard-swish of 2 steps for channel 0, lines for the other.
fn with_activation(curve: Curve) -> Contents<'static> {
    let mut contents = contents();
    contents.values[2] = Value { offset: 64, zero_point: 3, ..contents.values[1] };
    contents.nodes[1] = Node::Activation(Activation { input: 1, factors: 4, curve });
    let factors = [[1.0 / 6.0, 12.0], [0.5, 2.0_f32]];
    let points = (0..1025).map(|at| if at < 512 { 0.0 } else { (at - 512) as f32 });
    let numbers = [9.0].into_iter().chain(factors.into_iter().flatten()).chain(points);
    contents.tables = numbers.flat_map(f32::to_le_bytes).collect();
    contents
}

#[test]
fn an_activation_computes_what_its_definition_says() {
    // The convolution gives 2, 4, 6, 100 and −3, −4, −5, −91; less the zero point 3, 5, 7, 101 and −2, −3, −4, −90.
    let run = |curve| features(&emit(&with_activation(curve)).unwrap(), &[1, 2, 3, 60]);
    // x · clamp(x / 6 + 1/2, 0, 1) · 2 + 3, and u · clamp(u + 1/2, 0, 1) · 2 + 3 of u = x / 2.
    assert_eq!(run(Curve::HardSwish), Ok(vec![9, 3, 13, 3, 17, 3, 127, 3]));
    // Lines of max(u, 0): u · 12 and u · 2.
    assert_eq!(run(Curve::Lines { points: 20 }), Ok(vec![9, 3, 13, 3, 17, 3, 127, 3]));
}

#[test]
fn activations_that_break_a_rule_are_refused_by_name() {
    let lines = Curve::Lines { points: 20 };
    let set = |at: usize, number: f32| {
        let mut contents = with_activation(lines);
        contents.tables[at..at + 4].copy_from_slice(&number.to_le_bytes());
        emit(&contents).err()
    };
    let bad = Some(Error::BadNode { index: 1 });
    for number in [f32::NAN, f32::INFINITY, -1.1e12] {
        for at in [4, 16, 20, 20 + 1024 * 4] {
            assert_eq!(set(at, number), bad, "{number} at {at}");
        }
        assert_eq!(set(0, number), None, "{number} that nothing reads");
    }
    assert_eq!(set(4, -1e12), None);
    for points in [24, u32::MAX] {
        assert_eq!(emit(&with_activation(Curve::Lines { points })).err(), bad, "{points}");
    }
    for factors in [4 * 1030 - 15, u32::MAX] {
        let mut contents = with_activation(Curve::HardSwish);
        contents.nodes[1] =
            Node::Activation(Activation { input: 1, factors, curve: Curve::HardSwish });
        assert_eq!(emit(&contents).err(), bad, "{factors}");
    }
    let mut other_shape = with_activation(lines);
    other_shape.values[2].height = 1;
    assert_eq!(emit(&other_shape).err(), bad);
}

/// Gives a container's header the digest that belongs to it.
fn seal(bytes: &mut [u8]) {
    let sections = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    let digest =
        Sha256::new().chain_update(&bytes[..32]).chain_update(&bytes[64..][..64 * sections]);
    bytes[32..64].copy_from_slice(&digest.finalize());
}

/// Programs of before know version 1 alone, and say of any other that it is newer.
#[test]
fn only_packs_with_activations_have_version_2() {
    assert_eq!(emit(&contents()).unwrap()[8..10], [1, 0]);
    assert_eq!(emit(&with_activation(Curve::HardSwish)).unwrap()[8..10], [2, 0]);
    for (contents, version) in [(contents(), 1), (with_activation(Curve::HardSwish), 2)] {
        let signed = sign(&emit(&contents).unwrap(), "camera", 1, &[7; 32], |_| [0; 64]).unwrap();
        assert_eq!(signed[8..10], [version, 0]);
    }
    let mut older = emit(&with_activation(Curve::HardSwish)).unwrap();
    older[8] = 1;
    seal(&mut older);
    assert_eq!(Pack::open(&older).unwrap_err(), Error::BadNode { index: 1 });
    let mut newer = emit(&contents()).unwrap();
    newer[8] = 3;
    let refused = Pack::open(&newer).unwrap_err();
    assert_eq!(refused, Error::UnsupportedVersion { found: 3 });
    assert!(refused.to_string().contains("newer than this runtime"), "{refused}");
    newer[8] = 0;
    assert_eq!(Pack::open(&newer).unwrap_err(), Error::UnsupportedVersion { found: 0 });
}

fn set_input(contents: &mut Contents<'static>, id: u32) {
    if let Node::Conv(conv) = &mut contents.nodes[0] {
        conv.input = id;
    }
}

#[test]
fn a_picture_is_resized_normalised_and_quantised() {
    let bytes = emit(&contents()).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    let mut out = [0; 4];
    let picture = |pixels, width, height, channels| Picture { pixels, width, height, channels };
    // (pixel − 100) / 2 / 0.5 = pixel − 100
    preprocess::picture(&pack, picture(&[100, 101, 90, 255], 2, 2, 1), &mut out).unwrap();
    assert_eq!(out, [0, 1, -10, 127]);
    preprocess::picture(&pack, picture(&[110], 1, 1, 1), &mut out).unwrap();
    assert_eq!(out, [10; 4]);
    // Halved by the widened filter: weights 0.25, 0.75 | 0.75, 0.25 over four pixels, cut at the
    // border: (0.75·80 + 0.75·120 + 0.25·160) / 1.75 = 108.57
    let row = [80, 120, 160, 200];
    let pixels: Vec<u8> = row.iter().copied().cycle().take(16).collect();
    preprocess::picture(&pack, picture(&pixels, 4, 4, 1), &mut out).unwrap();
    assert_eq!(out, [9, 71, 9, 71]);
    // Luma of a colour: (299·200 + 587·100 + 114·50) / 1000 = 124.2
    preprocess::picture(&pack, picture(&[200, 100, 50], 1, 1, 3), &mut out).unwrap();
    assert_eq!(out, [24; 4]);
    for (broken, expected) in [
        (picture(&[], 0, 0, 1), Error::ShapeOverflow),
        (picture(&[1, 2], 1, 1, 2), Error::ShapeOverflow),
        (picture(&[1], 1, 1, 3), Error::BufferLength { expected: 3, found: 1 }),
    ] {
        assert_eq!(preprocess::picture(&pack, broken, &mut out), Err(expected));
    }
}

#[test]
fn the_shorter_side_is_scaled_and_the_middle_cut_out() {
    let mut contents = contents();
    contents.input.preprocessing.resize = Resize::ShortSide(4);
    let bytes = emit(&contents).unwrap();
    let pack = Pack::open(&bytes).unwrap();
    // Already 4 rows high: rows 1 and 2, columns 3 and 4 of 8 are left.
    let pixels: Vec<u8> = (100..132).collect();
    let picture = Picture { pixels: &pixels, width: 8, height: 4, channels: 1 };
    let mut out = [0; 4];
    preprocess::picture(&pack, picture, &mut out).unwrap();
    assert_eq!(out, [11, 12, 19, 20]);
    contents.input.preprocessing.resize = Resize::ShortSide(1);
    assert_eq!(emit(&contents).err(), Some(Error::BadManifest));
}

#[test]
fn a_filter_is_part_of_the_pack_and_of_its_backbone() {
    let mut contents = contents();
    let plain = emit(&contents).unwrap();
    let digest = Pack::open(&plain).unwrap().backbone_digest();
    for resize in
        [Resize::StretchBy(Filter::PilBicubic), Resize::ShortSideBy(4, Filter::OpenCvArea)]
    {
        contents.input.preprocessing.resize = resize;
        let bytes = emit(&contents).unwrap();
        let pack = Pack::open(&bytes).unwrap();
        assert_eq!(pack.input().preprocessing.resize, resize);
        assert_ne!(pack.backbone_digest(), digest);
        // A picture of one colour is that colour by every filter.
        let picture = Picture { pixels: &[110; 77], width: 11, height: 7, channels: 1 };
        let mut out = [0; 4];
        preprocess::picture(&pack, picture, &mut out).unwrap();
        assert_eq!(out, [10; 4]);
    }
    contents.input.preprocessing.resize = Resize::ShortSideBy(1, Filter::PilBilinear);
    assert_eq!(emit(&contents).err(), Some(Error::BadManifest));
}

/// Found by fuzzing: the rows of weights had no length, and dividing by it panicked.
#[test]
fn a_convolution_without_weights_is_refused() {
    for (kernel, groups) in [([0; 2], 1), ([0, 1], 1), ([1; 2], 0), ([1; 2], 2)] {
        let mut contents = contents();
        if let Some(Node::Conv(conv)) = contents.nodes.first_mut() {
            conv.window.kernel = kernel;
            conv.groups = groups;
        }
        assert!(emit(&contents).is_err(), "{kernel:?} {groups}");
    }
}
