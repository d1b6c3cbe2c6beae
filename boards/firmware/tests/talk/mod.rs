//! A host's conversation with a board, the same each time, and the board that it talks to.
#![allow(dead_code, reason = "the test and the recorder use their own parts")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use headstart::pack::Pack;
use headstart::store::Region;
use headstart_cable::Learner;
use headstart_cable::client::{Answer, Board, Error, Lesson, Port, Sample, Timing};
use headstart_firmware::MemoryFlash;
use headstart_firmware::cable::{self, Device, Layout, Mapped, Place, Server};

/// Where things lie in the golden flash: never changed, as no board's layout ever is.
const LAYOUT: Layout = Layout {
    packs: [Place { start: 0, bytes: 4 << 10 }, Place { start: 4 << 10, bytes: 4 << 10 }],
    heads: Region { start: 8 << 10, slot_bytes: 4 << 10, slots: 2 },
    journal: Region { start: 16 << 10, slot_bytes: 4 << 10, slots: 2 },
    features: Place { start: 24 << 10, bytes: 8 << 10 },
};
pub(crate) const FLASH: usize = 32 << 10;
/// Bytes of RAM for sessions.
const MEMORY: usize = 16 << 10;
/// Bytes of a sample of the packs: 24 × 24 × 1.
const INPUT: usize = 24 * 24;

/// A board that was started with what its flash holds. What it borrows is static on a board, and never freed here.
pub(crate) struct Started {
    flash: &'static RefCell<MemoryFlash<'static>>,
    server: Server<'static, 'static, MemoryFlash<'static>>,
}

impl Started {
    pub(crate) fn new(flash: Vec<u8>) -> Self {
        let flash = &*Box::leak(Box::new(RefCell::new(MemoryFlash::new(flash.leak()))));
        let pack = cable::active(flash, &LAYOUT).map(|active| {
            let start = LAYOUT.packs[usize::from(active.place)].start;
            let bytes = Mapped::bytes(&*flash.borrow(), start, active.bytes).unwrap().to_vec();
            (&*Box::leak(Box::new(Pack::open(bytes.leak()).unwrap())), active)
        });
        let memory = bytemuck::cast_slice_mut(vec![0_u32; MEMORY / 4].leak());
        let board = cable::Board { name: "golden", firmware: "0.0.0" };
        Self { flash, server: Server::new(Device::new(board, flash, &LAYOUT, pack, memory)) }
    }

    /// All of the flash.
    pub(crate) fn flash(&self) -> Vec<u8> {
        Mapped::bytes(&*self.flash.borrow(), 0, FLASH as u32).unwrap().to_vec()
    }

    /// Takes bytes of the host, and gives those of the replies. The board starts anew where it has to.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut replies = vec![];
        for &byte in bytes {
            replies.extend_from_slice(self.server.push(byte).unwrap_or_default());
            if self.server.must_restart() {
                *self = Self::new(self.flash());
            }
        }
        replies
    }
}

/// The flash of a board on which only this pack was flashed.
pub(crate) fn blank(pack: &[u8]) -> Vec<u8> {
    let mut flash = vec![0xFF; FLASH];
    flash[..pack.len()].copy_from_slice(pack);
    flash
}

/// What answers the frames of a host: a board, or what one has answered before.
pub(crate) type Answers = Rc<RefCell<dyn FnMut(&[u8]) -> Vec<u8>>>;

struct Line {
    answers: Answers,
    to_host: VecDeque<u8>,
}

impl Port for Line {
    fn name(&self) -> String {
        "golden".to_owned()
    }

