//! The program as a server, and a client that says exactly what a test wants said.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::Bench;

/// `headstart-edge serve`, which is killed when the test is over.
pub(crate) struct Served {
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
    /// Before a call's path.
    pub(crate) base: String,
    pub(crate) token: Option<String>,
    link: PathBuf,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In small letters.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head, body: bytes[end + 4..].to_vec() })
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of an answer that says yes.
    pub(crate) fn done(self) -> Json {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

impl Bench {
    /// Serves `state`, and waits until it listens.
    pub(crate) fn serve(&self, state: &str, options: &[&str]) -> Served {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let link = self.path(&format!("link-{number}"));
        let mut process = Command::new(env!("CARGO_BIN_EXE_headstart-edge"))
            .current_dir(self.root.path())
            .arg("serve")
            .arg(&self.pack)
            .args(["--state", state, "--port", "0", "--link"])
            .arg(&link)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !link.exists() {
            if let Some(status) = process.try_wait().unwrap() {
                let mut said = String::new();
                process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("{status}: {said}");
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        let text = std::fs::read_to_string(&link).unwrap();
        let mut lines = text.lines();
        let base = lines.next().unwrap().to_owned();
        let port = base.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
        let token = lines.next().map(str::to_owned);
        Served { process, address: ([127, 0, 0, 1], port).into(), base, token, link }
    }
}

impl Served {
    /// Sends these bytes and gives the server's answer until it closes; nothing where it says nothing.
    pub(crate) fn say(&self, bytes: &[u8]) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // A server that refuses early takes no more.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer::parse(&answer)
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n",
            self.address.port()
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() || method != "GET" {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        self.say(&[head.as_bytes(), b"\r\n", body].concat()).expect("an answer")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Json) -> Answer {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.ask("POST", path, &[("Content-Type", "application/json")], text.as_bytes())
    }

    /// Sends pictures, each with its class and its file's name.
    pub(crate) fn form(&self, path: &str, pictures: &[(String, String, Vec<u8>)]) -> Answer {
        let kind = [("Content-Type", "multipart/form-data; boundary=a-boundary")];
        self.ask("POST", path, &kind, &form(pictures))
    }

    /// The next event of this name on a stream.
    pub(crate) fn event(stream: &mut impl std::io::BufRead, name: &str) -> Json {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended before {name}");
            let is_it = line.trim_end() == format!("event: {name}");
            if is_it {
                line.clear();
                stream.read_line(&mut line).unwrap();
                let data = line.trim_end().strip_prefix("data: ").expect("an event has data");
                return serde_json::from_str(data).unwrap();
            }
        }
    }

    /// A stream of events from now on.
    pub(crate) fn listen(&self) -> std::io::BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut stream = std::io::BufReader::new(stream);
        Self::event(&mut stream, "hello");
        stream
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.process.id())).unwrap();
        let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4096
    }

    /// Ends it as a terminal does, and gives its exit status and what it said.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let process = nix::unistd::Pid::from_raw(self.process.id() as i32);
        nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGINT).unwrap();
        let status = self.process.wait().unwrap();
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status.code(), said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.link);
    }
}

/// A form of pictures.
pub(crate) fn form(pictures: &[(String, String, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (class, file, content) in pictures {
        let class = class.replace('"', "%22");
        let head = format!(
            "--a-boundary\r\nContent-Disposition: form-data; name=\"{class}\"; filename=\"{file}\"\r\n\r\n"
        );
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--a-boundary--\r\n");
    body
}
