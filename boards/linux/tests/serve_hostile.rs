//! What a server withstands: requests of other sites, without a token, with tricks, too large, too slow, too many. Each is refused or bounded,
//! and the device still answers.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::served::{Answer, Served, form};
use common::{Bench, RED, contents, picture};
use serde_json::json;

/// Memory above what the idle server takes.
const MOST_MEMORY: u64 = 64 << 20;

/// So many connections of a flood, or as many as the variable `HEADSTART_CONNECTIONS` says (tests/long/page).
fn connections() -> u32 {
    let asked = std::env::var("HEADSTART_CONNECTIONS");
    asked.map_or(300, |connections| connections.parse().expect("a number"))
}

fn taught() -> Bench {
    let bench = Bench::new();
    bench.colours("data", 0, 4);
    bench.json("learn", &["--data", "data", "--state", "state"]);
    bench
}

fn png(colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture(colour, 1).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Asks again as long as the server says to come later, and when it says so: floods come from this machine too.
fn patiently(ask: impl Fn() -> Answer) -> Answer {
    let mut waited = 0;
    loop {
        let answer = ask();
        if answer.status != 429 {
            return answer;
        }
        let seconds =
            answer.head.split("retry-after: ").nth(1).and_then(|rest| rest.lines().next());
        let seconds: u64 = seconds.expect("it says when").trim().parse().expect("seconds");
        waited += seconds;
        assert!(waited <= 120, "still told to wait after {waited} s");
        std::thread::sleep(Duration::from_secs(seconds));
    }
}

/// The server answers a picture rightly, on a connection of its own.
fn answers(served: &Served) {
    let answer = patiently(|| served.ask("POST", "/api/predict", &[], &png(RED)));
    assert_eq!(answer.done()["best"], "red");
}

/// A PNG's chunk.
fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let crc = [kind, content].concat().iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            if c & 1 == 1 { (c >> 1) ^ 0xEDB8_8320 } else { c >> 1 }
        })
    });
    [&(content.len() as u32).to_be_bytes(), kind, content, &(!crc).to_be_bytes()].concat()
}

