//! The guard at the door.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

use super::rates::Rates;
use super::secret::{Secret, Trace};
use crate::headers::{all, sole};
use crate::refusal::Refusal;

/// A session lasts so long.
const SESSION: Duration = Duration::from_secs(12 * 60 * 60);
/// So many sessions are open at once; a newer one ends the oldest.
const SESSIONS: usize = 32;
/// The session's cookie: for this host alone, and for TLS alone.
const COOKIE: &str = "__Host-headstart";

/// Lets requests in.
#[derive(Debug)]
pub(crate) struct Guard {
    /// What opens a session, where other machines may connect.
    token: Option<Secret>,
    names: Vec<String>,
    rates: Mutex<Rates>,
    sessions: Mutex<Vec<(Trace, Instant)>>,
}

/// What becomes of a request that may come in.
#[derive(Debug)]
pub(crate) enum Pass {
    /// It is answered.
    In,
    /// A session was opened for it; this is its cookie.
    Session(String),
}

impl Guard {
    pub(crate) fn new(token: Option<Secret>, names: &[String]) -> Self {
        Self {
            token,
            names: names.iter().map(|name| name.to_ascii_lowercase()).collect(),
            rates: Mutex::default(),
            sessions: Mutex::default(),
        }
    }

    /// Whether a request is answered that comes from `peer` and went to `local`.
    pub(crate) fn pass(
        &self,
        asked: &Parts,
        peer: IpAddr,
        local: SocketAddr,
    ) -> Result<Pass, Refusal> {
        self.rate(peer)?;
        let host = self.host(asked, local)?;
        self.source(asked, host)?;
        self.known(asked, peer)
    }

    fn rates(&self) -> MutexGuard<'_, Rates> {
        self.rates.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn rate(&self, peer: IpAddr) -> Result<(), Refusal> {
        let counted = self.rates().request(peer, Instant::now());
        counted.map_err(|seconds| later(seconds, "too many requests in a minute"))
    }

