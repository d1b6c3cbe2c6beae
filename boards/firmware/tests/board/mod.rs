//! A board on the host: its flash, a cable that spoils what it carries, and resets at any byte and in
//! any operation of the flash.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use headstart::head::Random;
use headstart::network::{Conv, GridPool, Node, Value, WeightRows, Window};
use headstart::pack::{Contents, Input, Pack, Preprocessing, Provenance, Resize, emit};
use headstart::store::{Flash, Geometry, Region};
use headstart_cable::client::{Board, Port, Timing};
use headstart_firmware::MemoryFlash;
use headstart_firmware::cable::{self, Active, Device, Layout, Mapped, Place, Server};

pub(crate) const LAYOUT: Layout = Layout {
    packs: [Place { start: 0, bytes: 8 << 10 }, Place { start: 8 << 10, bytes: 8 << 10 }],
    heads: Region { start: 16 << 10, slot_bytes: 4 << 10, slots: 2 },
    journal: Region { start: 24 << 10, slot_bytes: 4 << 10, slots: 2 },
    features: Place { start: 32 << 10, bytes: 12 << 10 },
};
pub(crate) const FLASH: usize = 44 << 10;
/// Bytes of a sample: two frames of it.
pub(crate) const INPUT: usize = 24 * 24;
/// RAM for sessions.
pub(crate) const MEMORY: usize = 16 << 10;

/// A pack by hand: a 24 × 24 picture, four features. `weight` makes another backbone, `model` another
/// pack with the same one.
pub(crate) fn pack(model: &'static str, weight: i8) -> Vec<u8> {
    pack_with(model, weight, None)
}

/// The same with the section of a trainable tail.
pub(crate) fn pack_with(model: &'static str, weight: i8, tail: Option<Vec<u8>>) -> Vec<u8> {
    let value = |offset, extent, channels| Value {
        offset,
        height: extent,
        width: extent,
        channels,
        scale: 0.5,
        zero_point: 0,
        kept_rows: 0,
    };
    let window = Window { kernel: [1; 2], stride: [1; 2], dilation: [1; 2], padding: [0; 2] };
    let conv = Conv { input: 0, window, groups: 1, weights: 0, channels: 0, min: -128, max: 127 };
    emit(&Contents {
        provenance: Provenance {
            model,
            source_sha256: [7; 32],
            tool_version: "0",
            freeze_point: "mean",
            calibration: "none",
            calibration_samples: 0,
            multiply_accumulates: 2304,
        },
        input: Input {
            height: 24,
            width: 24,
            channels: 1,
            channels_first: true,
            preprocessing: Preprocessing {
                resize: Resize::Stretch,
                mean: [100.0; 3],
                std: [2.0; 3],
            },
        },
        max_classes: 4,
        values: vec![value(0, 24, 1), value(576, 24, 4), value(0, 1, 4)],
        nodes: vec![Node::Conv(conv), Node::GridPool(GridPool { input: 1, multiplier: 1.0 })],
        weights: WeightRows { outputs: 4, products: 1 }.arrange(&[2, -3, weight, -1]),
        channels: vec![(1, 1.0), (0, 0.5), (5, 0.25), (-4, 2.0)],
        tables: vec![],
        head: None,
        tail,
    })
    .unwrap()
}

/// What happens to a cable and a board, and how often: one of so many frames, or bytes, or operations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) seed: u64,
    /// Frames that are lost, cut, changed, doubled, held back, or that garbage comes before; 0 for none.
    pub(crate) spoiled: u32,
    /// Resets after a byte.
    pub(crate) resets: u32,
    /// Operations of the flash that are cut, with a reset.
    pub(crate) cuts: u32,
    /// The host is stopped after so many frames; 0 for never.
    pub(crate) host_frames: u32,
}

/// Memory whose power fails in the middle of an operation, or that fails by itself in the middle of one.
pub(crate) struct Cut {
    flash: MemoryFlash<'static>,
    power: Power,
}

/// What the flash and the board's surroundings know of each other.
#[derive(Clone, Default)]
struct Power {
    /// Operations until it fails.
    left: Rc<Cell<u32>>,
    dead: Rc<Cell<bool>>,
    /// Whether the operation that is cut is the only one: the flash failed, and the power is there.
    faulty: Rc<Cell<bool>>,
    /// Whether one was cut.
    cut: Rc<Cell<bool>>,
}

impl Cut {
    /// Whether the power is there for a whole operation; `None` if it fails in this one.
    fn power(&self) -> Option<bool> {
        let Power { left, dead, faulty, cut } = &self.power;
        if dead.get() {
            return Some(false);
        }
        left.set(left.get().saturating_sub(1));
        if left.get() > 0 {
            return Some(true);
        }
        dead.set(!faulty.get());
        cut.set(true);
        left.set(u32::MAX);
        None
    }
}