/// A PNG that claims so many pixels, and has none.
fn claiming(width: u32, height: u32, depth: u8, colour: u8) -> Vec<u8> {
    let head =
        [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat();
    let begin = b"\x89PNG\r\n\x1a\n";
    [
        &begin[..],
        &chunk(b"IHDR", &head),
        &chunk(b"IDAT", &[0x78, 0x9C, 1, 0, 0]),
        &chunk(b"IEND", b""),
    ]
    .concat()
}

/// A request by its lines, with the server's own name for `HOST`.
fn request(served: &Served, lines: &str) -> Vec<u8> {
    let host = format!("localhost:{}", served.address.port());
    let lines = lines.trim().replace('\n', "\r\n").replace("HOST", &host);
    let close = if lines.contains("HTTP/1.1\r\n") { "\r\nConnection: close" } else { "" };
    format!("{lines}{close}\r\n\r\n").into_bytes()
}

/// Requests, each with the statuses of which one must come.
const LINES: &[(&str, &str, &[u16])] = &[
    ("rebinding", "GET /api/status HTTP/1.1\nHost: evil.example", &[403]),
    ("rebinding, our port", "GET /api/status HTTP/1.1\nHost: evil.example:8321", &[403]),
    (
        "rebinding, our name in theirs",
        "GET /api/status HTTP/1.1\nHost: localhost.evil.example",
        &[403],
    ),
    (
        "rebinding, our address in theirs",
        "GET /api/status HTTP/1.1\nHost: 127.0.0.1.evil.example",
        &[403],
    ),
    ("another address of this machine", "GET /api/status HTTP/1.1\nHost: 127.0.0.2", &[403]),
    ("no host", "GET /api/status HTTP/1.1\nA: b", &[403]),
    ("two hosts", "GET /api/status HTTP/1.1\nHost: HOST\nHost: evil.example", &[403]),
    ("a host with a user", "GET /api/status HTTP/1.1\nHost: a@HOST", &[403]),
    ("the page by another name", "GET / HTTP/1.1\nHost: evil.example", &[403]),
    ("a proxy's target", "GET http://evil.example/api/status HTTP/1.1\nHost: HOST", &[403]),
    ("a tunnel", "CONNECT evil.example:443 HTTP/1.1\nHost: HOST", &[400, 403]),
    (
        "another origin's change",
        "POST /api/forget HTTP/1.1\nHost: HOST\nOrigin: http://evil.example\nContent-Length: 0",
        &[403],
    ),
    (
        "a change of a page in a sandbox",
        "POST /api/forget HTTP/1.1\nHost: HOST\nOrigin: null\nContent-Length: 0",
        &[403],
    ),
    (
        "our host by the other scheme",
        "POST /api/forget HTTP/1.1\nHost: HOST\nOrigin: https://HOST\nContent-Length: 0",
        &[403],
    ),
    (
        "our host by another port",
        "POST /api/forget HTTP/1.1\nHost: HOST\nOrigin: http://localhost:1\nContent-Length: 0",
        &[403],
    ),
    (
        "two origins",
        "POST /api/forget HTTP/1.1\nHost: HOST\nOrigin: http://HOST\nOrigin: http://evil.example\nContent-Length: 0",
        &[403],
    ),
    (
        "another site's events",
        "GET /api/events HTTP/1.1\nHost: HOST\nOrigin: http://evil.example",
        &[403],
    ),
    (
        "another site's picture",
        "GET /api/camera HTTP/1.1\nHost: HOST\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors",
        &[403],
    ),
    (
        "another site's form",
        "POST /api/learn HTTP/1.1\nHost: HOST\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nContent-Length: 0",
        &[403],
    ),
    (
        "a neighbour's change",
        "POST /api/learn HTTP/1.1\nHost: HOST\nSec-Fetch-Site: same-site\nContent-Length: 0",
        &[403],
    ),
    (
        "another site's navigation to a call",
        "GET /api/state HTTP/1.1\nHost: HOST\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate",
        &[403],
    ),
    (
        "an embedding",
        "GET / HTTP/1.1\nHost: HOST\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: nested-navigate",
        &[403],
    ),
    (
        "a question before another origin's change",
        "OPTIONS /api/learn HTTP/1.1\nHost: HOST\nOrigin: http://evil.example\nAccess-Control-Request-Method: POST",
        &[403],
    ),
    ("a path upwards", "GET /../../etc/passwd HTTP/1.1\nHost: HOST", &[404]),
    ("a path upwards, encoded", "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\nHost: HOST", &[404]),
    ("a path with backslashes", "GET /..\\..\\etc\\passwd HTTP/1.1\nHost: HOST", &[400, 404]),
    ("two slashes", "GET //etc/passwd HTTP/1.1\nHost: HOST", &[404]),
    (
        "a path into the state",
        "GET /api/samples/..%2f..%2fserve.pem/picture HTTP/1.1\nHost: HOST",
        &[400, 404],
    ),
    ("a sample's path", "GET /api/samples/../picture HTTP/1.1\nHost: HOST", &[400, 404]),
    ("a zero in a path", "GET /api/samples/%00/picture HTTP/1.1\nHost: HOST", &[400, 404]),
    (
        "a number that is none",
        "GET /api/waiting/18446744073709551616/picture HTTP/1.1\nHost: HOST",
        &[404],
    ),
    ("a method that is none", "BREW /api/status HTTP/1.1\nHost: HOST", &[405]),
    ("a method that another call has", "DELETE /api/status HTTP/1.1\nHost: HOST", &[405]),
    ("a later version", "GET / HTTP/2.0\nHost: HOST", &[400]),
    ("no version", "GET /", &[400]),
    ("a space before the colon", "GET / HTTP/1.1\nHost : HOST", &[400]),
    (
        "a body in chunks",
        "POST /api/predict HTTP/1.1\nHost: HOST\nTransfer-Encoding: chunked",
        &[411],
    ),
    (
        "a body in chunks with a length",
        "POST /api/predict HTTP/1.1\nHost: HOST\nContent-Length: 4\nTransfer-Encoding: chunked",
        &[411],
    ),
    (
        "two lengths",
        "POST /api/predict HTTP/1.1\nHost: HOST\nContent-Length: 4\nContent-Length: 5",
        &[400],
    ),
    (
        "a length below nothing",
        "POST /api/predict HTTP/1.1\nHost: HOST\nContent-Length: -1",
        &[400],
    ),
    (
        "a length past all",
        "POST /api/predict HTTP/1.1\nHost: HOST\nContent-Length: 99999999999999999999",
        &[400],
    ),
    (
        "a body that is too large",
        "POST /api/predict HTTP/1.1\nHost: HOST\nContent-Length: 1000000000",
        &[413],
    ),
    (
        "pictures that are too large",
        "POST /api/samples HTTP/1.1\nHost: HOST\nContent-Type: multipart/form-data; boundary=x\nContent-Length: 1000000000",
        &[413],
    ),
    (
        "a state that is too large",
        "PUT /api/state HTTP/1.1\nHost: HOST\nContent-Length: 1000000000000",
        &[413],
    ),
    (
        "a JSON text that is too large",
        "POST /api/rename HTTP/1.1\nHost: HOST\nContent-Type: application/json\nContent-Length: 10000000",
        &[413],
    ),
    ("another protocol", "PRI * HTTP/2.0\nHost: HOST", &[400]),
    ("an upgrade", "GET /api/events HTTP/1.0\nHost: evil.example\nUpgrade: websocket", &[403]),
];

#[test]
fn requests_that_are_not_ours_are_refused_and_change_nothing() {
    let bench = taught();
    let served = bench.serve("state", &[]);
    let before = contents(&bench.path("state"));
    assert!(LINES.len() >= 40);
    for (what, lines, statuses) in LINES {
        let answer =
            served.say(&request(&served, lines)).unwrap_or_else(|| panic!("{what}: no answer"));
        assert!(statuses.contains(&answer.status), "{what}: {answer:?}");
        assert!(!answer.head.contains("access-control-allow"), "{what}: {}", answer.head);
        // What is no request at all gets a status alone, and nothing to show.
        let is_policed = answer.head.contains("content-security-policy: default-src 'none'");
        assert!(
            is_policed || (answer.status == 400 && answer.body.is_empty()),
            "{what}: {answer:?}"
        );
        assert!(!answer.head.contains("unsafe-inline"), "{what}");
    }
    for (what, bytes) in [
        ("TLS", &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..]),
        ("noise", &[0xFF; 600]),
        ("a head without end", &[b'A'; 40_000]),
        ("lines without end", "GET / HTTP/1.1\r\nA: b\r\n".repeat(2000).as_bytes()),
    ] {
        let answer = served.say(bytes);
        assert!(answer.is_none_or(|answer| matches!(answer.status, 400 | 431)), "{what}");
    }
    answers(&served);
    assert!(contents(&bench.path("state")) == before);
}

