//! The measured job: evaluate, learn, commit, reset, evaluate again.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use cortex_m::peripheral::{Peripherals, SCB};
use defmt_semihosting as _;
use headstart::pack::Pack;
#[cfg(feature = "ridge")]
use headstart_firmware::Ridge as Learner;
#[cfg(not(feature = "ridge"))]
use headstart_firmware::Sgd as Learner;
use headstart_firmware::{Clips, Job, Report, job};
use headstart_mps2::clock::Clock;
use headstart_mps2::memory;
use headstart_mps2::output::Output;

/// What is told to the host: bytes to compare in a file, events in `defmt`.
struct Told {
    output: Output,
    right: u32,
    answers: u32,
}

impl Report for Told {
    fn features(&mut self, features: &[i8]) {
        let bytes = features.as_ptr().cast();
        // SAFETY: int8 are bytes.
        self.output.write(unsafe { core::slice::from_raw_parts(bytes, features.len()) });
    }

    fn answer(&mut self, class: u16, probability: f32, known: bool, right: bool) {
        let [a, b] = class.to_le_bytes();
        let [p, q, r, s] = probability.to_bits().to_le_bytes();
        self.output.write(&[a, b, p, q, r, s, known.into(), right.into()]);
        self.right += u32::from(right);
        self.answers += 1;
    }

    fn learned(&mut self, class: u16, loss: f32) {
        defmt::debug!("class {=u16} loss {=f32}", class, loss);
    }

    fn epoch(&mut self, epoch: u32, loss: f32) {
        defmt::info!("epoch {=u32} loss {=f32}", epoch, loss);
    }

    fn committed(&mut self, record: &[u8]) {
        defmt::info!("committed {=usize} bytes", record.len());
        self.output.write(record);
    }
}

/// Survives a reset, as no start-up code clears it: [`LEARNED`] once the first part is done.
#[unsafe(link_section = ".uninit.phase")]
static mut PHASE: MaybeUninit<u32> = MaybeUninit::uninit();

const LEARNED: u32 = 0x5eed_1ea4;

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

#[inline(never)]
fn run() -> Result<(), job::JobError> {
    let mut clock = Clock::new(defmt::unwrap!(Peripherals::take()).SYST);
    let (open, pack) = open(&mut clock)?;
    let clips = clips();
    let ram_bytes = pack.plan().ram_bytes() as usize;
    // SAFETY: the only calls.
    let (ram, flash) = unsafe { (memory::session(ram_bytes), memory::flash(job::FLASH_BYTES)) };
    let ram = defmt::unwrap!(ram, "too little memory for the pack");
    let job = Job { pack, clips };
    let phase = (&raw mut PHASE).cast::<u32>();
    // SAFETY: a word of memory that only this reads and writes; any bits are a number.
    if unsafe { phase.read_volatile() } != LEARNED {
        first(&job, ram, flash)?;
        // SAFETY: as above.
        unsafe { phase.write_volatile(LEARNED) };
        SCB::sys_reset();
    }
    second(&job, ram, flash)?;
    measure(&mut clock, open, &job, ram, flash)
}

/// The pack, and instructions that opening it took. It is static memory, so that it is not moved about
/// on the stack. Called once.
#[inline(never)]
fn open(clock: &mut Clock) -> Result<(u64, &'static Pack<'static>), headstart::Error> {
    static mut PACK: MaybeUninit<Pack<'static>> = MaybeUninit::uninit();
    let header: &[u8; 24] = defmt::unwrap!(memory::pack(24).first_chunk());
    let [.., a, b, c, d, _, _, _, _] = *header;
    let length = u32::from_le_bytes([a, b, c, d]);
    let (instructions, opened) = clock.count(|| Pack::open(memory::pack(length as usize)));
    let place = &raw mut PACK;
    // SAFETY: the only reference, as this is called once.
    Ok((instructions, unsafe { &mut *place }.write(opened?)))
}