    /// The host that the request names: this machine, or a page elsewhere has given its own name this machine's address.
    fn host<'a>(&self, asked: &'a Parts, local: SocketAddr) -> Result<&'a str, Refusal> {
        let refuse =
            |what: &str| Refusal::stranger(403, format!("{what}: call this device by its address"));
        let host = sole(&asked.headers, "host");
        let host = host.ok_or_else(|| refuse("the request names no host, or several"))?;
        let name = name_of(host).ok_or_else(|| refuse("the request's host cannot be read"))?;
        if self.is_this(name, local) {
            Ok(host)
        } else {
            Err(refuse("the request is for another host"))
        }
    }

    fn is_this(&self, name: &str, local: SocketAddr) -> bool {
        let name = name.to_ascii_lowercase();
        if let Ok(address) = name.parse::<IpAddr>() {
            return address.to_canonical() == local.ip().to_canonical();
        }
        let is_localhost = name == "localhost" && local.ip().to_canonical().is_loopback();
        is_localhost || self.names.contains(&name)
    }

    /// Refuses what another site's page asks for.
    fn source(&self, asked: &Parts, host: &str) -> Result<(), Refusal> {
        let refuse = || Refusal::stranger(403, "the request comes from a page of another site");
        let scheme = if self.token.is_some() { "https" } else { "http" };
        for origin in all(&asked.headers, "origin") {
            let own = origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
            if own.is_none_or(|own| !own.eq_ignore_ascii_case(host)) {
                return Err(refuse());
            }
        }
        let reads = matches!(asked.method, Method::GET | Method::HEAD);
        let headers = &asked.headers;
        let opens_page = reads
            && !is_api(asked.uri.path())
            && sole(headers, "sec-fetch-mode") == Some("navigate");
        if !headers.contains_key("sec-fetch-site") {
            // A program.
            return Ok(());
        }
        match sole(headers, "sec-fetch-site") {
            // The page itself, or a browser's own address bar.
            Some("same-origin" | "none") => Ok(()),
            // A link to the page is followed.
            _ if opens_page => Ok(()),
            _ => Err(refuse()),
        }
    }

    /// Refuses whoever has no session and no token, where one is needed.
    fn known(&self, asked: &Parts, peer: IpAddr) -> Result<Pass, Refusal> {
        let Some(token) = &self.token else { return Ok(Pass::In) };
        let now = Instant::now();
        if let Some(session) = cookie(&asked.headers) {
            let trace = Trace::of(session);
            let mut sessions = self.sessions.lock().unwrap_or_else(|e| e.into_inner());
            sessions.retain(|(_, opened)| now.saturating_duration_since(*opened) < SESSION);
            if sessions.iter().any(|(known, _)| *known == trace) {
                return Ok(Pass::In);
            }
        }
        let bearer = asked.headers.contains_key("authorization").then(|| {
            let value = sole(&asked.headers, "authorization").unwrap_or_default();
            value.strip_prefix("Bearer ").unwrap_or_default()
        });
        let query = asked.uri.query().unwrap_or_default();
        let link = (asked.uri.path() == "/enter")
            .then(|| query.strip_prefix("token=").unwrap_or_default());
        let Some(given) = bearer.or(link) else {
            let none = "open the link that the device's terminal shows";
            return Err(Refusal::stranger(401, none));
        };
        let may = self.rates().may_guess(peer, now);
        may.map_err(|seconds| later(seconds, "too many wrong tokens"))?;
        if Trace::of(given) != token.trace() {
            self.rates().guess(peer, now);
            let wrong = "the token is wrong, or one of an earlier start: the device's terminal shows the link";
            return Err(Refusal { is_guess: true, ..Refusal::stranger(401, wrong) });
        }
        match link {
            Some(_) => self.open(now).map(Pass::Session),
            None => Ok(Pass::In),
        }
    }

    /// Opens a session and gives its cookie.
    fn open(&self, now: Instant) -> Result<String, Refusal> {
        let session = Secret::new().map_err(|error| Refusal::machine(error.to_string()))?;
        let mut sessions = self.sessions.lock().unwrap_or_else(|e| e.into_inner());
        if sessions.len() >= SESSIONS {
            sessions.remove(0);
        }
        sessions.push((session.trace(), now));
        let age = SESSION.as_secs();
        Ok(format!(
            "{COOKIE}={}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Strict",
            session.text()
        ))
    }
}

fn later(seconds: u32, what: &str) -> Refusal {
    let error = format!("{what}: try again in {seconds} s");
    let refusal = Refusal::stranger(429, error);
    Refusal { retry_after: Some(seconds), ..refusal }
}

/// Whether a path is the API's: a browser shows no such page.
fn is_api(path: &str) -> bool {
    path.starts_with("/api")
}