#[test]
fn bombs_take_no_memory_and_are_named() {
    let bench = taught();
    let served = bench.serve("state", &[]);
    answers(&served);
    let idle = served.memory();
    let flat = |width, height| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::GrayImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let mut bmp = vec![0; 54];
    bmp[..2].copy_from_slice(b"BM");
    bmp[14..18].copy_from_slice(&40_u32.to_le_bytes());
    bmp[18..22].copy_from_slice(&30_000_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&30_000_u32.to_le_bytes());
    bmp[26..30].copy_from_slice(&[1, 0, 24, 0]);
    let bombs: [(&str, Vec<u8>, &[u16]); 9] = [
        ("60,000 x 60,000 claimed", claiming(60_000, 60_000, 8, 2), &[413]),
        ("all of 32 bits claimed", claiming(u32::MAX, u32::MAX, 8, 2), &[400, 413]),
        ("16 bits a channel", claiming(2048, 2048, 16, 6), &[413]),
        ("no pixels", claiming(0, 0, 8, 2), &[400]),
        ("5,000 x 5,000 in a few bytes", flat(5_000, 5_000), &[413]),
        ("30,000 x 30,000 as BMP", bmp, &[400, 413]),
        ("an array with a shape of its own", b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999999), }\n".to_vec(), &[400]),
        ("a script", b"<svg onload=alert(1)>".to_vec(), &[400]),
        ("nothing", Vec::new(), &[400]),
    ];
    for (what, bomb, statuses) in &bombs {
        let answer = served.ask("POST", "/api/predict", &[], bomb);
        assert!(statuses.contains(&answer.status), "{what}: {answer:?}");
        let picture = [("red".to_owned(), "a.png".to_owned(), bomb.clone())];
        let kept = served.form("/api/samples?learn=no", &picture);
        assert!(statuses.contains(&kept.status) || kept.status == 200, "{what}: {kept:?}");
    }
    // Forms that nest, repeat or lie.
    let many: Vec<_> =
        (0..5000).map(|number| ("red".to_owned(), format!("{number}"), Vec::new())).collect();
    assert_eq!(served.form("/api/samples", &many).status, 413);
    let kind = [("Content-Type", "multipart/form-data; boundary=a-boundary")];
    let whole = form(&many[..3]);
    for cut in [1, 20, whole.len() / 2] {
        assert_eq!(served.ask("POST", "/api/samples", &kind, &whole[..cut]).status, 400);
    }
    let deep = format!("{{\"classes\": {}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(
        served
            .ask("POST", "/api/forget", &[("Content-Type", "application/json")], deep.as_bytes())
            .status,
        400
    );
    assert_eq!(served.post("/api/forget", &json!({"unknown": 1})).status, 400);
    assert_eq!(served.post("/api/forget", &json!({})).status, 400);
    // As many pictures as wait, and one more.
    let large = flat(2048, 2048);
    let padded = [&large[..], &vec![0; (4 << 20) - large.len()]].concat();
    let mut statuses = Vec::new();
    for number in 0..6 {
        let picture = [("red".to_owned(), format!("{number}.png"), padded.clone())];
        statuses.push(served.form("/api/samples?learn=no", &picture).status);
    }
    assert!(statuses.contains(&413), "{statuses:?}");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let answer = served.ask("POST", "/api/predict", &[], &padded);
                assert!(matches!(answer.status, 200 | 503), "{answer:?}");
            });
        }
    });
    let taken = served.memory().saturating_sub(idle);
    assert!(taken <= MOST_MEMORY, "{} MiB above the idle", taken >> 20);
    answers(&served);
}