    fn open(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to_host.extend((self.answers.borrow_mut())(bytes));
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        let count = self.to_host.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(self.to_host.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }
}

fn host(answers: &Answers) -> Result<Board, Error> {
    let line = Line { answers: answers.clone(), to_host: VecDeque::new() };
    let timing = Timing { retry: Duration::from_secs(60), patience: Duration::from_secs(60) };
    Board::open(Box::new(line), timing)
}

/// Samples of a few classes, from that number on.
fn samples(labels: &[&str], first: usize) -> Vec<Sample> {
    let sample = |(label, number): (&&str, usize)| {
        // A label's samples are lighter or darker than another's.
        let level = |at: usize| (at * 7 + number * 31) % (16 * label.len());
        let input = (0..INPUT).map(|at| level(at) as i8 - 40).collect();
        Sample { label: (*label).to_owned(), input }
    };
    labels.iter().zip(first..).map(sample).collect()
}

/// Everything that a host asks a board for, with another pack of the same backbone at the end. Gives what the host was
/// told, in words.
pub(crate) fn conversation(answers: &Answers, other: &[u8]) -> Result<String, Error> {
    let mut told = String::new();
    let mut host = host(answers)?;
    greeted(&mut told, &host);
    for (first, (labels, learner, commit)) in (0..).step_by(10).zip([
        (&["mug", "kettle", "mug", "kettle"][..], Some(Learner::Sgd), true),
        (&["mug", "jar"], None, true),
        (&["mug", "kettle"], Some(Learner::Ridge), true),
        (&["kettle", "mug"], Some(Learner::Imprint), true),
        (&["cup"], None, false),
    ]) {
        let taught = samples(labels, first);
        let learned = host.learn(Lesson { samples: &taught, learner, commit }, |_| ())?;
        let commit = learned.commit.unwrap_or(0);
        let asked = samples(&["kettle"], first + 5);
        told += &format!(
            "learned: kept {}, trained {}, loss {}, commit {commit}\n",
            learned.kept, learned.trained, learned.loss
        );
        answered(&mut told, &host.predict(&asked[0].input)?);
        if commit > 0 {
            told += &format!("head {}\n", hex(&host.head()?.unwrap_or_default()));
        }
    }
    told += &format!("committed {}\n", host.commit()?);
    for sample in samples(&["mug", "kettle"], 50) {
        answered(&mut told, &host.evaluate(&sample.input, &sample.label)?);
    }
    let (status, classes) = host.status()?;
    told += &format!("{} classes, commit {}\n", status.classes, status.commits);
    for class in classes {
        told += &format!("{}: {} samples\n", class.name, class.samples);
    }
    told += &format!("forgotten, {} classes left\n", host.forget(Some("jar"))?);
    told += &format!("another pack: {}\n", host.update(other, false, |_| ())?);
    greeted(&mut told, &host);
    let head = host.head()?.unwrap_or_default();
    told += &format!("head {}\n", hex(&head));
    Ok(told)
}

fn answered(told: &mut String, answer: &Answer) {
    let Answer { class, label, probability, unknown, truth } = answer;
    *told += &format!("{class}: {label} {probability}, unknown {unknown}, truth {truth:?}\n");
}

fn greeted(told: &mut String, host: &Board) {
    let found = host.greeting();
    let (pack, backbone) = (hex(&found.pack), hex(&found.backbone));
    *told += &format!("{} {}, pack {pack}, backbone {backbone}\n", found.board, found.firmware);
    *told += &format!(
        "{}x{}x{}, {} of {} classes, room {}, problem {:?}\n",
        found.input.height,
        found.input.width,
        found.input.channels,
        found.classes,
        found.max_classes,
        found.room,
        found.problem
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a board learns after the conversation: the head then.
pub(crate) fn next(answers: &Answers) -> Result<Vec<u8>, Error> {
    let mut host = host(answers)?;
    let taught = samples(&["cup", "kettle", "lid"], 70);
    host.learn(Lesson { samples: &taught, learner: Some(Learner::Sgd), commit: true }, |_| ())?;
    Ok(host.head()?.unwrap_or_default())
}

/// Bytes of a flash as text, 32 a line after their address, without what is erased.
pub(crate) fn to_text(flash: &[u8]) -> String {
    let used = flash
        .chunks(32)
        .zip((0..).step_by(32))
        .filter(|(row, _)| row.iter().any(|&byte| byte != 0xFF));
    used.map(|(row, at): (_, usize)| format!("{at:05x} {}\n", hex(row))).collect()
}

/// The flash of [`to_text`].
pub(crate) fn from_text(text: &str) -> Vec<u8> {
    let mut flash = vec![0xFF; FLASH];
    for line in text.lines() {
        let (at, row) = line.split_once(' ').expect("an address and bytes");
        let at = usize::from_str_radix(at, 16).expect("an address");
        for (byte, to) in (0..row.len()).step_by(2).zip(&mut flash[at..]) {
            *to = u8::from_str_radix(&row[byte..byte + 2], 16).expect("a byte");
        }
    }
    flash
}
