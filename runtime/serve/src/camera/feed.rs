//! The newest frame of a source, which a thread reads all the time.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::mjpeg::Frames;
use super::source::Source;

/// A source that ended or broke is tried again after this time.
const AGAIN: Duration = Duration::from_secs(1);

/// The newest frame of a source. Dropping it ends its thread with the next frame.
#[derive(Debug)]
pub struct Feed(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    slot: Mutex<Slot>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Slot {
    frame: Option<Vec<u8>>,
    /// How many frames gave way to newer ones since one was taken.
    dropped: u64,
    /// What the source became, until it is taken.
    state: Option<(State, Option<String>)>,
    is_over: bool,
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Frames come.
    Open,
    /// The source ended.
    Ended,
    /// The source cannot be opened or read.
    Broken,
}

/// What a feed gives next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A frame, and how many gave way to it.
    Frame {
        /// The frame's JPEG file.
        content: Vec<u8>,
        /// How many frames came since the last one that was given, and were left out.
        dropped: u64,
    },
    /// The source is another one than before, and why.
    State(State, Option<String>),
    /// Nothing comes any more.
    Over,
}

impl Feed {
    /// Reads a source from now on. `again` says whether a plain file, and standard input, that ended are over; other sources are tried again.
    /// A plain file loses no frame.
    #[must_use]
    pub fn open(source: Source, again: bool) -> Self {
        let shared = Arc::new(Shared { slot: Mutex::default(), bell: Condvar::new() });
        let weak = Arc::downgrade(&shared);
        // Without a thread there are no frames, and the feed is over.
        let begun = thread::Builder::new()
            .name("camera".to_owned())
            .spawn(move || read(&source, again, &weak));
        if begun.is_err() {
            shared.slot().is_over = true;
        }
        Self(shared)
    }

    /// What comes next, or nothing within this time.
    #[must_use]
    pub fn next_within(&self, patience: Duration) -> Option<Next> {
        let end = Instant::now() + patience;
        let mut slot = self.0.slot();
        loop {
            if let Some((state, reason)) = slot.state.take() {
                return Some(Next::State(state, reason));
            }
            if let Some(content) = slot.frame.take() {
                self.0.bell.notify_all();
                return Some(Next::Frame { content, dropped: std::mem::take(&mut slot.dropped) });
            }
            if slot.is_over {
                return Some(Next::Over);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            slot = self.0.bell.wait_timeout(slot, left).unwrap_or_else(|e| e.into_inner()).0;
        }
    }
}

impl Shared {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Puts a frame where the next answer takes it.
    fn put(&self, frame: Vec<u8>) {
        let mut slot = self.slot();
        slot.dropped += u64::from(slot.frame.is_some());
        slot.frame = Some(frame);
        self.bell.notify_all();
    }

    fn become_state(&self, state: State, reason: Option<String>) {
        self.slot().state = Some((state, reason));
        self.bell.notify_all();
    }
}

/// Whether all that was put is taken, and the feed is still there.
fn is_taken(shared: &Weak<Shared>) -> bool {
    loop {
        let Some(shared) = shared.upgrade() else { return false };
        let slot = shared.slot();
        if slot.frame.is_none() && slot.state.is_none() {
            return true;
        }
        let waited = shared.bell.wait_timeout(slot, AGAIN);
        drop(waited.unwrap_or_else(|e| e.into_inner()));
    }
}

/// Reads until the feed is gone.
fn read(source: &Source, again: bool, shared: &Weak<Shared>) {
    loop {
        let is_file = source.is_plain_file();
        let (state, reason) = match source.open() {
            Err(error) => (State::Broken, Some(error.to_string())),
            Ok(stream) => {
                let Some(feed) = shared.upgrade() else { return };
                feed.become_state(State::Open, None);
                drop(feed);
                let mut frames = Frames::new(stream);
                loop {
                    if is_file && !is_taken(shared) {
                        return;
                    }
                    let frame = frames.next_frame();
                    let Some(feed) = shared.upgrade() else { return };
                    match frame {
                        Ok(Some(frame)) => feed.put(frame),
                        Ok(None) => break (State::Ended, None),
                        Err(error) => break (State::Broken, Some(error.to_string())),
                    }
                }
            }
        };
        // What was read last is answered before its end is told.
        if !is_taken(shared) {
            return;
        }
        let Some(feed) = shared.upgrade() else { return };
        feed.become_state(state, reason);
        let is_over = *source == Source::Stdin || is_file && !again;
        if is_over {
            feed.slot().is_over = true;
            feed.bell.notify_all();
            return;
        }
        drop(feed);
        thread::sleep(AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    const FRAME: &[u8] = b"\xff\xd8\xff\xda\0\x02data\xff\xd9";
    const LONG: Duration = Duration::from_secs(20);

    fn next(feed: &Feed) -> Next {
        feed.next_within(LONG).expect("something comes")
    }

    #[test]
    fn a_plain_file_gives_every_frame_and_is_over() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("film.mjpeg");
        std::fs::write(&path, FRAME.repeat(100)).unwrap();
        let feed = Feed::open(Source::File(path), false);
        assert_eq!(next(&feed), Next::State(State::Open, None));
        for _ in 0..100 {
            assert_eq!(next(&feed), Next::Frame { content: FRAME.to_vec(), dropped: 0 });
        }
        assert_eq!(next(&feed), Next::State(State::Ended, None));
        assert_eq!(next(&feed), Next::Over);
    }

    #[test]
    fn late_frames_are_dropped_and_a_camera_that_breaks_is_tried_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let source = format!("http://me:pw@{}/video", listener.local_addr().unwrap());
        let feed = Feed::open(source.parse().unwrap(), true);
        let accept = |answer: &[u8]| {
            let (mut stream, _) = listener.accept().unwrap();
            // It may come in parts.
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut part = [0; 512];
                let length = stream.read(&mut part).unwrap();
                assert!(length > 0, "{}", String::from_utf8_lossy(&request));
                request.extend(&part[..length]);
            }
            let request = String::from_utf8(request).unwrap();
            assert!(request.starts_with("GET /video HTTP/1.0\r\n"), "{request}");
            assert!(request.contains("Authorization: Basic bWU6cHc=\r\n"), "{request}");
            stream.write_all(answer).unwrap();
            stream
        };
        let answer = [b"HTTP/1.1 200 OK\r\n\r\n", &FRAME.repeat(50)[..]].concat();
        let camera = accept(&answer);
        assert_eq!(next(&feed), Next::State(State::Open, None));
        // All have come before the first is asked for.
        let begun = Instant::now();
        while feed.0.slot().dropped < 49 {
            assert!(begun.elapsed() < LONG, "{} frames gave way", feed.0.slot().dropped);
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(next(&feed), Next::Frame { content: FRAME.to_vec(), dropped: 49 });
        drop(camera);
        assert_eq!(next(&feed), Next::State(State::Ended, None));
        accept(b"HTTP/1.1 401 Unauthorized\r\n\r\n");
        let Next::State(State::Broken, Some(reason)) = next(&feed) else { panic!("not told") };
        assert!(reason.contains("401"), "{reason}");
        accept(&answer);
        assert_eq!(next(&feed), Next::State(State::Open, None));
    }

    #[test]
    fn what_is_not_there_is_told() {
        let feed = Feed::open(Source::File("/no/such/pipe".into()), true);
        assert!(matches!(next(&feed), Next::State(State::Broken, Some(_))));
    }
}