#[test]
fn floods_and_slow_clients_leave_the_device_answering() {
    let bench = taught();
    let served = bench.serve("state", &[]);
    answers(&served);
    let idle = served.memory();
    let connect = || TcpStream::connect(served.address).unwrap();
    // Many that say nothing, many that begin a request, many that begin a body.
    let mut held = Vec::new();
    for number in 0..connections() {
        let mut stream = connect();
        let begun = match number % 3 {
            0 => Vec::new(),
            1 => b"GET / HTTP/1.1\r\nHost: loc".to_vec(),
            _ => request(&served, "POST /api/predict HTTP/1.1\nHost: HOST\nContent-Length: 100000"),
        };
        // One that was told to give way takes no more.
        let _ = stream.write_all(&begun);
        held.push(stream);
    }
    answers(&served);
    drop(held);
    // Listeners without end: some listen, the others are told to come later.
    let listen = request(&served, "GET /api/events HTTP/1.1\nHost: HOST");
    let mut listeners = Vec::new();
    let mut refused = 0;
    for _ in 0..20 {
        let mut stream = connect();
        stream.write_all(&listen).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        refused += usize::from(&first == b"HTTP/1.1 503");
        listeners.push(stream);
    }
    assert_eq!(refused, 12);
    // Events that nobody reads.
    for number in 0..200 {
        let picture = [("red".to_owned(), format!("{number}.png"), png(RED))];
        let answer = patiently(|| served.form("/api/samples?learn=no", &picture));
        assert_eq!(answer.status, 200);
    }
    drop(listeners);
    answers(&served);
    let taken = served.memory().saturating_sub(idle);
    assert!(taken <= MOST_MEMORY, "{} MiB above the idle", taken >> 20);
}

#[test]
fn whoever_asks_without_end_is_told_to_wait() {
    let bench = taught();
    let served = bench.serve("state", &[]);
    let one = b"GET /api/waiting HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let begun = Instant::now();
    let asking = std::thread::spawn(move || {
        for _ in 0..3000 {
            if stream.write_all(one).is_err() {
                break;
            }
        }
    });
    let (mut text, mut part) = (String::new(), [0; 65_536]);
    while !text.contains("HTTP/1.1 429") {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{} answers",
            text.matches("HTTP/1.1 200").count()
        );
        let read = reader.read(&mut part).unwrap();
        assert!(read > 0, "the connection ended first");
        text += &String::from_utf8_lossy(&part[..read]);
    }
    assert!(text.matches("HTTP/1.1 200").count() >= 600);
    assert!(text.contains("retry-after: "));
    drop(reader);
    asking.join().unwrap();
}

