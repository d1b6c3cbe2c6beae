//! What a commit costs beside learning: instructions of ten samples and of the commit that follows.
//!
//! The flash is memory, so that only the processor's work is counted: a real one adds the time of its erases and
//! writes, which its data sheet says.
#![no_std]
#![no_main]

use cortex_m::peripheral::Peripherals;
use defmt_semihosting as _;
use headstart::pack::Pack;
use headstart::session::Session;
use headstart::store::FlashStore;
use headstart_firmware::MemoryFlash;
use headstart_firmware::job::{FLASH_BYTES, JobError, LOG, SLOTS};
use headstart_mps2::clock::Clock;
use headstart_mps2::{memory, output as _};

/// Samples that are learned before the commit.
const BATCH: u8 = 10;
const LABELS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

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

fn run() -> Result<(), JobError> {
    let mut clock = Clock::new(defmt::unwrap!(Peripherals::take()).SYST);
    let header: &[u8; 24] = defmt::unwrap!(memory::pack(24).first_chunk());
    let [.., a, b, c, d, _, _, _, _] = *header;
    let pack = Pack::open(memory::pack(u32::from_le_bytes([a, b, c, d]) as usize))?;
    let ram_bytes = pack.plan().ram_bytes() as usize;
    // SAFETY: the only calls.
    let (ram, flash) = unsafe { (memory::session(ram_bytes), memory::flash(FLASH_BYTES)) };
    let ram = defmt::unwrap!(ram, "too little memory for the pack");
    let flash = MemoryFlash::new(&mut flash[..LOG.start as usize]);
    let store = FlashStore::format(flash, SLOTS, &pack.backbone_digest())?;
    let mut session = Session::open(&pack, ram, store)?;

    let mut learn = 0;
    for (sample, label) in (1..=BATCH).zip(LABELS) {
        // Any input: what a pass takes does not depend on it.
        let mut at = 0;
        while session.stage(at, &[sample.wrapping_mul(11); 16]).is_ok() {
            at += 16;
        }
        let (instructions, loss) = clock.count(|| session.learn_staged(label));
        loss?;
        learn += instructions;
    }
    // The second one finds an older record to leave in place, as all later ones do.
    session.commit()?;
    let (commit, done) = clock.count(|| session.commit());
    done?;
    defmt::info!(
        "measured {{\"learn_instructions\":{=u64},\"commit_instructions\":{=u64},\"record_bytes\":{=u32}}}",
        learn,
        commit,
        pack.plan().record_bytes()
    );
    Ok(())
}
