//! What is said on a connection: TLS or not, requests and answers, and the end.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::places::Place;

/// The handshake of TLS is done within this time.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// A request's head comes within this time; a connection that is kept for the next request waits no longer either.
const HEAD: Duration = Duration::from_secs(15);
/// A head is no larger, and has no more lines.
const MOST_HEAD: usize = 32 << 10;
const MOST_LINES: usize = 64;
/// A client that takes nothing for so long is dropped.
const STALL: Duration = Duration::from_secs(10);
/// What still comes from a client that was refused is read for so long, and no more of it, so that the refusal arrives.
const LINGER: Duration = Duration::from_secs(2);
const MOST_LINGER: u64 = 4 << 20;
/// The first byte of TLS: a record of the handshake.
const TLS: u8 = 0x16;

/// Who asks: an extension of each request.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) peer: IpAddr,
    /// The address that the client called.
    pub(crate) local: SocketAddr,
    pub(crate) place: Arc<Place>,
}

/// What answers connections.
#[derive(Clone)]
pub(crate) struct Talk {
    pub(crate) router: Router,
    /// TLS, and what answers those that do not speak it.
    pub(crate) tls: Option<(TlsAcceptor, Router)>,
}

impl Talk {
    /// Talks until one of the two has enough.
    pub(super) async fn begin(self, stream: TcpStream, client: Client) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let Some((tls, plain)) = self.tls else { return talk(stream, self.router, client).await };
        let mut first = [0];
        if timeout(HANDSHAKE, stream.peek(&mut first)).await?? == 0 {
            return Ok(());
        }
        if first != [TLS] {
            return talk(stream, plain, client).await;
        }
        let stream = timeout(HANDSHAKE, tls.accept(stream)).await??;
        talk(stream, self.router, client).await
    }
}

async fn talk<S>(stream: S, router: Router, client: Client) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STALL));
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(client.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MOST_HEAD)
        .max_headers(MOST_LINES)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    // An error is a request that was none, and was told so.
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let mut stream = connection.into_parts().io.into_inner();
    // Closing with something unread would reset the connection before the last answer is there.
    let lingering = async {
        stream.shutdown().await?;
        copy(&mut stream.take(MOST_LINGER), &mut sink()).await
    };
    timeout(LINGER, lingering).await??;
    Ok(())
}
