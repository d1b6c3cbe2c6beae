//! A server is killed in the middle of an upload, of a learn and of a restore: what was learned is the old or the new, and nothing else stays
//! behind. Each is cut off six times, or as often as the variable `HEADSTART_KILLS` says (tests/long/page).

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::served::{Served, form};
use common::{Bench, contents};

type Files = Vec<(String, Vec<u8>)>;

fn kills() -> u32 {
    std::env::var("HEADSTART_KILLS").map_or(6, |kills| kills.parse().expect("a number"))
}

const FORM: &str = "multipart/form-data; boundary=a-boundary";

/// A change that a request makes.
struct Change<'a> {
    what: &'a str,
    /// Requests that come before the one that is cut off.
    before: &'a dyn Fn(&Served),
    request: Vec<u8>,
    /// Whether only a part of the request is sent, so that nothing may change.
    is_cut: bool,
}

fn request(method: &str, path: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The head that answers. Features and copies of samples are written before it, and names of files after it; what a killed process leaves
/// of them is taken, or taken away, by the next change.
fn learned(bench: &Bench) -> Vec<u8> {
    fs::read(bench.path("state/head.hshr")).unwrap()
}

fn put_back(bench: &Bench, files: &Files) {
    let state = bench.path("state");
    fs::remove_dir_all(&state).unwrap();
    for (name, content) in files {
        let path = state.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn names(bench: &Bench) -> BTreeSet<String> {
    let entries = fs::read_dir(bench.root.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with("link-")).collect()
}

impl Change<'_> {
    /// Asks, and waits for the answer; gives how long that took.
    fn make(&self, served: &Served) -> Duration {
        (self.before)(served);
        let begun = Instant::now();
        let answer = served.say(&self.request).expect("an answer");
        assert_eq!(answer.status, 200, "{}: {answer:?}", self.what);
        begun.elapsed()
    }

    /// Cuts it off at several times; gives how often the old state stayed, and how often the new one was made.
    fn cut_off(&self, bench: &Bench, old: &Files, new: &Files) -> [u32; 2] {
        put_back(bench, old);
        let before = learned(bench);
        let served = bench.serve("state", &[]);
        let whole = self.make(&served);
        drop(served);
        let after = learned(bench);
        let (there, kills, mut counts) = (names(bench), kills(), [0; 2]);
        for kill in 0..kills {
            let what = format!("{}, kill {kill}", self.what);
            put_back(bench, old);
            let served = bench.serve("state", &[]);
            (self.before)(&served);
            let mut stream = TcpStream::connect(served.address).unwrap();
            let part = self.request.len() * kill as usize / kills as usize;
            let sent = if self.is_cut { part } else { self.request.len() };
            stream.write_all(&self.request[..sent]).unwrap();
            if kill + 1 < kills || self.is_cut {
                std::thread::sleep(whole * kill / kills);
            } else {
                // The last one is killed when it has answered.
                let _ = stream.read_to_end(&mut Vec::new());
            }
            // It is killed.
            drop(served);
            // The next start ends what was begun, or takes it back.
            let served = bench.serve("state", &[]);
            let found = learned(bench);
            let is_new = found != before;
            assert!(!is_new || found == after, "{what}: neither old nor new");
            assert!(!(is_new && self.is_cut), "{what}: half of it was taken");
            assert_eq!(names(bench), there, "{what}");
            counts[usize::from(is_new)] += 1;
            // Asked again, it leaves what it leaves at once, and nothing beside it.
            self.make(&served);
            drop(served);
            assert!(contents(&bench.path("state")) == *new, "{what}: asked again");
        }
        println!(
            "{}: killed {kills} times, {} kept the old state, {} made the new",
            self.what, counts[0], counts[1]
        );
        counts
    }
}

#[test]
fn a_server_that_is_killed_leaves_the_old_state_or_the_new() {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &["--data", "data", "--state", "state", "--keep-samples"]);
    let old = contents(&bench.path("state"));
    bench.pictures("more", "white", [230; 3], 0, 4);
    let pictures: Vec<_> = contents(&bench.path("more/white"))
        .into_iter()
        .map(|(name, content)| ("white".to_owned(), name, content))
        .collect();
    let waits = |served: &Served| {
        assert_eq!(served.form("/api/samples?learn=no", &pictures).status, 200);
    };
    let learn = Change {
        what: "learn",
        before: &waits,
        request: request("POST", "/api/learn", "application/json", b""),
        is_cut: false,
    };
    let served = bench.serve("state", &[]);
    learn.make(&served);
    let new = contents(&bench.path("state"));
    let saved = served.get("/api/state").body;
    drop(served);
    assert!(new != old);

    let [kept, made] = learn.cut_off(&bench, &old, &new);
    assert!(kept > 0 && made > 0);
    let nothing = |_: &Served| {};
    let restore = request("PUT", "/api/state", "application/x-tar", &saved);
    let change = Change { what: "restore", before: &nothing, request: restore, is_cut: false };
    let [kept, made] = change.cut_off(&bench, &old, &new);
    assert!(kept > 0 && made > 0);
    let part = Change { what: "a part of a restore", is_cut: true, ..change };
    part.cut_off(&bench, &old, &new);
    // What waits is in memory alone, and gone with the process.
    put_back(&bench, &old);
    let waiting = request("POST", "/api/samples?learn=no", FORM, &form(&pictures));
    let change =
        Change { what: "a part of an upload", before: &nothing, request: waiting, is_cut: true };
    change.cut_off(&bench, &old, &old);
}
