//! What a lesson takes: bytes of memory that are touched, multiply-accumulates and instructions.
//!
//! As many classes as the pack plans for, with labels of the greatest length, are learned, rehearsed and committed: what was
//! planned is then used to the last byte. It runs twice, in memory that was filled with one byte and then with another: only what
//! holds both times what it was filled with was not touched. The flash is memory, so that only the processor's work is
//! counted: a real one adds the time of its erases and writes, which its data sheet says.
#![no_std]
#![no_main]

use cortex_m::peripheral::Peripherals;
use defmt_semihosting as _;
use headstart::Error;
use headstart::backbone::Backbone;
use headstart::network::Node;
use headstart::head::Samples;
use headstart::head::sgd::Rehearsal;
use headstart::pack::Pack;
use headstart::session::Session;
use headstart::store::FlashStore;
use headstart_firmware::MemoryFlash;
use headstart_mps2::clock::Clock;
use headstart_mps2::memory;
use headstart_replay::job::{FLASH_BYTES, JobError, LOG, SLOTS};

/// What memory is filled with.
const FILLS: [u8; 2] = [0x5A, 0xA5];
/// Most classes that are measured.
const MOST: usize = 256;
/// Bytes of the longest label.
const LABEL: usize = 64;

#[cortex_m_rt::entry]
fn main() -> ! {
    match run() {
        Ok(()) => semihosting::process::exit(0),
        Err(error) => {
            defmt::error!("{}", error);
            semihosting::process::exit(1)
        }
    }
}

/// Memory beside the session's.
struct Desk {
    flash: &'static mut [u8],
    input: &'static mut [u8],
    features: &'static mut [u8],
}

/// Instructions of a lesson and of the commit at its end.
struct Lesson {
    learn: u64,
    commit: u64,
}

fn run() -> Result<(), JobError> {
    let mut clock = Clock::new(defmt::unwrap!(Peripherals::take()).SYST);
    let header: &[u8; 24] = defmt::unwrap!(memory::pack(24).first_chunk());
    let [.., a, b, c, d, _, _, _, _] = *header;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    let (open, pack) = clock.count(|| Pack::open(memory::pack(length)));
    let pack = pack?;
    let (features, classes) = (pack.feature_len(), pack.plan().max_classes as usize);
    let ram_bytes = pack.plan().ram_bytes() as usize;
    // SAFETY: the only calls.
    let (ram, flash, spare) = unsafe {
        (memory::session(ram_bytes), memory::flash(FLASH_BYTES), memory::spare(16 << 20))
    };
    let ram = defmt::unwrap!(ram, "too little memory for the pack");
    let (touched, spare) = spare.split_at_mut(ram_bytes);
    let (input, spare) = spare.split_at_mut(pack.value(0)?.elements() as usize);
    input.iter_mut().zip(0_u32..).for_each(|(byte, at)| *byte = (at * 7 % 251) as u8);
    let mut desk = Desk { flash, input, features: &mut spare[..classes * features] };

    // A backbone pass alone.
    let arena = &mut ram[..pack.plan().arena_bytes as usize];
    let (mut arena_bytes, mut macs) = (0, 0);
    for fill in FILLS {
        arena.fill(fill);
        macs = multiply_accumulates(&pack, arena, desk.input)?;
        let last = arena.iter().rposition(|&byte| byte != fill);
        arena_bytes = arena_bytes.max(last.map_or(0, |last| last + 1));
    }

    touched.fill(0);
    let mut lesson = Lesson { learn: 0, commit: 0 };
    for fill in FILLS {
        ram.fill(fill);
        lesson = teach(&pack, ram, &mut desk, &mut clock)?;
        for (mark, &byte) in touched.iter_mut().zip(ram.iter()) {
            *mark |= u8::from(byte != fill);
        }
    }
    let count = |part: &[u8]| part.iter().filter(|&&mark| mark == 1).count();
    // Weights and biases; logits and counts; at the end centre and labels.
    let (head, rest) = touched.split_at(4 * classes * (features + 1));
    let (steps, rest) = rest.split_at(8 * classes);
    let labels = &rest[rest.len() - features - (LABEL + 1) * classes..];
    let (head_bytes, learner_bytes) = (count(head), count(steps) + count(labels));
    let session_bytes = touched.iter().rposition(|&mark| mark == 1).map_or(0, |last| last + 1);

    let (backbone, step) = one_sample(&pack, ram, &mut desk, &mut clock)?;
    defmt::info!(
        "measured {{\"open_instructions\":{=u64},\"backbone_instructions\":{=u64},\
         \"learn_instructions\":{=u64},\"lesson_instructions\":{=u64},\"commit_instructions\":{=u64},\
         \"macs\":{=u64},\"arena_bytes\":{=usize},\"session_bytes\":{=usize},\
         \"head_bytes\":{=usize},\"learner_bytes\":{=usize},\"record_bytes\":{=u32}}}",
        open,
        backbone,
        step,
        lesson.learn,
        lesson.commit,
        macs,
        arena_bytes,
        session_bytes,
        head_bytes,
        learner_bytes,
        pack.plan().record_bytes()
    );
    Ok(())
}

