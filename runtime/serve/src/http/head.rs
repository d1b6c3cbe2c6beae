//! Heads of requests.

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr};

/// A head is no larger.
const MOST: usize = 32 << 10;
/// A head has no more lines.
const MOST_LINES: usize = 64;

/// What a request asks to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    /// One that no call has.
    Other,
}

/// What a request says of itself before its body.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    /// The target, without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Headers,
    /// Whether the client speaks HTTP/1.1, and so keeps the connection.
    is_new: bool,
}

/// Names in small letters, and values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers(pub(crate) Vec<(String, String)>);

/// A request with the addresses that it comes from and came to.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) head: Head,
    pub(crate) peer: IpAddr,
    pub(crate) local: SocketAddr,
}

/// Why no request was read.
#[derive(Debug)]
pub(crate) enum BadHead {
    /// The client is gone, or says nothing.
    Gone,
    /// It says what is no request; the status says why.
    Refused(u16, &'static str),
}

impl Headers {
    /// The value of a header that is there once; of several none counts.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.all(name);
        let first = all.next();
        if all.next().is_some() { None } else { first }
    }

    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let named =
            move |(known, value): &'a (String, String)| (known == name).then_some(value.as_str());
        self.0.iter().filter_map(named)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

impl Head {
    /// Reads the next head. `buffer` holds what was read beyond the request before, and then what was read beyond this head.
    pub(crate) fn read(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Result<Self, BadHead> {
        loop {
            if let Some((head, length)) = Self::parse(buffer)? {
                buffer.drain(..length);
                return Ok(head);
            }
            if buffer.len() >= MOST {
                return Err(BadHead::Refused(431, "the request's head is too large"));
            }
            let before = buffer.len();
            buffer.resize(before + 4096, 0);
            let read = match stream.read(&mut buffer[before..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
                Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
                read => read,
            };
            buffer.truncate(before + *read.as_ref().unwrap_or(&0));
            read.map_err(|_| BadHead::Gone)?;
        }
    }

    /// The head that a text begins with, and its length; `None` where it goes on.
    fn parse(text: &[u8]) -> Result<Option<(Self, usize)>, BadHead> {
        let mut lines = [httparse::EMPTY_HEADER; MOST_LINES];
        let mut request = httparse::Request::new(&mut lines);
        let length = match request.parse(text) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => {
                return Err(BadHead::Refused(431, "the request's head has too many lines"));
            }
            Err(_) => return Err(BadHead::Refused(400, "this is no request of HTTP/1.1")),
        };
        let target = request.path.unwrap_or_default();
        // A target with a host of its own would be another one than the header's.
        if !target.starts_with('/') {
            return Err(BadHead::Refused(
                403,
                "the request is for a proxy: call this device by its address",
            ));
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = Headers::default();
        for line in request.headers.iter() {
            let value = std::str::from_utf8(line.value);
            let value =
                value.map_err(|_| BadHead::Refused(400, "the request's head is no text"))?;
            headers.0.push((line.name.to_ascii_lowercase(), value.to_owned()));
        }
        let method = match request.method.unwrap_or_default() {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "DELETE" => Method::Delete,
            _ => Method::Other,
        };
        let (path, query, is_new) = (path.to_owned(), query.to_owned(), request.version == Some(1));
        Ok(Some((Self { method, path, query, headers, is_new }, length)))
    }

    /// Whether the client asks again on this connection.
    pub(crate) fn keeps_connection(&self) -> bool {
        let said = self.headers.get("connection").unwrap_or_default();
        self.is_new && !said.split(',').any(|word| word.trim().eq_ignore_ascii_case("close"))
    }

    /// How long the body is; 0 where none is said.
    ///
    /// # Errors
    /// For a body in chunks, and one with several lengths or none that is a number.
    pub(crate) fn length(&self) -> Result<u64, BadHead> {
        if self.headers.has("transfer-encoding") {
            return Err(BadHead::Refused(411, "a body in chunks is not read: say its length"));
        }
        let mut all = self.headers.all("content-length");
        match (all.next(), all.next()) {
            (None, _) => Ok(0),
            (Some(length), None) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().map_err(|_| BadHead::Refused(413, "the body is too long"))
            }
            _ => Err(BadHead::Refused(400, "the body's length is no number")),
        }
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.filter(|(found, _)| *found == name).find_map(|(_, value)| decoded(value))
    }
}

/// A value of a query: `+` is a space, `%` begins a byte.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let digits =
                    rest.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
                rest = rest.get(2..)?;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn head(text: &str) -> Result<Head, u16> {
        Head::read(&mut Cursor::new(text), &mut Vec::new()).map_err(|bad| match bad {
            BadHead::Gone => 0,
            BadHead::Refused(status, _) => status,
        })
    }

    #[test]
    fn a_head_is_read_and_what_stands_behind_it_stays() {
        let text = "POST /api/samples?learn=no&class=a%20%2Bb+c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nA: 1\r\na: 2\r\n\r\nxyz";
        let mut buffer = Vec::new();
        let head = Head::read(&mut Cursor::new(text), &mut buffer).unwrap();
        assert_eq!(
            (head.method, head.path.as_str(), head.length().unwrap()),
            (Method::Post, "/api/samples", 3)
        );
        assert_eq!(buffer, b"xyz");
        assert_eq!(head.parameter("class").as_deref(), Some("a +b c"));
        assert_eq!(
            (head.parameter("learn").as_deref(), head.parameter("other")),
            (Some("no"), None)
        );
        assert_eq!((head.headers.get("host"), head.headers.get("a")), (Some("x"), None));
        assert!(head.keeps_connection());
        assert_eq!(decoded("%4"), None);
        assert_eq!(decoded("%+1"), None);
        assert_eq!(decoded("%ff"), None);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (text, status) in [
            ("GET http://x/ HTTP/1.1\r\n\r\n", 403),
            ("OPTIONS * HTTP/1.1\r\n\r\n", 403),
            ("GET / HTTP/2.0\r\n\r\n", 400),
            ("GET /\r\n\r\n", 400),
            ("\x16\x03\x01\x02", 400),
            ("GET / HTTP/1.1\r\nA : b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\n", 0),
        ] {
            assert_eq!(head(text).unwrap_err(), status, "{text:?}");
        }
        let length =
            |lines: &str| head(&format!("POST / HTTP/1.1\r\n{lines}\r\n")).unwrap().length();
        for lines in [
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 3\r\nTransfer-Encoding: identity\r\n",
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 3,3\r\n",
            "Content-Length: 99999999999999999999999\r\n",
        ] {
            assert!(length(lines).is_err(), "{lines}");
        }
        let many = "A: b\r\n".repeat(MOST_LINES + 1);
        assert_eq!(head(&format!("GET / HTTP/1.1\r\n{many}\r\n")).unwrap_err(), 431);
        assert_eq!(
            head(&format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(2 * MOST))).unwrap_err(),
            431
        );
    }
}