#[inline(never)]
fn clips() -> Clips<'static> {
    let header = defmt::unwrap!(memory::clips(16).first_chunk());
    let clips = Clips::length(header).and_then(|length| Clips::parse(memory::clips(length)));
    defmt::unwrap!(clips, "no clips were loaded")
}

/// Evaluates, learns and commits.
#[inline(never)]
fn first(job: &Job<'_>, ram: &mut [u8], flash: &mut [u8]) -> Result<(), job::JobError> {
    let mut told = Told { output: Output::create(c"first.bin"), right: 0, answers: 0 };
    job.learn::<Learner>(ram, flash, &mut told)?;
    defmt::info!("before: {=u32} of {=u32} right", told.right, told.answers);
    defmt::info!("stack {=usize} bytes", memory::stack_bytes(ram.len()));
    Ok(())
}

/// Evaluates with what was committed.
#[inline(never)]
fn second(job: &Job<'_>, ram: &mut [u8], flash: &mut [u8]) -> Result<(), job::JobError> {
    let mut told = Told { output: Output::create(c"second.bin"), right: 0, answers: 0 };
    job.measure_again(ram, flash, &mut told)?;
    defmt::info!("after: {=u32} of {=u32} right", told.right, told.answers);
    defmt::info!("stack {=usize} bytes", memory::stack_bytes(ram.len()));
    Ok(())
}

/// Instructions and memory of one backbone pass and one head step.
#[inline(never)]
fn measure(
    clock: &mut Clock,
    open: u64,
    job: &Job<'_>,
    ram: &mut [u8],
    flash: &mut [u8],
) -> Result<(), job::JobError> {
    let plan = *job.pack.plan();
    let (input, label) = defmt::unwrap!(job.clips.to_learn().next());
    // SAFETY: bytes are int8.
    let input = unsafe { core::slice::from_raw_parts(input.as_ptr().cast::<i8>(), input.len()) };
    // Two fills, so that a byte that equals one of them is told from one that was not touched. The
    // session's scratch lies behind weights, biases, gradient and counts.
    let scratch = plan.head_bytes as usize + 8 * plan.max_classes as usize;
    let arena = scratch..scratch + plan.arena_bytes as usize;
    let mut arena_high = 0;
    for fill in [0x5A, 0xA5] {
        let memory = core::ptr::from_mut(ram);
        // SAFETY: the session is gone when the memory is read again.
        let mut session = job.session(unsafe { &mut *memory }, flash)?;
        let start = memory.cast::<u8>();
        // SAFETY: the arena lies inside `ram`, and any bytes may stand there between two passes.
        unsafe { start.add(arena.start).write_bytes(fill, arena.len()) };
        session.features(input)?;
        drop(session);
        let used = ram[arena.clone()].iter().rposition(|&byte| byte != fill);
        arena_high = arena_high.max(used.map_or(0, |last| last + 1));
    }
    let mut session = job.session(ram, flash)?;
    let (backbone, features) = clock.count(|| session.features(input).map(<[i8]>::len));
    let (learn, loss) = clock.count(|| session.learn(input, label));
    loss?;
    let macs = job.pack.provenance().multiply_accumulates;
    defmt::info!(
        "measured {{\"open_instructions\":{=u64},\"backbone_instructions\":{=u64},\
         \"learn_instructions\":{=u64},\"macs\":{=u64},\"features\":{=usize},\
         \"arena_high_water\":{=usize},\"session_bytes\":{=u64},\"head_bytes\":{=u32},\
         \"learner_bytes\":{=u32},\"static_bytes\":{=usize},\"arena_bytes\":{=u32}}}",
        open,
        backbone,
        learn,
        macs,
        features?,
        arena_high,
        plan.ram_bytes(),
        plan.head_bytes,
        plan.learner_bytes,
        memory::static_bytes(),
        plan.arena_bytes
    );
    Ok(())
}
