//! Whatever the cable, the host and the board do: a sample is learned once, a head is the old or the new one.

#[allow(dead_code, reason = "the other tests use the rest")]
mod board;

use board::{Faults, INPUT, LAYOUT, MEMORY, Simulated, blank, device_in, host, pack};
use headstart::head::sgd::Rehearsal;
use headstart::head::{HeadRecord, Samples, ridge};
use headstart::pack::Pack;
use headstart::session::Session;
use headstart::store::Store;
use headstart_cable::client::{Board, Error, Lesson, Sample};
use headstart_cable::{Learner, Refusal};
use headstart_firmware::cable::{Layout, Place, active};
use proptest::prelude::*;

/// A store in memory.
struct Memory<'r>(&'r mut Option<Vec<u8>>);

impl Store for Memory<'_> {
    type Error = std::convert::Infallible;

    fn load(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Self::Error> {
        let Some(record) = &*self.0 else { return Ok(None) };
        buffer[..record.len()].copy_from_slice(record);
        Ok(Some(record.len()))
    }

    fn commit(&mut self, record: &[u8]) -> Result<(), Self::Error> {
        *self.0 = Some(record.to_vec());
        Ok(())
    }
}

/// The head that a session makes of the samples, without any cable, from a record on.
fn learned(
    bytes: &[u8],
    record: &mut Option<Vec<u8>>,
    samples: &[Sample],
    learner: Option<Learner>,
) {
    let pack = Pack::open(bytes).unwrap();
    let mut words = vec![0_u32; MEMORY / 4];
    let ram = &mut bytemuck::cast_slice_mut(&mut words)[..pack.plan().ram_bytes() as usize];
    let mut session = Session::open(&pack, ram, Memory(record)).unwrap();
    let (mut features, mut labels) = (vec![], vec![]);
    for sample in samples {
        session.learn(&sample.input, &sample.label).unwrap();
        features.extend_from_slice(session.last_features().unwrap());
        labels.push(session.class(&sample.label).unwrap());
    }
    let samples = Samples::new(&features, &labels, 4).unwrap();
    match learner {
        None => {}
        Some(Learner::Sgd) => {
            session.rehearse(samples, Rehearsal::default(), |_, _| ()).unwrap();
        }
        Some(Learner::Ridge) => session.solve(samples, ridge::PENALTY).unwrap(),
        Some(Learner::Imprint) => session.imprint(samples).unwrap(),
    }
    session.commit().unwrap();
}

/// Samples of three classes that differ in their mean.
fn samples(count: usize, first: usize) -> Vec<Sample> {
    let class = |index: usize| (index * 7 + first) % 3;
    let sample = |index| Sample {
        label: ["mug", "cup", "jar"][class(index)].to_owned(),
        input: (0..INPUT)
            .map(|at| ((at * (index + 1)) % 17) as i8 + [-40, 0, 40][class(index)])
            .collect(),
    };
    (first..first + count).map(sample).collect()
}

fn lesson(samples: &[Sample]) -> Lesson<'_> {
    Lesson { samples, learner: Some(Learner::Sgd), commit: true }
}

#[test]
fn every_learner_makes_the_head_that_a_session_makes() {
    let bytes = pack("first", 1);
    let taught = samples(24, 0);
    for learner in [None, Some(Learner::Sgd), Some(Learner::Ridge), Some(Learner::Imprint)] {
        let board = Simulated::new(blank(&bytes), Faults::default());
        let mut client = host(&board).unwrap();
        assert_eq!(client.greeting().problem, None);
        assert!(matches!(
            client.predict(&taught[0].input),
            Err(Error::Refused(Refusal::NoClasses))
        ));
        assert_eq!(client.head().unwrap(), None);
        let lesson = Lesson { samples: &taught, learner, commit: true };
        let outcome = client.learn(lesson, |_| ()).unwrap();
        assert_eq!((outcome.commit, outcome.kept, outcome.restarts), (Some(1), 24, 0));
        let mut expected = None;
        learned(&bytes, &mut expected, &taught, learner);
        assert_eq!(client.head().unwrap(), expected, "{learner:?}");
        // The same lesson again is known, also after a reset.
        assert!(client.learn(lesson, |_| ()).unwrap().known);
        board.borrow_mut().reset();
        assert!(client.learn(lesson, |_| ()).unwrap().known);
        assert_eq!(client.head().unwrap(), expected);
        let (standing, classes) = client.status().unwrap();
        assert_eq!((standing.classes, standing.commits, standing.learned), (3, 1, 0));
        assert!(classes.iter().all(|class| class.samples == 8), "{classes:?}");
        let right = taught.iter().filter(|sample| {
            let answer = client.evaluate(&sample.input, &sample.label).unwrap();
            answer.label == sample.label && answer.truth == Some(answer.class)
        });
        // More than a guess, which a third of them would be.
        assert!(right.count() > 12, "{learner:?}");
    }
}