#[test]
fn with_lan_nobody_comes_in_without_the_token_and_plain_http_is_told_why() {
    let bench = taught();
    let served = bench.serve("state", &["--lan"]);
    assert!(served.base.starts_with("https://"), "{}", served.base);
    let plain = served
        .say(&request(&served, "GET /script?script HTTP/1.1\nHost: script\nA: script"))
        .unwrap();
    let page = String::from_utf8(plain.body.clone()).unwrap();
    assert_eq!(plain.status, 400);
    assert!(
        page.contains("https alone")
            && page.contains(&format!("https://127.0.0.1:{}/", served.address.port())),
        "{page}"
    );
    assert!(!page.contains("script"), "what was asked is said again: {page}");
    // What is no address of a request is told nothing at all.
    let marked = "GET /api/status?<script> HTTP/1.1\nHost: HOST\"><script>";
    let marked = served.say(&request(&served, marked)).unwrap();
    assert_eq!(marked.status, 400);
    assert!(!String::from_utf8_lossy(&marked.body).contains("script"), "{marked:?}");
    // Half a handshake, and none.
    for bytes in [
        &b"\x16"[..],
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
        b"\x15\x03\x01\x00\x02\x02\x28",
        &[0x16; 400],
    ] {
        let mut stream = TcpStream::connect(served.address).unwrap();
        let _ = stream.write_all(bytes);
    }
    let key = bench.path("state/serve.pem");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let curl = |arguments: &[&str]| {
        let mut command = std::process::Command::new("curl");
        command.args(["-sS", "--cacert"]).arg(&key).args(["-o", "/dev/null", "-w", "%{http_code}"]);
        let output = command.args(arguments).output().expect("curl speaks TLS");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().parse::<u16>().unwrap()
    };
    let here = format!("https://127.0.0.1:{}", served.address.port());
    let token = served.token.as_deref().unwrap();
    let bearer = |token: &str| format!("Authorization: Bearer {token}");
    assert_eq!(curl(&[&format!("{here}/api/status")]), 401);
    assert_eq!(curl(&[&format!("{here}/")]), 401);
    assert_eq!(curl(&["-H", &bearer(token), &format!("{here}/api/status")]), 200);
    assert_eq!(
        curl(&["-H", &bearer(token), "-H", "Host: evil.example", &format!("{here}/api/status")]),
        403
    );
    assert_eq!(
        curl(&[
            "-H",
            &bearer(token),
            "-H",
            "Origin: http://127.0.0.1",
            "-X",
            "POST",
            &format!("{here}/api/stop")
        ]),
        403
    );
    // The link opens a session, which the cookie keeps.
    let jar = bench.path("cookies").display().to_string();
    assert_eq!(curl(&["-c", &jar, &format!("{here}/enter?token={token}")]), 200);
    assert!(std::fs::read_to_string(&jar).unwrap().contains("#HttpOnly_127.0.0.1"));
    assert_eq!(curl(&["-b", &jar, &format!("{here}/api/status")]), 200);
    // Wrong tokens are slowed down, and then not looked at.
    let mut wrong = 0;
    while curl(&["-H", &bearer("0123"), &format!("{here}/api/status")]) == 401 {
        wrong += 1;
        assert!(wrong < 50, "nobody is slowed down");
    }
    assert!(wrong >= 5, "{wrong}");
    assert_eq!(curl(&["-b", &jar, &format!("{here}/api/status")]), 200);
    let old = bearer(token);
    let made = std::fs::read(&key).unwrap();
    drop(served);
    // The next start has the same key and another token.
    let served = bench.serve("state", &["--lan"]);
    let here = format!("https://127.0.0.1:{}", served.address.port());
    assert_eq!(curl(&["-H", &old, &format!("{here}/api/status")]), 401);
    assert_eq!(curl(&["-b", &jar, &format!("{here}/api/status")]), 401);
    assert!(std::fs::read(&key).unwrap() == made);
}
