//! A panic, a hard fault and a flash that takes nothing: after each, the head that was committed last is in force.
//!
//! Three starts of the core: each begins with a look at what the flash holds, learns something new, and ends
//! in a fault. The program ends with 0 if all is as it was promised.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use cortex_m::peripheral::SCB;
use defmt_semihosting as _;
use headstart::pack::Pack;
use headstart::session::Session;
use headstart::store::{Flash, FlashStore, Geometry, Store};
use headstart_firmware::flash::{MemoryError, MemoryFlash};
use headstart_mps2::memory;
use headstart_replay::job::{FLASH_BYTES, SLOTS};

/// What survives a reset, as no start-up code clears it.
#[derive(Clone, Copy)]
#[repr(C)]
struct Kept {
    /// [`MARK`] and the number of the start.
    start: u32,
    /// The end of the record that was committed: its digest.
    digest: [u8; 32],
}

const MARK: u32 = 0x5eed_fa00;

#[unsafe(link_section = ".uninit.kept")]
static mut KEPT: MaybeUninit<Kept> = MaybeUninit::uninit();

fn kept() -> Kept {
    // SAFETY: nothing else refers to it; any bits are a value of it.
    unsafe { (&raw const KEPT).cast::<Kept>().read_volatile() }
}

fn keep(kept: Kept) {
    // SAFETY: as above.
    unsafe { (&raw mut KEPT).cast::<Kept>().write_volatile(kept) }
}

/// The next start.
fn restart() -> ! {
    let kept = kept();
    keep(Kept { start: kept.start.wrapping_add(1), ..kept });
    SCB::sys_reset()
}

fn fail(what: &'static str) -> ! {
    defmt::error!("{=str}", what);
    semihosting::process::exit(1)
}

/// A flash that is worn out once it is told so.
struct Wearing<'m> {
    flash: MemoryFlash<'m>,
    worn: bool,
}

impl Flash for Wearing<'_> {
    type Error = MemoryError;

    fn geometry(&self) -> Geometry {
        self.flash.geometry()
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), MemoryError> {
        self.flash.read(offset, bytes)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), MemoryError> {
        if self.worn { Err(MemoryError::NotErased) } else { self.flash.write(offset, bytes) }
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), MemoryError> {
        self.flash.erase(from, to)
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let header: &[u8; 24] = defmt::unwrap!(memory::pack(24).first_chunk());
    let [.., a, b, c, d, _, _, _, _] = *header;
    let length = u32::from_le_bytes([a, b, c, d]);
    let pack = defmt::unwrap!(Pack::open(memory::pack(length as usize)));
    let ram_bytes = pack.plan().ram_bytes() as usize;
    // SAFETY: the only calls.
    let (ram, flash) = unsafe { (memory::session(ram_bytes), memory::flash(FLASH_BYTES)) };
    let ram = defmt::unwrap!(ram, "too little memory for the pack");
    let flash = Wearing { flash: MemoryFlash::new(&mut flash[..48 << 10]), worn: false };
    let first = kept().start & !3 != MARK;
    let digest = pack.backbone_digest();
    let store = if first {
        FlashStore::format(flash, SLOTS, &digest)
    } else {
        FlashStore::open(flash, SLOTS, &digest)
    };
    let Ok(store) = store else { fail("the store does not open") };
    let Ok(mut session) = Session::open(&pack, ram, store) else {
        fail("the session does not open")
    };
    if first {
        learn(&mut session, &["mug", "cup", "mug"]);
        if session.commit().is_err() {
            fail("a good flash does not take a head");
        }
        keep(Kept { start: MARK, digest: committed(&mut session) });
    }
    if committed(&mut session) != kept().digest || !session.labels().eq(["mug", "cup"]) {
        fail("the head is not the one that was committed last");
    }
    defmt::info!("start {=u32}: the last commit is in force", kept().start & 3);
    learn(&mut session, &["jar", "mug"]);
    match kept().start & 3 {
        0 => panic!("a panic in the middle of learning"),
        1 => cortex_m::asm::udf(),
        _ => {}
    }
    // All slots are used up: nothing more can be written.
    let digest = kept().digest;
    let wear = session.close().close();
    let worn = Wearing { worn: true, ..wear };
    let ram = defmt::unwrap!(unsafe_ram(ram_bytes));
    let Ok(store) = FlashStore::open(worn, SLOTS, &pack.backbone_digest()) else {
        fail("a worn flash does not open")
    };
    let Ok(mut session) = Session::open(&pack, ram, store) else {
        fail("the session does not open")
    };
    learn(&mut session, &["jar"]);
    if session.commit().is_ok() {
        fail("a worn flash took a head");
    }
    if committed(&mut session) != digest {
        fail("a worn flash lost its head");
    }
    defmt::info!("a flash that takes nothing keeps its head");
    semihosting::process::exit(0)
}

/// The session's memory again, once its session is closed.
fn unsafe_ram(length: usize) -> Option<&'static mut [u8]> {
    // SAFETY: the session that borrowed it was closed.
    unsafe { memory::session(length) }
}

fn learn<S: Store>(session: &mut Session<'_, '_, S>, labels: &[&str]) {
    for (label, value) in labels.iter().zip(1_u8..) {
        // Any input: a pattern in parts.
        let mut at = 0;
        while session.stage(at, &[value.wrapping_mul(40); 16]).is_ok() {
            at += 16;
        }
        if session.learn_staged(label).is_err() {
            fail("a sample is refused");
        }
    }
}

/// The digest at the end of the record that the flash holds.
fn committed<S: Store>(session: &mut Session<'_, '_, S>) -> [u8; 32] {
    match session.committed() {
        Ok(Some(record)) => *defmt::unwrap!(record.last_chunk()),
        _ => fail("the flash holds no head"),
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    defmt::info!("panic");
    restart()
}

#[cortex_m_rt::exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    defmt::info!("hard fault");
    restart()
}
