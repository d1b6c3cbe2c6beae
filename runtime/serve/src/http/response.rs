//! Answers, and how they are written.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};

use crate::events::Listener;

/// What a client is told.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, Cow<'static, str>)>,
    pub(crate) content: Content,
}

/// What an answer holds.
#[derive(Debug)]
pub(crate) enum Content {
    Bytes(Cow<'static, [u8]>),
    /// A file of this length, from where it stands on.
    File(File, u64),
    /// Events, as long as somebody listens.
    Events(Listener),
}

impl Response {
    /// A file of this kind.
    pub(crate) fn new(kind: &'static str, content: impl Into<Cow<'static, [u8]>>) -> Self {
        Self::of(kind, Content::Bytes(content.into()))
    }

    pub(crate) fn of(kind: &'static str, content: Content) -> Self {
        Self { status: 200, headers: vec![("Content-Type", kind.into())], content }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Writes it; of a request for the head alone only that. Gives whether another request may follow.
    pub(crate) fn write(
        self,
        out: &mut impl Write,
        head_only: bool,
        keep: bool,
    ) -> io::Result<bool> {
        let length = match &self.content {
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::File(_, length) => Some(*length),
            Content::Events(_) => None,
        };
        let keep = keep && length.is_some();
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(length) = length {
            head += &format!("Content-Length: {length}\r\n");
        }
        head += if keep { "\r\n" } else { "Connection: close\r\n\r\n" };
        match self.content {
            // In one piece, which is one packet where it is short.
            Content::Bytes(ref bytes) if !head_only => {
                out.write_all(&[head.as_bytes(), bytes].concat())?
            }
            _ => out.write_all(head.as_bytes())?,
        }
        out.flush()?;
        match self.content {
            Content::File(mut file, length) if !head_only => {
                let sent = io::copy(&mut io::Read::take(&mut file, length), out)?;
                out.flush()?;
                return Ok(keep && sent == length);
            }
            Content::Events(listener) if !head_only => {
                while let Some(event) = listener.next() {
                    out.write_all(event.as_bytes())?;
                    out.flush()?;
                }
            }
            _ => {}
        }
        Ok(keep)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Refused",
    }
}