#[test]
fn what_was_not_committed_is_dropped_by_a_reset_and_kept_for_a_host_that_comes_back() {
    let bytes = pack("first", 1);
    let board = Simulated::new(blank(&bytes), Faults::default());
    let (first, second) = (samples(9, 0), samples(9, 9));
    let mut client = host(&board).unwrap();
    client.learn(lesson(&first), |_| ()).unwrap();
    let head = client.head().unwrap();
    let hold = Lesson { commit: false, ..lesson(&second) };
    client.learn(hold, |_| ()).unwrap();
    assert_eq!(client.status().unwrap().0.learned, 9);
    assert_eq!(client.head().unwrap(), head);
    board.borrow_mut().reset();
    assert_eq!(client.status().unwrap().0.learned, 0);
    // A host that goes away with half of a lesson.
    client.learn(Lesson { commit: false, ..lesson(&second) }, |_| ()).unwrap();
    drop(client);
    let mut client = host(&board).unwrap();
    assert_eq!(client.greeting().learned, 9);
    assert_eq!(client.commit().unwrap(), 2);
    assert!(matches!(client.commit(), Err(Error::NothingLearned)));
    let mut expected = head;
    learned(&bytes, &mut expected, &second, Some(Learner::Sgd));
    assert_eq!(client.head().unwrap(), expected);
    // Another lesson drops an open one.
    client.learn(Lesson { commit: false, ..lesson(&first) }, |_| ()).unwrap();
    let third = samples(6, 1);
    client.learn(lesson(&third), |_| ()).unwrap();
    learned(&bytes, &mut expected, &third, Some(Learner::Sgd));
    assert_eq!(client.head().unwrap(), expected);
}

#[test]
fn a_forgotten_class_and_a_forgotten_head_leave_no_trace_in_the_flash() {
    let bytes = pack("first", 1);
    let board = Simulated::new(blank(&bytes), Faults::default());
    let mut client = host(&board).unwrap();
    client.learn(lesson(&samples(9, 0)), |_| ()).unwrap();
    client.learn(lesson(&samples(9, 9)), |_| ()).unwrap();
    let holds = |name: &[u8]| {
        board.borrow().memory()[16 << 10..].windows(name.len()).any(|window| window == name)
    };
    assert!(holds(b"cup") && holds(b"jar"));
    assert!(matches!(client.forget(Some("pot")), Err(Error::Refused(Refusal::NoSuchClass))));
    assert_eq!(client.forget(Some("cup")).unwrap(), 2);
    assert!(!holds(b"cup") && holds(b"jar"));
    let head = client.head().unwrap().unwrap();
    assert!(HeadRecord::parse(&head).unwrap().labels().eq(["mug", "jar"]));
    client.forget(Some("mug")).unwrap();
    assert!(matches!(client.forget(Some("jar")), Err(Error::Refused(Refusal::LastClass))));
    assert_eq!(client.forget(None).unwrap(), 0);
    assert!(!holds(b"jar"));
    assert_eq!(client.head().unwrap(), None);
    // What was forgotten can be learned again.
    assert!(!client.learn(lesson(&samples(9, 9)), |_| ()).unwrap().known);
}

