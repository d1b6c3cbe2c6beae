//! Accepting connections: a thread each, of which there are few.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::places::{Place, Places};
use super::plain;
use super::socket::Socket;
use crate::http::{BadHead, Body, Head, Input, Request, Response};
use crate::refusal::Refusal;

/// A request's head comes within this time; a connection that is kept for the next request waits no longer either.
const HEAD: Duration = Duration::from_secs(15);
/// The handshake of TLS is done within this time.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// After a failure to accept, which a lack of file descriptors is, others may have ended.
const PAUSE: Duration = Duration::from_millis(50);
/// So many threads talk to clients at once: those that were told to give way have not ended yet.
const THREADS: usize = 96;
const STACK: usize = 1 << 20;

/// What stands behind the door.
pub(crate) trait Door: Send + Sync + 'static {
    /// Answers a request. `let_in` is called first, if the request is let in.
    fn answer(&self, request: &Request, body: &mut Body<'_>, let_in: &dyn Fn()) -> Response;

    /// What every answer says too.
    fn finish(&self, response: Response) -> Response;
}

/// Whether a server ends, and what wakes it for that.
#[derive(Debug)]
pub(crate) struct Ending {
    is_near: AtomicBool,
    /// Where it listens.
    here: SocketAddr,
}

impl Ending {
    pub(crate) fn new(here: SocketAddr) -> Self {
        Self { is_near: AtomicBool::new(false), here }
    }

    pub(crate) fn is_near(&self) -> bool {
        self.is_near.load(Ordering::Relaxed)
    }

    /// Ends it.
    pub(crate) fn begin(&self) {
        self.is_near.store(true, Ordering::Relaxed);
        // The thread that accepts waits for a connection: this is one.
        let local = if self.here.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            SocketAddr::from(([0_u16, 0, 0, 0, 0, 0, 0, 1], 0)).ip()
        };
        let _ = TcpStream::connect_timeout(
            &SocketAddr::new(local, self.here.port()),
            Duration::from_secs(1),
        );
    }
}

/// Serves until it ends.
pub(crate) fn serve(
    listener: &TcpListener,
    tls: Option<&Arc<ServerConfig>>,
    door: &Arc<impl Door>,
    ending: &Ending,
) {
    let (places, threads) = (Arc::new(Places::default()), Arc::new(AtomicUsize::new(0)));
    while !ending.is_near() {
        let Ok((stream, peer)) = listener.accept() else {
            std::thread::sleep(PAUSE);
            continue;
        };
        if ending.is_near() || threads.load(Ordering::Relaxed) >= THREADS {
            continue;
        }
        // Where nobody gives way, the connection is dropped.
        let Some(place) = places.enter(stream.try_clone().ok()) else { continue };
        threads.fetch_add(1, Ordering::Relaxed);
        let connection = Connection { places: places.clone(), place, door: door.clone(), peer };
        let (tls, threads_of_it) = (tls.cloned(), threads.clone());
        let built = std::thread::Builder::new().name("client".to_owned()).stack_size(STACK);
        let begun = built.spawn(move || {
            let _ = connection.run(stream, tls);
            connection.places.leave(&connection.place);
            threads_of_it.fetch_sub(1, Ordering::Relaxed);
        });
        if begun.is_err() {
            threads.fetch_sub(1, Ordering::Relaxed);
            std::thread::sleep(PAUSE);
        }
    }
    places.end();
}

/// A stream that a client talks on, plain or not.
trait Wire: Read + Write {
    fn socket(&mut self) -> &mut Socket;
}

impl Wire for Socket {
    fn socket(&mut self) -> &mut Socket {
        self
    }
}

impl Wire for StreamOwned<ServerConnection, Socket> {
    fn socket(&mut self) -> &mut Socket {
        &mut self.sock
    }
}

/// A wire as a body reads it.
struct OfWire<'a, W>(&'a mut W);

impl<W: Wire> Read for OfWire<'_, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<W: Wire> Input for OfWire<'_, W> {
    fn set_deadline(&mut self, deadline: Instant) {
        self.0.socket().set_deadline(deadline);
    }

    fn go_on(&mut self) -> io::Result<()> {
        self.0.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        self.0.flush()
    }
}

struct Connection<D> {
    places: Arc<Places>,
    place: Arc<Place>,
    door: Arc<D>,
    peer: SocketAddr,
}

impl<D: Door> Connection<D> {
    /// Talks until one of the two has enough. An error is a client's that is gone, or breaks the rules.
    fn run(&self, stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<()> {
        let local = stream.local_addr()?;
        let mut socket = Socket::new(stream)?;
        socket.set_deadline(Instant::now() + HANDSHAKE);
        let Some(tls) = tls else { return self.talk(socket, local) };
        match plain::begins_tls(&socket) {
            Some(true) => {
                let connection = ServerConnection::new(tls).map_err(io::Error::other)?;
                let mut stream = StreamOwned::new(connection, socket);
                while stream.conn.is_handshaking() {
                    stream.conn.complete_io(&mut stream.sock)?;
                }
                self.talk(stream, local)
            }
            Some(false) => {
                plain::explain(&mut socket, local);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn talk(&self, mut wire: impl Wire, local: SocketAddr) -> io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            wire.socket().set_deadline(Instant::now() + HEAD);
            let head = match Head::read(&mut wire, &mut buffer) {
                Ok(head) => head,
                Err(BadHead::Gone) => return Ok(()),
                Err(BadHead::Refused(status, why)) => return self.refuse(wire, status, why),
            };
            let length = match head.length() {
                Ok(length) => length,
                Err(BadHead::Gone) => return Ok(()),
                Err(BadHead::Refused(status, why)) => return self.refuse(wire, status, why),
            };
            let keep = head.keeps_connection();
            let head_only = head.method == crate::http::Method::Head;
            let waits = head
                .headers
                .get("expect")
                .is_some_and(|what| what.eq_ignore_ascii_case("100-continue"));
            let request = Request { head, peer: self.peer.ip(), local };
            let mut input = OfWire(&mut wire);
            let mut body = Body::new(&mut input, &mut buffer, length, waits);
            let is_in = std::cell::Cell::new(false);
            let response = self.door.answer(&request, &mut body, &|| {
                is_in.set(true);
                self.places.is_let_in(&self.place);
            });
            let is_read = crate::http::Upload::left(&body) == 0;
            let response = self.door.finish(response);
            if matches!(response.content, crate::http::Content::Events(_)) {
                // Who listens gives way to who asks.
                self.places.is_answered(&self.place);
            }
            // Whoever is not let in does not stay.
            let keep = response.write(&mut wire, head_only, keep && is_read && is_in.get())?;
            if is_in.get() {
                self.places.is_answered(&self.place);
            }
            if !keep {
                wire.socket().finish();
                return Ok(());
            }
        }
    }

    fn refuse(&self, mut wire: impl Wire, status: u16, why: &str) -> io::Result<()> {
        let response = self.door.finish(Refusal::new(status, "caller", why).into());
        response.write(&mut wire, false, false)?;
        wire.socket().finish();
        Ok(())
    }
}