/// Runs the backbone, and counts the products of each element of a convolution when it comes to be.
#[inline(never)]
fn multiply_accumulates(pack: &Pack<'_>, arena: &mut [u8], input: &[u8]) -> Result<u64, Error> {
    let mut macs = 0;
    Backbone::new(*pack, arena)?.run(signed(input), |index, _, _, elements| {
        let node = index.checked_sub(1).and_then(|node| pack.nodes().nth(node as usize));
        let Some(Ok(Node::Conv(conv))) = node else { return };
        let inputs = pack.value(conv.input).map_or(0, |value| value.channels / conv.groups);
        let [height, width] = conv.window.kernel.map(u32::from);
        macs += elements.len() as u64 * u64::from(height * width * inputs);
    })?;
    Ok(macs)
}

/// Learns one sample a class, rehearses, and commits.
#[inline(never)]
fn teach(
    pack: &Pack<'_>,
    ram: &mut [u8],
    desk: &mut Desk,
    clock: &mut Clock,
) -> Result<Lesson, JobError> {
    let features = pack.feature_len();
    let flash = MemoryFlash::new(&mut desk.flash[..LOG.start as usize]);
    let store = FlashStore::format(flash, SLOTS, &pack.backbone_digest())?;
    let mut session = Session::open(pack, ram, store)?;
    let mut labels = [0_u16; MOST];
    let mut learn = 0;
    let samples = desk.features.chunks_exact_mut(features).zip(&mut labels);
    let mut count = 0;
    for ((row, label), class) in samples.zip(0_u16..) {
        // Samples that differ: their features are told apart.
        desk.input.iter_mut().for_each(|byte| *byte = byte.wrapping_mul(5).wrapping_add(31));
        let (instructions, loss) =
            clock.count(|| session.learn(signed(desk.input), name(class, &mut [0; LABEL])));
        loss?;
        learn += instructions;
        row.iter_mut().zip(session.last_features()?).for_each(|(to, &from)| *to = from as u8);
        *label = class;
        count += 1;
    }
    let samples =
        Samples::new(signed(&desk.features[..count * features]), &labels[..count], features)?;
    session.rehearse(samples, Rehearsal::default(), |_, _| ())?;
    // The second one finds an older record to leave in place, as all later ones do.
    session.commit()?;
    let (commit, done) = clock.count(|| session.commit());
    done?;
    Ok(Lesson { learn, commit })
}

/// Instructions of a backbone pass, and of a pass with a step, when all classes are there.
#[inline(never)]
fn one_sample(
    pack: &Pack<'_>,
    ram: &mut [u8],
    desk: &mut Desk,
    clock: &mut Clock,
) -> Result<(u64, u64), JobError> {
    let flash = MemoryFlash::new(&mut desk.flash[..LOG.start as usize]);
    let store = FlashStore::open(flash, SLOTS, &pack.backbone_digest())?;
    let mut session = Session::open(pack, ram, store)?;
    let input = signed(desk.input);
    let (backbone, features) = clock.count(|| session.features(input).map(<[i8]>::len));
    features?;
    let (learn, loss) = clock.count(|| session.learn(input, name(0, &mut [0; LABEL])));
    loss?;
    Ok((backbone, learn))
}

/// The label of a class, as long as labels get.
fn name(class: u16, bytes: &mut [u8; LABEL]) -> &str {
    bytes.fill(b'x');
    let mut rest = class;
    for byte in bytes.iter_mut().take(5) {
        *byte = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    core::str::from_utf8(bytes).unwrap_or_default()
}

fn signed(bytes: &[u8]) -> &[i8] {
    // SAFETY: bytes are int8.
    unsafe { core::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}