#[test]
fn a_commit_tells_whether_what_was_held_is_durable_or_gone() {
    let bytes = pack("first", 1);
    let board = Simulated::new(blank(&bytes), Faults::default());
    let (first, second) = (samples(9, 0), samples(9, 9));
    host(&board).unwrap().learn(lesson(&first), |_| ()).unwrap();
    let hold = Lesson { commit: false, ..lesson(&second) };
    // Gone before the host that commits comes.
    host(&board).unwrap().learn(hold, |_| ()).unwrap();
    board.borrow_mut().reset();
    assert!(matches!(host(&board).unwrap().commit(), Err(Error::NothingLearned)));
    // Gone when it has come.
    let mut client = host(&board).unwrap();
    client.learn(hold, |_| ()).unwrap();
    board.borrow_mut().reset();
    assert!(matches!(client.commit(), Err(Error::Gone { samples: 9 })));
    assert!(matches!(client.commit(), Err(Error::NothingLearned)));
    // Another host takes the board over, and nothing is gone.
    client.learn(hold, |_| ()).unwrap();
    host(&board).unwrap();
    assert_eq!(client.commit().unwrap(), 2);
    // Committed, and the answer is lost with the board.
    client.learn(Lesson { commit: false, ..lesson(&first) }, |_| ()).unwrap();
    board.borrow_mut().lose_the_next_reply();
    let boots = board.borrow().boots;
    assert_eq!((client.commit().unwrap(), board.borrow().boots), (3, boots + 1));
    client.learn(hold, |_| ()).unwrap();
    assert_eq!(client.commit().unwrap(), 4);
    // Cut in each operation of the flash: it was committed, or is gone, and the host knows which.
    let learned = board.borrow().memory();
    let (mut durable, mut gone) = (0, 0);
    for operation in 1.. {
        let board = Simulated::new(learned.clone(), Faults::default());
        let mut client = host(&board).unwrap();
        let before = client.head().unwrap();
        client.learn(Lesson { commit: false, ..lesson(&first) }, |_| ()).unwrap();
        board.borrow_mut().cut_at(operation, false);
        let result = client.commit();
        let now = client.head().unwrap();
        match result {
            Ok(number) => {
                durable += 1;
                assert_eq!((number, client.status().unwrap().0.commits), (5, 5));
                assert_ne!(now, before);
            }
            Err(Error::Gone { samples: 9 }) => {
                gone += 1;
                assert_eq!(now, before);
            }
            Err(error) => panic!("{error}"),
        }
        if !board.borrow().was_cut() {
            break;
        }
    }
    assert!(durable > 0 && gone > 4, "{durable} durable, {gone} gone");
}

/// What a board keeps besides packs: every window of bytes of it.
fn keeps(board: &std::cell::RefCell<Simulated>, bytes: &[u8]) -> bool {
    let memory = board.borrow().memory();
    memory[LAYOUT.heads.start as usize..].windows(bytes.len()).any(|window| window == bytes)
}

#[test]
fn a_forgotten_class_leaves_no_trace_whichever_operation_of_the_flash_is_cut() {
    let bytes = pack("first", 1);
    let untouched = Simulated::new(blank(&bytes), Faults::default());
    let mut client = host(&untouched).unwrap();
    let mut heads = vec![];
    for taught in [samples(9, 0), samples(9, 9)] {
        client.learn(lesson(&taught), |_| ()).unwrap();
        heads.push(client.head().unwrap().unwrap());
    }
    let learned = untouched.borrow().memory();
    // The weights of the class in both heads: four float32 each.
    let rows = heads.iter().map(|head| {
        let record = HeadRecord::parse(head).unwrap();
        let class = record.labels().position(|label| label == "cup").unwrap();
        let (mut weights, mut bias) =
            (vec![0.0; 4 * record.classes()], vec![0.0; record.classes()]);
        record.read(&mut weights, &mut bias).unwrap();
        bytemuck::cast_slice::<f32, u8>(&weights[4 * class..][..4]).to_vec()
    });
    let rows: Vec<Vec<u8>> = rows.collect();
    for faulty in [false, true] {
        let (mut operation, mut cuts) = (0, 0);
        loop {
            operation += 1;
            let board = Simulated::new(learned.clone(), Faults::default());
            let mut client = host(&board).unwrap();
            let traces = || keeps(&board, b"cup") || rows.iter().any(|row| keeps(&board, row));
            assert!(traces());
            board.borrow_mut().cut_at(operation, faulty);
            let boots = board.borrow().boots;
            match client.forget(Some("cup")) {
                Ok(classes) => assert_eq!(classes, 2),
                // The host is told, and asks again.
                Err(Error::Refused(Refusal::Flash)) if faulty => match client.forget(Some("cup")) {
                    Ok(_) | Err(Error::Refused(Refusal::NoSuchClass)) => {}
                    Err(error) => panic!("{error}"),
                },
                Err(error) => panic!("{error}"),
            }
            assert!(!traces(), "operation {operation}, faulty: {faulty}");
            let head = client.head().unwrap().unwrap();
            assert!(HeadRecord::parse(&head).unwrap().labels().eq(["mug", "jar"]));
            // Behind the last operation nothing was cut.
            let cut = board.borrow().was_cut();
            cuts += u32::from(cut);
            assert!(faulty || cut == (board.borrow().boots > boots));
            if !cut {
                break;
            }
        }
        assert!(cuts > 8, "{cuts} cuts");
    }
}

