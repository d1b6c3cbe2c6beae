//! The measured job: evaluate, learn, commit, reset, evaluate again.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use cortex_m::peripheral::SCB;
use defmt_semihosting as _;
use headstart::pack::Pack;
#[cfg(feature = "ridge")]
use headstart_firmware::training::Ridge as Learner;
#[cfg(not(feature = "ridge"))]
use headstart_firmware::training::Sgd as Learner;
use headstart_mps2::memory;
use headstart_mps2::output::Output;
use headstart_replay::{Clips, Job, Report, job};

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
        defmt::info!("class {=u16} loss {=f32}", class, loss);
    }

    fn epoch(&mut self, epoch: u32, loss: f32) {
        defmt::info!("epoch {=u16} loss {=f32}", epoch as u16, loss);
    }

    fn committed(&mut self, record: &[u8]) {
        defmt::info!("read back {=usize} bytes", record.len());
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
    let pack = open()?;
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
    second(&job, ram, flash)
}

/// The pack, in static memory, so that it is not moved about on the stack. Called once.
#[inline(never)]
fn open() -> Result<&'static Pack<'static>, headstart::Error> {
    static mut PACK: MaybeUninit<Pack<'static>> = MaybeUninit::uninit();
    let header: &[u8; 24] = defmt::unwrap!(memory::pack(24).first_chunk());
    let [.., a, b, c, d, _, _, _, _] = *header;
    let length = u32::from_le_bytes([a, b, c, d]);
    let pack = Pack::open(memory::pack(length as usize))?;
    let place = &raw mut PACK;
    // SAFETY: the only reference, as this is called once.
    Ok(unsafe { &mut *place }.write(pack))
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
    defmt::info!("commit");
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
