//! A session learns, forgets what was not committed, and takes exactly the planned memory.
#![cfg(feature = "std")]

mod common;

use common::contents;
use headstart::Error;
use headstart::head::sgd::Rehearsal;
use headstart::head::{HeadParts, HeadRecord, Learner, LinearHead, Samples, Storage};
use headstart::pack::{Contents, Pack, emit};
use headstart::session::{Session, SessionError};
use headstart::store::Store;

/// A store in memory that fails when it is told to.
#[derive(Debug, Default)]
struct Memory {
    record: Option<Vec<u8>>,
    broken: bool,
}

impl Store for &mut Memory {
    type Error = &'static str;

    fn load(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Self::Error> {
        let Some(record) = &self.record else { return Ok(None) };
        if let Some(place) = buffer.get_mut(..record.len()) {
            place.copy_from_slice(record);
        }
        Ok(Some(record.len()))
    }

    fn commit(&mut self, record: &[u8]) -> Result<(), Self::Error> {
        if self.broken {
            return Err("worn out");
        }
        self.record = Some(record.to_vec());
        Ok(())
    }
}

/// Memory that starts at a multiple of 4.
fn memory(pack: &Pack<'_>) -> Vec<u32> {
    vec![u32::MAX; usize::try_from(pack.plan().ram_bytes()).unwrap().div_ceil(4)]
}

fn bytes<'m>(pack: &Pack<'_>, memory: &'m mut [u32]) -> &'m mut [u8] {
    &mut bytemuck::cast_slice_mut(memory)[..usize::try_from(pack.plan().ram_bytes()).unwrap()]
}

const BRIGHT: [[i8; 4]; 2] = [[40, 30, 35, 30], [20, 25, 30, 45]];
const DARK: [[i8; 4]; 2] = [[-40, -30, -20, -30], [-25, -20, -45, -35]];

#[test]
fn what_was_learned_is_predicted_and_outlives_the_session_once_committed() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let (mut memory, mut store) = (memory(&pack), Memory::default());
    let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
    assert_eq!(session.predict(&BRIGHT[0]), Err(Error::NoSamples));
    assert_eq!(session.commit(), Err(SessionError::Runtime(Error::NoSamples)));
    for _ in 0..20 {
        session.learn(&BRIGHT[0], "bright").unwrap();
        session.learn(&DARK[0], "dark").unwrap();
    }
    for (inputs, label) in [(BRIGHT, "bright"), (DARK, "dark")] {
        for input in inputs {
            let answer = session.predict(&input).unwrap();
            assert_eq!(answer.label, Some(label));
            assert!(answer.probability > 0.7, "{answer:?}");
        }
    }
    session.unknown_below(1.0).unwrap();
    assert_eq!(session.predict(&[0; 4]).unwrap().label, None);
    session.unknown_below(0.5).unwrap();
    session.commit().unwrap();
    let before = session.predict(&BRIGHT[1]).unwrap().probability;
    session.learn(&BRIGHT[1], "not committed").unwrap();
    session.close();

    let record = HeadRecord::parse(store.record.as_ref().unwrap()).unwrap();
    assert!(record.labels().eq(["bright", "dark"]) && record.samples().eq([20, 20]));
    assert_eq!(record.unknown_threshold(), 0.5);
    let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
    assert!(session.labels().eq(["bright", "dark"]));
    assert_eq!(session.predict(&BRIGHT[1]).unwrap().probability, before);
}

#[test]
fn new_names_become_classes_until_the_plan_is_full() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let (mut memory, mut store) = (memory(&pack), Memory::default());
    let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
    // The longest labels that there are, so that the record is the longest one.
    let labels = ["a", "b", "c", "d"].map(|letter| letter.repeat(64));
    for label in &labels {
        session.learn(&BRIGHT[0], label).unwrap();
    }
    assert_eq!(session.learn(&DARK[0], "e"), Err(Error::TooManyClasses { limit: 4 }));
    session.learn(&DARK[0], &labels[3]).unwrap();
    for wrong in ["", "line\nbreak", &"x".repeat(65)] {
        assert_eq!(session.learn(&DARK[0], wrong), Err(Error::LabelInvalid { class: 4 }));
    }
    let short = session.learn(&DARK[0][..3], &labels[0]);
    assert_eq!(short, Err(Error::BufferLength { expected: 4, found: 3 }));
    session.commit().unwrap();
    session.close();
    let record = store.record.unwrap();
    assert_eq!(record.len(), pack.plan().record_bytes() as usize);
    assert!(HeadRecord::parse(&record).unwrap().samples().eq([1, 1, 1, 2]));
}