#[test]
fn a_class_that_was_never_there_is_not_forgotten_by_a_reset() {
    let board = Simulated::new(blank(&pack("first", 1)), Faults::default());
    let mut client = host(&board).unwrap();
    client.learn(lesson(&samples(9, 0)), |_| ()).unwrap();
    board.borrow_mut().reset();
    assert!(matches!(client.forget(Some("pot")), Err(Error::Refused(Refusal::NoSuchClass))));
}

/// One erase block is the entries' alone, and one place takes no update.
const SMALL: Layout = Layout {
    packs: [LAYOUT.packs[0], Place { bytes: 0, ..LAYOUT.packs[1] }],
    features: Place { bytes: 4 << 10, ..LAYOUT.features },
    ..LAYOUT
};

#[test]
fn what_a_small_board_cannot_do_is_refused_before_anything_is_sent() {
    let first = pack("first", 1);
    let start = |flash| device_in(flash, &SMALL, active(flash, &SMALL));
    let board = Simulated::started(blank(&first), Faults::default(), start);
    let (mut client, mut sent) = (host(&board).unwrap(), 0);
    assert_eq!(client.status().unwrap().0.most_kept, 0);
    let taught = samples(9, 0);
    let refused = client.check_room(lesson(&taught).learner);
    assert!(matches!(refused, Err(Error::Refused(Refusal::NothingKept))), "{refused:?}");
    assert_eq!(client.status().unwrap().0.learned, 0);
    client.check_room(None).unwrap();
    let steps = Lesson { learner: None, ..lesson(&taught) };
    assert_eq!(client.learn(steps, |_| ()).unwrap().commit, Some(1));
    let refused = client.update(&pack("second", 1), false, |_| sent += 1);
    assert!(matches!(refused, Err(Error::Refused(Refusal::TooLong { limit: 0 }))), "{refused:?}");
    assert_eq!(sent, 0);
}

#[test]
fn a_new_pack_is_used_once_it_is_whole_and_a_head_is_lost_only_by_permission() {
    let (first, second, other) = (pack("first", 1), pack("second", 1), pack("other", 2));
    let board = Simulated::new(blank(&first), Faults::default());
    let mut client = host(&board).unwrap();
    client.learn(lesson(&samples(9, 0)), |_| ()).unwrap();
    let head = client.head().unwrap();
    let backbone = |bytes: &[u8]| Pack::open(bytes).unwrap().backbone_digest();
    assert!(!client.holds_other_head(&backbone(&second)).unwrap());
    assert!(client.holds_other_head(&backbone(&other)).unwrap());
    assert!(!client.update(&first, false, |_| ()).unwrap());
    let mut damaged = second.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    for (bad, refusal) in [
        (damaged, Refusal::BadPack),
        (vec![0; 700], Refusal::BadPack),
        (vec![1; 9000], Refusal::TooLong { limit: 8192 }),
        (other.clone(), Refusal::OtherBackbone),
    ] {
        let refused = client.update(&bad, false, |_| ());
        assert!(matches!(refused, Err(Error::Refused(found)) if found == refusal), "{refused:?}");
        board.borrow_mut().reset();
        let client = host(&board).unwrap();
        assert_eq!(client.greeting().pack, first[32..64]);
    }
    // The same backbone: the head stays.
    let mut client = host(&board).unwrap();
    assert!(client.update(&second, false, |_| ()).unwrap());
    assert_eq!(client.greeting().pack, second[32..64]);
    assert_eq!(client.head().unwrap(), head);
    // Another one, into the first place.
    assert!(client.update(&other, true, |_| ()).unwrap());
    assert_eq!(client.greeting().pack, other[32..64]);
    assert_eq!(client.head().unwrap(), None);
    client.learn(lesson(&samples(9, 0)), |_| ()).unwrap();
    // And back: a pack that is flashed to the first place is used, whatever was updated.
    assert!(client.update(&second, true, |_| ()).unwrap());
    let mut memory = board.borrow().memory();
    memory[..8192].fill(0xFF);
    memory[..first.len()].copy_from_slice(&first);
    let board = Simulated::new(memory, Faults::default());
    let client = host(&board).unwrap();
    assert_eq!(
        (client.greeting().pack, client.greeting().problem),
        (first[32..64].try_into().unwrap(), None)
    );
}