/// A host without its port; IPv6 addresses without brackets.
fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']')?;
            (name, port.strip_prefix(':').or(port.is_empty().then_some("0"))?)
        }
        None => host.split_once(':').unwrap_or((host, "0")),
    };
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_port && !name.is_empty()).then_some(name)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let mut pairs = all(headers, "cookie").flat_map(|value| value.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn pass(
        guard: &Guard,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<Pass, u16> {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (asked, ()) = request.body(()).unwrap().into_parts();
        let (peer, local) = ([127, 0, 0, 1].into(), ([127, 0, 0, 1], 8321).into());
        guard.pass(&asked, peer, local).map_err(|refusal| refusal.status)
    }

    #[test]
    fn only_the_machines_own_names_are_hosts() {
        let guard = Guard::new(None, &["cam.local".to_owned()]);
        let host = |host: &str| pass(&guard, "GET", "/api/status", &[("host", host)]);
        for good in ["localhost", "localhost:8321", "LOCALHOST:1", "127.0.0.1:8321", "cam.local:80"]
        {
            assert!(matches!(host(good), Ok(Pass::In)), "{good}");
        }
        for bad in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.2",
            "[::1]:8321",
            "localhost:",
            "localhost:x",
            "localhost:80:80",
            "user@localhost",
            "[::1",
            "10.0.0.1",
        ] {
            assert_eq!(host(bad).unwrap_err(), 403, "{bad}");
        }
        assert_eq!(pass(&guard, "GET", "/", &[]).unwrap_err(), 403);
        let two = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(pass(&guard, "GET", "/", &two).unwrap_err(), 403);
    }

    #[test]
    fn pages_of_other_sites_read_and_change_nothing() {
        let guard = Guard::new(None, &[]);
        let ask = |method: &str, uri: &str, name: &str, value: &str| {
            pass(&guard, method, uri, &[("host", "localhost:8321"), (name, value)]).is_ok()
        };
        assert!(ask("POST", "/api/learn", "origin", "http://localhost:8321"));
        for origin in [
            "http://evil.example",
            "null",
            "https://localhost:8321",
            "http://localhost:9000",
            "http://localhost",
            "http://localhost:8321.evil.example",
            "",
        ] {
            for method in ["POST", "GET", "DELETE"] {
                assert!(!ask(method, "/api/events", "origin", origin), "{origin}");
            }
        }
        for site in ["cross-site", "same-site", "strange"] {
            assert!(!ask("GET", "/api/status", "sec-fetch-site", site));
            assert!(!ask("POST", "/", "sec-fetch-site", site));
        }
        assert!(ask("GET", "/api/events", "sec-fetch-site", "same-origin"));
        // A link to the page is followed; the page is not embedded.
        let mode = |mode: &str| {
            let site =
                [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode)];
            pass(&guard, "GET", "/", &site).is_ok()
        };
        assert!(mode("navigate") && !mode("no-cors") && !mode("cors"));
    }

    #[test]
    fn the_link_opens_a_session_and_no_other_token_does() {
        let token = Secret::new().unwrap();
        let guard = Guard::new(Some(token.clone()), &[]);
        let host = ("host", "127.0.0.1:8321");
        let enter = |token: &str| pass(&guard, "GET", &format!("/enter?token={token}"), &[host]);
        assert_eq!(pass(&guard, "GET", "/", &[host]).unwrap_err(), 401);
        let Ok(Pass::Session(cookie)) = enter(token.text()) else { panic!("no session") };
        for part in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let pair = cookie.split(';').next().unwrap();
        let with = |cookie: &str| pass(&guard, "GET", "/", &[host, ("cookie", cookie)]);
        assert!(matches!(with(&format!("a=b; {pair}")), Ok(Pass::In)));
        assert_eq!(with(&pair[..pair.len() - 1]).unwrap_err(), 401);
        let bearer = |token: &str| {
            pass(
                &guard,
                "GET",
                "/api/status",
                &[host, ("authorization", &format!("Bearer {token}"))],
            )
        };
        assert!(matches!(bearer(token.text()), Ok(Pass::In)));
        for _ in 0..5 {
            assert_eq!(enter("0123").unwrap_err(), 401);
        }
        // From then on even the right one is not looked at, but the session goes on.
        assert_eq!(bearer(token.text()).unwrap_err(), 429);
        assert!(with(pair).is_ok());
    }

    #[test]
    fn a_session_is_ended_by_the_thirty_third() {
        let guard = Guard::new(Some(Secret::new().unwrap()), &[]);
        let first = guard.open(Instant::now()).unwrap();
        let pair = first.split(';').next().unwrap().to_owned();
        let ask = || pass(&guard, "GET", "/", &[("host", "127.0.0.1"), ("cookie", &pair)]);
        for _ in 0..31 {
            guard.open(Instant::now()).unwrap();
            assert!(ask().is_ok());
        }
        guard.open(Instant::now()).unwrap();
        assert_eq!(ask().unwrap_err(), 401);
    }
}