#[test]
fn the_memory_is_exactly_what_the_pack_plans() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let expected = usize::try_from(pack.plan().ram_bytes()).unwrap();
    let mut memory = vec![0_u32; expected / 4 + 2];
    let all: &mut [u8] = bytemuck::cast_slice_mut(&mut memory);
    for found in [0, expected - 1, expected + 1] {
        let refused = Session::open(&pack, &mut all[..found], &mut Memory::default()).err();
        let error = Error::BufferLength { expected, found };
        assert_eq!(refused, Some(SessionError::Runtime(error)));
    }
    let refused = Session::open(&pack, &mut all[1..=expected], &mut Memory::default()).err();
    assert_eq!(refused, Some(SessionError::Runtime(Error::Misaligned { alignment: 4 })));
}

#[test]
fn a_broken_store_keeps_the_old_head_and_a_foreign_head_is_refused() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let (mut memory, mut store) = (memory(&pack), Memory::default());
    let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
    session.learn(&BRIGHT[0], "bright").unwrap();
    session.commit().unwrap();
    session.close();
    let old = store.record.clone();
    store.broken = true;
    let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
    session.learn(&DARK[0], "dark").unwrap();
    assert_eq!(session.commit(), Err(SessionError::Store("worn out")));
    session.close();
    assert_eq!(store.record, old);

    let mut other = contents();
    other.weights[0] = 3;
    let other_file = emit(&other).unwrap();
    let other = Pack::open(&other_file).unwrap();
    let refused = Session::open(&other, bytes(&other, &mut memory), &mut store).err();
    assert!(matches!(refused, Some(SessionError::Runtime(Error::BackboneMismatch { .. }))));
    store.record = Some(vec![0; 1 << 20]);
    let refused = Session::open(&pack, bytes(&pack, &mut memory), &mut store).err();
    assert!(matches!(refused, Some(SessionError::Runtime(Error::BufferLength { .. }))));

    // A pack's own head is where a device without a record starts.
    let mut shipped = contents();
    shipped.head = old;
    let shipped_file = emit(&shipped).unwrap();
    let shipped = Pack::open(&shipped_file).unwrap();
    let mut empty = Memory::default();
    let session = Session::open(&shipped, bytes(&shipped, &mut memory), &mut empty).unwrap();
    assert!(session.labels().eq(["bright"]));
}

/// A head record of two classes for the pack of [`contents`].
fn record(weights: [f32; 4], bias: [f32; 2], temperature: f32) -> Vec<u8> {
    let parts = HeadParts {
        learner: Learner::Lda,
        temperature,
        ..HeadParts::new(
            LinearHead::new(&weights, &bias, 2).unwrap(),
            Pack::open(&emit(&contents()).unwrap()).unwrap().backbone_digest(),
            &["bright", "dark"],
            &[3, 0],
        )
    };
    parts.to_vec().unwrap()
}

#[test]
fn a_head_whose_logits_are_not_finite_is_refused() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let mut memory = memory(&pack);
    // A temperature that makes its weights infinite; a bias past the range; weights whose products are.
    for crafted in [
        record([1.0; 4], [0.0; 2], f32::from_bits(1)),
        record([0.0; 4], [0.0, 1.0], f32::from_bits(1)),
        record([0.0, 0.0, 0.0, f32::MAX], [0.0; 2], 1.0),
        record([0.0, 0.0, 0.0, f32::MIN], [0.0; 2], 1.0),
    ] {
        HeadRecord::parse(&crafted).unwrap();
        let mut store = Memory { record: Some(crafted), broken: false };
        let refused = Session::open(&pack, bytes(&pack, &mut memory), &mut store).err();
        assert_eq!(refused, Some(SessionError::Runtime(Error::NotFinite)));
        // Nor can one that is open go back to it.
        let good = record([1.0; 4], [0.0; 2], 1.0);
        let crafted = store.record.replace(good);
        let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
        session.store().record = crafted;
        assert_eq!(session.revert(), Err(SessionError::Runtime(Error::NotFinite)));
        assert_eq!(session.predict(&BRIGHT[0]), Err(Error::NoSamples));
        session.learn(&BRIGHT[0], "bright").unwrap();
        session.commit().unwrap();
    }
}