impl Flash for Cut {
    type Error = ();

    fn geometry(&self) -> Geometry {
        self.flash.geometry()
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ()> {
        if self.power.dead.get() { Err(()) } else { self.flash.read(offset, bytes).map_err(drop) }
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ()> {
        match self.power() {
            Some(true) => self.flash.write(offset, bytes).map_err(|e| panic!("{e:?}")),
            Some(false) => Err(()),
            None => {
                let half = bytes.len() / 8 * 4;
                self.flash.write(offset, &bytes[..half]).map_err(drop)?;
                Err(())
            }
        }
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), ()> {
        match self.power() {
            Some(true) => self.flash.erase(from, to).map_err(|e| panic!("{e:?}")),
            Some(false) => Err(()),
            None => {
                self.flash.erase(from, from + (to - from) / 2).map_err(drop)?;
                Err(())
            }
        }
    }
}

impl Mapped for Cut {
    fn bytes(&self, start: u32, length: u32) -> Option<&[u8]> {
        Mapped::bytes(&self.flash, start, length)
    }
}

/// The board with its cable.
pub(crate) struct Simulated {
    faults: Faults,
    random: Random,
    flash: &'static RefCell<Cut>,
    server: Server<'static, 'static, Cut>,
    to_host: VecDeque<u8>,
    held: Option<Vec<u8>>,
    power: Power,
    start: fn(Kept) -> Started,
    lose_reply: bool,
    /// Whether hosts are stopped once an operation was cut.
    stop_at_cut: bool,
    pub(crate) boots: u32,
    frames: u32,
}

/// What a board has in flash when nothing but this pack was flashed.
pub(crate) fn blank(pack: &[u8]) -> Vec<u8> {
    let mut flash = vec![0xFF; FLASH];
    flash[..pack.len()].copy_from_slice(pack);
    flash
}

type Booted = (&'static RefCell<Cut>, Server<'static, 'static, Cut>);
/// A board's flash, and the board that was started with it.
pub(crate) type Kept = &'static RefCell<Cut>;
pub(crate) type Started = Device<'static, 'static, Cut>;

/// A start of the firmware that takes any pack.
pub(crate) fn start(flash: Kept) -> Started {
    device(flash, cable::active(flash, &LAYOUT))
}

/// A board with that pack. What it borrows is static on a board, and never freed here.
pub(crate) fn device(flash: Kept, active: Option<Active>) -> Started {
    device_in(flash, &LAYOUT, active)
}

/// The same with another layout.
pub(crate) fn device_in(flash: Kept, layout: &'static Layout, active: Option<Active>) -> Started {
    let pack = active.map(|active| {
        let start = layout.packs[usize::from(active.place)].start;
        let bytes = Mapped::bytes(&*flash.borrow(), start, active.bytes).unwrap().to_vec().leak();
        (&*Box::leak(Box::new(Pack::open(bytes).unwrap())), active)
    });
    let words = vec![0xCCCC_CCCC_u32; MEMORY / 4].leak();
    let board = cable::Board { name: "simulated", firmware: "0.0.0" };
    Device::new(board, flash, layout, pack, bytemuck::cast_slice_mut(words))
}

/// A board alone, without a cable.
pub(crate) fn boot(memory: Vec<u8>) -> Booted {
    let power = Power::default();
    power.left.set(u32::MAX);
    boot_with(memory, &power, start)
}

fn boot_with(memory: Vec<u8>, power: &Power, start: fn(Kept) -> Started) -> Booted {
    power.dead.set(false);
    let flash = Cut { flash: MemoryFlash::new(memory.leak()), power: power.clone() };
    let flash = &*Box::leak(Box::new(RefCell::new(flash)));
    (flash, Server::new(start(flash)))
}

impl Simulated {
    pub(crate) fn new(flash: Vec<u8>, faults: Faults) -> Rc<RefCell<Self>> {
        Self::started(flash, faults, start)
    }

    /// A board whose firmware starts so.
    pub(crate) fn started(
        flash: Vec<u8>,
        faults: Faults,
        start: fn(Kept) -> Started,
    ) -> Rc<RefCell<Self>> {
        let power = Power::default();
        power.left.set(u32::MAX);
        let (flash, server) = boot_with(flash, &power, start);
        let random = Random::new(faults.seed);
        let mut board = Self {
            faults,
            random,
            flash,
            server,
            to_host: VecDeque::new(),
            held: None,
            power,
            start,
            lose_reply: false,
            stop_at_cut: false,
            boots: 1,
            frames: 0,
        };
        board.arm();
        Rc::new(RefCell::new(board))
    }

    /// Chooses the operation of the flash that is cut next.
    fn arm(&mut self) {
        let cuts = self.faults.cuts;
        self.power.left.set(if cuts == 0 { u32::MAX } else { 1 + self.random.below(2 * cuts) });
    }

    /// The operation of the flash that is cut next, from 1; the power stays on where the flash itself fails.
    pub(crate) fn cut_at(&mut self, operation: u32, faulty: bool) {
        self.power.left.set(operation);
        self.power.faulty.set(faulty);
        self.power.cut.set(false);
    }

    /// Stops the next hosts after so many frames, and once an operation of the flash was cut; 0 for never.
    pub(crate) fn stop_hosts(&mut self, frames: u32) {
        self.faults.host_frames = frames;
        self.stop_at_cut = frames > 0;
    }

    /// Resets the board when it has done the next request, before the host hears of it.
    pub(crate) fn lose_the_next_reply(&mut self) {
        self.lose_reply = true;
    }

    /// Whether that one was reached.
    pub(crate) fn was_cut(&self) -> bool {
        self.power.cut.get()
    }

    /// All of the flash.
    pub(crate) fn memory(&self) -> Vec<u8> {
        Mapped::bytes(&*self.flash.borrow(), 0, FLASH as u32).unwrap().to_vec()
    }

    /// Power off and on: what is left is the flash.
    pub(crate) fn reset(&mut self) {
        self.arm();
        loop {
            (self.flash, self.server) = boot_with(self.memory(), &self.power, self.start);
            self.boots += 1;
            if !self.power.dead.get() {
                break;
            }
            self.arm();
        }
        self.to_host.clear();
    }

    fn one_of(&mut self, many: u32) -> bool {
        many > 0 && self.random.below(many) == 0
    }

    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let resets = self.faults.resets;
            if self.one_of(resets) {
                self.reset();
            }
            let reply = self.server.push(byte).map(<[u8]>::to_vec);
            // Without power nothing is sent.
            let lost = reply.is_some() && std::mem::take(&mut self.lose_reply);
            if lost
                || self.power.dead.get()
                || self.server.must_restart() && resets > 0 && self.one_of(2)
            {
                self.reset();
                continue;
            }
            if let Some(reply) = reply {
                for part in self.spoil(reply) {
                    self.to_host.extend(part);
                }
            }
            if self.server.must_restart() {
                let sent = std::mem::take(&mut self.to_host);
                self.reset();
                self.to_host = sent;
            }
        }
    }

    /// What becomes of a frame on the line.
    fn spoil(&mut self, mut frame: Vec<u8>) -> Vec<Vec<u8>> {
        let spoiled = self.faults.spoiled;
        if !self.one_of(spoiled) {
            return vec![frame];
        }
        let length = frame.len() as u32;
        let at = self.random.below(length) as usize;
        match self.random.below(7) {
            0 => vec![],
            1 => vec![frame[..at].to_vec()],
            2 => {
                frame[at] ^= 1 << self.random.below(8);
                vec![frame]
            }
            3 => vec![frame.clone(), frame],
            4 => {
                let garbage = (0..300).map(|_| self.random.below(256) as u8).collect();
                vec![garbage, frame]
            }
            5 => {
                frame.remove(at);
                vec![frame]
            }
            // Comes with a later one, before it or behind it.
            _ => self.held.replace(frame).into_iter().collect(),
        }
    }
}

/// A host's port to it.
pub(crate) struct Line(pub(crate) Rc<RefCell<Simulated>>);

impl Port for Line {
    fn name(&self) -> String {
        "simulated".to_owned()
    }

    fn open(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let board = &mut *self.0.borrow_mut();
        board.frames += 1;
        let enough = board.faults.host_frames > 0 && board.frames >= board.faults.host_frames;
        if enough || board.stop_at_cut && board.was_cut() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        for part in board.spoil(bytes.to_vec()) {
            board.take(&part);
        }
        if board.one_of(3)
            && let Some(held) = board.held.take()
        {
            board.take(&held);
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        let mut board = self.0.borrow_mut();
        let count = board.to_host.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(board.to_host.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }
}

/// A host. It sends again after a moment, as whatever comes is there at once; it gives up soon only where it is
/// going to be stopped, so that a busy machine fails no test.
pub(crate) fn host(
    board: &Rc<RefCell<Simulated>>,
) -> Result<Board, headstart_cable::client::Error> {
    board.borrow_mut().frames = 0;
    let stopped = board.borrow().faults.host_frames > 0;
    let patience = if stopped { Duration::from_millis(10) } else { Duration::from_secs(60) };
    let timing = Timing { retry: Duration::from_micros(20), patience };
    Board::open(Box::new(Line(board.clone())), timing)
}
