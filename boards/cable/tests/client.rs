//! A host whose board, or port, does what no board of ours does: it comes to an end, and asks for no memory without one.

use std::collections::VecDeque;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use headstart_cable::client::{Board, Error, Port, TcpPort, Timing};
use headstart_cable::{
    FRAME, Frame, Hello, Input, REPLY, Receiver, Reply, Request, Status, VERSION, encode, parse,
};

/// A board that answers by a function, once it was greeted.
struct Fake<A> {
    receiver: Receiver,
    to_host: VecDeque<u8>,
    answer: A,
}

fn host(answer: impl FnMut(&Request<'_>) -> Reply<'static> + 'static) -> Board {
    let fake = Fake { receiver: Receiver::new(), to_host: VecDeque::new(), answer };
    let timing = Timing { retry: Duration::from_secs(1), patience: Duration::from_secs(5) };
    Board::open(Box::new(fake), timing).unwrap()
}

impl<A: FnMut(&Request<'_>) -> Reply<'static>> Port for Fake<A> {
    fn name(&self) -> String {
        "fake".to_owned()
    }

    fn open(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for &byte in bytes {
            let Some(payload) = self.receiver.push(byte) else { continue };
            let Frame { session, sequence, body } = parse::<Request<'_>>(payload).unwrap();
            let body = match body {
                Request::Hello { .. } => Reply::Hello(hello()),
                request => (self.answer)(&request),
            };
            let mut buffer = [0; FRAME];
            let frame = Frame { session: session | REPLY, sequence, body };
            self.to_host.extend(&*encode(&frame, &mut buffer).unwrap());
        }
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

fn hello() -> Hello<'static> {
    Hello {
        version: VERSION,
        board: "fake",
        firmware: "0",
        pack: [0; 32],
        backbone: [0; 32],
        input: Input::default(),
        max_classes: 1,
        classes: 0,
        room: 1 << 20,
        transaction: 0,
        learned: 0,
        problem: None,
    }
}

const PART: [u8; 512] = [7; 512];

fn status(classes: u16) -> Status {
    Status {
        classes,
        features: 1,
        learner: 1,
        commits: 1,
        head_bytes: 1024,
        learned: 0,
        kept: 0,
        most_kept: 0,
        unknown_threshold: 0.0,
        damaged: 0,
    }
}

#[test]
fn more_classes_than_a_pack_has_are_not_asked_for() {
    let asked = Arc::new(AtomicU32::new(0));
    for (classes, expected) in [(u16::MAX, None), (4097, None), (4096, Some(4096))] {
        let count = asked.clone();
        let mut board = host(move |request| match request {
            Request::Status => Reply::Status(status(classes)),
            Request::Class { .. } => {
                count.fetch_add(1, Ordering::Relaxed);
                Reply::Class { label: "mug", samples: 1 }
            }
            other => panic!("{other:?}"),
        });
        match (board.status(), expected) {
            (Ok((_, found)), Some(expected)) => assert_eq!(found.len(), expected),
            (Err(Error::TooManyClasses { found, most: 4096 }), None) => assert_eq!(found, classes),
            (other, _) => panic!("{classes} classes: {other:?}"),
        }
        let asked = asked.load(Ordering::Relaxed);
        assert_eq!(asked, expected.map_or(0, |classes| classes as u32));
    }
}

#[test]
fn a_head_in_single_bytes_is_refused() {
    let parts = Arc::new(AtomicU32::new(0));
    let sent = parts.clone();
    let mut board = host(move |request| match request {
        Request::Head { .. } => {
            sent.fetch_add(1, Ordering::Relaxed);
            Reply::Head { bytes: 1 << 20, part: &PART[..1] }
        }
        other => panic!("{other:?}"),
    });
    assert!(matches!(board.head(), Err(Error::Answer)));
    assert_eq!(parts.load(Ordering::Relaxed), 1);
}

#[test]
fn a_head_without_an_end_is_refused() {
    // The length that the board states, at each offset, and the parts that it has sent by then.
    let lengths: [fn(u32) -> u32; 3] = [|_| u32::MAX, |offset| offset + 513, |_| 100];
    for length in lengths {
        let parts = Arc::new(AtomicU32::new(0));
        let sent = parts.clone();
        let mut board = host(move |request| match request {
            Request::Head { offset } => {
                sent.fetch_add(1, Ordering::Relaxed);
                Reply::Head { bytes: length(*offset), part: &PART }
            }
            other => panic!("{other:?}"),
        });
        assert!(matches!(board.head(), Err(Error::Answer)));
        assert!(parts.load(Ordering::Relaxed) <= 2);
    }
    let mut board = host(|request| match request {
        Request::Head { offset } if *offset < 1024 => Reply::Head { bytes: 1024, part: &PART },
        other => panic!("{other:?}"),
    });
    assert_eq!(board.head().unwrap().unwrap().len(), 1024);
}

#[test]
fn an_update_that_does_not_get_on_is_given_up() {
    for stuck in [0, 512] {
        let mut written = 0;
        let mut board = host(move |request| match request {
            Request::Update { .. } => Reply::Received { bytes: stuck },
            Request::Write { .. } => {
                written += 1;
                assert!(written < 3, "it writes on and on");
                Reply::Received { bytes: stuck }
            }
            other => panic!("{other:?}"),
        });
        assert!(matches!(board.update(&[1; 2000], false, |_| ()), Err(Error::Answer)));
    }
}

/// A board that greets and then says nothing.
struct Dead(Fake<fn(&Request<'_>) -> Reply<'static>>, Arc<AtomicU32>);

impl Port for Dead {
    fn name(&self) -> String {
        "dead".to_owned()
    }

    fn open(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let writes = self.1.fetch_add(1, Ordering::Relaxed);
        if writes == 0 { self.0.write(bytes) } else { Ok(()) }
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.0.read(buffer, wait)
    }
}

#[test]
fn a_board_that_falls_silent_is_asked_less_and_less_and_told_from_one_that_never_spoke() {
    let writes = Arc::new(AtomicU32::new(0));
    let answer: fn(&Request<'_>) -> Reply<'static> = |other| panic!("{other:?}");
    let fake = Fake { receiver: Receiver::new(), to_host: VecDeque::new(), answer };
    let timing = Timing { retry: Duration::from_millis(20), patience: Duration::from_millis(600) };
    let mut board = Board::open(Box::new(Dead(fake, writes.clone())), timing).unwrap();
    let refused = board.status();
    assert!(matches!(refused, Err(Error::FellSilent { answered: 1, .. })), "{refused:?}");
    // The greeting, then after 20 ms, after 40, and every 80.
    let writes = writes.load(Ordering::Relaxed);
    assert!((2..=11).contains(&writes), "{writes} requests");
}

#[test]
fn a_server_that_closes_every_connection_is_asked_a_few_times_a_second() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let connections = Arc::new(AtomicU32::new(0));
    let counted = connections.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::Relaxed);
            drop(stream);
        }
    });
    let timing = Timing { retry: Duration::from_millis(50), patience: Duration::from_secs(1) };
    let opened = Board::open(Box::new(TcpPort::new(&address)), timing);
    assert!(matches!(opened, Err(Error::Silent { .. })));
    // One every 200 ms, and the first.
    let connections = connections.load(Ordering::Relaxed);
    assert!((2..=7).contains(&connections), "{connections} connections");
}