#[test]
fn a_class_that_is_never_the_answer_is_none_after_a_temperature_below_one() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let mut memory = memory(&pack);
    let shipped = record([1.0, -1.0, 0.0, 0.0], [0.5, f32::MIN], 0.5);
    let mut store = Memory { record: Some(shipped), broken: false };
    let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
    let answer = session.predict(&DARK[0]).unwrap();
    assert_eq!((answer.label, answer.probability), (Some("bright"), 1.0));
    session.learn(&BRIGHT[0], "bright").unwrap();
    session.commit().unwrap();
}

#[test]
fn learning_that_diverges_is_an_error_and_the_stored_head_comes_back() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let (mut memory, mut store) = (memory(&pack), Memory::default());
    let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
    let (mut features, mut labels) = (vec![], vec![]);
    for (inputs, label) in [(BRIGHT, "bright"), (DARK, "dark")] {
        for input in inputs {
            session.learn(&input, label).unwrap();
            features.extend_from_slice(session.last_features().unwrap());
            labels.push(session.class(label).unwrap());
        }
    }
    session.commit().unwrap();
    let stored = session.store().record.clone();
    let before = session.predict(&BRIGHT[1]).unwrap().probability;
    let samples = Samples::new(&features, &labels, 2).unwrap();
    for rate in [f32::INFINITY, f32::NAN] {
        let settings = Rehearsal { rate, ..Rehearsal::default() };
        assert_eq!(session.rehearse(samples, settings, |_, _| ()), Err(Error::NotFinite), "{rate}");
        assert_eq!(session.commit(), Err(SessionError::Runtime(Error::NotFinite)));
        assert_eq!(session.store().record, stored);
        session.revert().unwrap();
        assert_eq!(session.predict(&BRIGHT[1]).unwrap().probability, before);
        session.commit().unwrap();
        assert_eq!(session.store().record, stored);
    }
}

#[test]
fn stored_features_are_rehearsed_and_solved_in_the_planned_memory() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let (mut memory, mut store) = (memory(&pack), Memory::default());
    let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
    let (mut features, mut labels) = (vec![], vec![]);
    for (inputs, label) in [(BRIGHT, "bright"), (DARK, "dark")] {
        for input in inputs {
            session.learn(&input, label).unwrap();
            features.extend_from_slice(session.last_features().unwrap());
            labels.push(session.class(label).unwrap());
        }
    }
    assert_eq!(labels, [0, 0, 1, 1]);
    assert_eq!(session.features(&BRIGHT[0]).unwrap(), &features[..2]);
    let samples = Samples::new(&features, &labels, 2).unwrap();
    let mut losses = vec![];
    let last = session.rehearse(samples, Rehearsal::default(), |_, loss| losses.push(loss));
    assert_eq!(last.unwrap(), *losses.last().unwrap());
    assert!(losses[39] < 0.5 * losses[0], "{losses:?}");
    let sure = |session: &mut Session<'_, '_, &mut Memory>| {
        for (inputs, label) in [(BRIGHT, "bright"), (DARK, "dark")] {
            for input in inputs {
                let answer = session.predict(&input).unwrap();
                assert!(answer.label == Some(label) && answer.probability > 0.7, "{answer:?}");
            }
        }
    };
    sure(&mut session);
    session.solve(samples, 1e-3).unwrap();
    sure(&mut session);
    session.commit().unwrap();
    session.close();
    let record = HeadRecord::parse(store.record.as_ref().unwrap()).unwrap();
    assert_eq!(record.learner(), Learner::Ridge);
    assert!(record.samples().eq([2, 2]));
}

#[test]
fn class_means_answer_and_a_staged_input_does_what_a_whole_one_does() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let mut records = vec![];
    for staged in [false, true] {
        let (mut memory, mut store) = (memory(&pack), Memory::default());
        let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
        assert_eq!(session.predict_staged(), Err(Error::NoSamples));
        let (mut features, mut labels) = (vec![], vec![]);
        for (inputs, label) in [(BRIGHT, "bright"), (DARK, "dark")] {
            for input in inputs {
                if staged {
                    let input: &[u8] = bytemuck::cast_slice(&input);
                    session.stage(0, &input[..3]).unwrap();
                    session.stage(3, &input[3..]).unwrap();
                    session.learn_staged(label).unwrap();
                } else {
                    session.learn(&input, label).unwrap();
                }
                features.extend_from_slice(session.last_features().unwrap());
                labels.push(session.class(label).unwrap());
            }
        }
        session.commit().unwrap();
        let stepped = session.store().record.clone().unwrap();
        let samples = Samples::new(&features, &labels, 2).unwrap();
        session.imprint(samples).unwrap();
        assert_eq!((session.samples(), session.learner()), (&[2, 2][..], Learner::Imprint));
        for (inputs, label) in [(BRIGHT, "bright"), (DARK, "dark")] {
            for input in inputs {
                let whole = session.predict(&input).unwrap().probability;
                session.stage(0, bytemuck::cast_slice(&input)).unwrap();
                let answer = session.predict_staged().unwrap();
                assert_eq!((answer.label, answer.probability), (Some(label), whole));
            }
        }
        session.commit().unwrap();
        records.push((stepped, session.store().record.clone().unwrap()));
    }
    assert_eq!(records[0], records[1]);
    let (mut memory, mut store) = (memory(&pack), Memory::default());
    let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
    let error = Error::BufferLength { expected: 4, found: 5 };
    assert_eq!(session.stage(2, &[0; 3]), Err(error));
    assert_eq!(session.imprint(Samples::new(&[], &[], 2).unwrap()), Err(Error::NoSamples));
}