#[test]
fn a_board_without_a_pack_takes_one_and_a_head_of_another_backbone_can_be_forgotten() {
    let (first, other) = (pack("first", 1), pack("other", 2));
    let board = Simulated::new(vec![0xFF; board::FLASH], Faults::default());
    let mut client = host(&board).unwrap();
    assert_eq!(client.greeting().problem, Some(Refusal::NoPack));
    assert!(matches!(client.status(), Err(Error::Refused(Refusal::NoPack))));
    client.update(&first, false, |_| ()).unwrap();
    client.learn(lesson(&samples(9, 0)), |_| ()).unwrap();
    let mut memory = board.borrow().memory();
    let place = LAYOUT.packs[0].start as usize;
    memory[place..place + 8192].fill(0xFF);
    memory[place..place + other.len()].copy_from_slice(&other);
    let board = Simulated::new(memory, Faults::default());
    let mut client = host(&board).unwrap();
    assert_eq!(client.greeting().problem, Some(Refusal::OtherBackbone));
    let backbone = |bytes: &[u8]| Pack::open(bytes).unwrap().backbone_digest();
    assert!(client.holds_other_head(&backbone(&first)).unwrap());
    client.forget(None).unwrap();
    let mut client = host(&board).unwrap();
    assert_eq!(client.greeting().problem, None);
    client.learn(lesson(&samples(9, 0)), |_| ()).unwrap();
}

/// Runs `work` with hosts that are stopped, until one gets to the end of it.
fn at_last<T>(
    board: &std::rc::Rc<std::cell::RefCell<Simulated>>,
    mut work: impl FnMut(&mut Board) -> Result<T, Error>,
) -> T {
    for _ in 0..400 {
        match host(board).and_then(|mut client| work(&mut client)) {
            Ok(done) => return done,
            Err(
                Error::Silent { .. }
                | Error::FellSilent { .. }
                | Error::Restarts(_)
                | Error::Refused(Refusal::Flash),
            ) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no host got to the end");
}

/// The tests below would prove little if nothing happened in them.
#[test]
fn a_bad_day_has_resets_and_hosts_that_are_stopped() {
    let bytes = pack("first", 1);
    let faults = Faults { seed: 1, spoiled: 4, resets: 4_000, cuts: 30, host_frames: 20 };
    let board = Simulated::new(blank(&bytes), faults);
    let (mut expected, mut hosts) = (None, 0);
    for taught in [samples(6, 0), samples(5, 6), samples(4, 2)] {
        at_last(&board, |client| {
            hosts += 1;
            client.learn(lesson(&taught), |_| ())
        });
        learned(&bytes, &mut expected, &taught, Some(Learner::Sgd));
        assert_eq!(at_last(&board, Board::head), expected);
    }
    // More frames than three hosts may send, more operations than one start of the board gets to do.
    assert!(hosts > 3 && board.borrow().boots > 1, "{hosts} hosts, {} boots", board.borrow().boots);
}

/// A lesson takes about 30 operations of the flash: some are to get to their end.
fn faults() -> impl Strategy<Value = Faults> {
    let rare = |from: u32, to: u32| prop_oneof![1 => Just(0), 3 => from..to];
    (any::<u64>(), rare(3, 20), rare(5_000, 40_000), rare(40, 300), rare(12, 100)).prop_map(
        |(seed, spoiled, resets, cuts, host_frames)| Faults {
            seed,
            spoiled,
            resets,
            cuts,
            host_frames,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn no_sample_is_lost_or_learned_twice(faults in faults()) {
        let bytes = pack("first", 1);
        let board = Simulated::new(blank(&bytes), faults);
        let mut expected = None;
        for taught in [samples(6, 0), samples(5, 6), samples(4, 2)] {
            at_last(&board, |client| client.learn(lesson(&taught), |_| ()));
            learned(&bytes, &mut expected, &taught, Some(Learner::Sgd));
            let found = at_last(&board, Board::head);
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn a_pack_is_the_old_or_the_new_one(faults in faults()) {
        let packs = [pack("first", 1), pack("second", 1), pack("other", 2)];
        let board = Simulated::new(blank(&packs[0]), faults);
        at_last(&board, |client| client.learn(lesson(&samples(3, 0)), |_| ()));
        for (old, new) in [(0, 1), (1, 2), (2, 0)] {
            at_last(&board, |client| {
                let found = client.greeting().pack;
                assert!([old, new].iter().any(|&of| packs[of][32..64] == found));
                client.update(&packs[new], true, |_| ())
            });
            let client = at_last(&board, |client| Ok(client.greeting().clone()));
            prop_assert_eq!((&client.pack[..], client.problem), (&packs[new][32..64], None));
        }
    }
}