#[test]
fn a_forgotten_class_leaves_the_others_as_they_were_and_revert_brings_it_back() {
    let file = emit(&contents()).unwrap();
    let pack = Pack::open(&file).unwrap();
    let (mut memory, mut store) = (memory(&pack), Memory::default());
    let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
    assert_eq!(session.committed(), Ok(None));
    for (input, label) in [(BRIGHT[0], "bright"), (DARK[0], "dark"), (BRIGHT[1], "brighter")] {
        session.learn(&input, label).unwrap();
    }
    session.commit().unwrap();
    let whole = session.committed().unwrap().unwrap().to_vec();
    assert!(!session.forget("grey") && session.forget("dark"));
    assert!(session.labels().eq(["bright", "brighter"]));
    session.commit().unwrap();
    let less = session.committed().unwrap().unwrap().to_vec();
    let rows = |bytes: &[u8]| {
        let record = HeadRecord::parse(bytes).unwrap();
        let (mut weights, mut bias) =
            (vec![0.0; 2 * record.classes()], vec![0.0; record.classes()]);
        record.read(&mut weights, &mut bias).unwrap();
        (weights, bias, record.samples().collect::<Vec<_>>())
    };
    let (weights, bias, samples) = rows(&whole);
    let kept =
        ([&weights[..2], &weights[4..]].concat(), vec![bias[0], bias[2]], samples[1..].to_vec());
    assert_eq!(rows(&less), kept);
    session.learn(&DARK[1], "dark").unwrap();
    session.revert().unwrap();
    assert!(session.labels().eq(["bright", "brighter"]));
    session.store().record = Some(whole.clone());
    session.revert().unwrap();
    session.commit().unwrap();
    assert_eq!(session.committed(), Ok(Some(&whole[..])));
    session.store().record = None;
    session.revert().unwrap();
    assert_eq!(session.labels().count(), 0);
}

#[test]
fn a_session_goes_on_from_a_compact_head_in_its_pack_or_its_store() {
    let backbone = Pack::open(&emit(&contents()).unwrap()).unwrap().backbone_digest();
    let parts = HeadParts {
        learner: Learner::Lda,
        storage: Storage::F16,
        temperature: 2.0,
        unknown_threshold: 0.5,
        held_out: Some((9, 10)),
        ..HeadParts::new(
            LinearHead::new(&[0.5, -0.25, -0.5, 0.25], &[1.0, -1.0], 2).unwrap(),
            backbone,
            &["bright", "dark"],
            &[300, 7],
        )
    };
    let record = parts.to_vec().unwrap();
    let [plain, with_head] =
        [None, Some(record.clone())].map(|head| emit(&Contents { head, ..contents() }).unwrap());
    for (file, stored) in [(&with_head, None), (&plain, Some(record))] {
        let pack = Pack::open(file).unwrap();
        let mut store = Memory { record: stored, broken: false };
        let mut memory = memory(&pack);
        let mut session = Session::open(&pack, bytes(&pack, &mut memory), &mut store).unwrap();
        assert!(session.labels().eq(["bright", "dark"]));
        assert_eq!((session.samples(), session.unknown_threshold()), (&[300, 7][..], 0.5));
        assert_eq!(session.learner(), Learner::Lda);
        session.learn(&BRIGHT[0], "bright").unwrap();
        session.commit().unwrap();
        let record = HeadRecord::parse_for(store.record.as_ref().unwrap(), &backbone).unwrap();
        assert_eq!(record.storage(), Storage::F32);
        assert!(record.samples().eq([301, 7]));
    }
}
