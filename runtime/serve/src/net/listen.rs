//! Accepting connections, of which there are few.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::places::Places;
use super::talk::{Client, Talk};

/// After a failure to accept, which a lack of file descriptors is, others may have ended.
const PAUSE: Duration = Duration::from_millis(50);

/// Whether a server ends.
#[derive(Debug)]
pub(crate) struct Ending(watch::Sender<bool>);

impl Default for Ending {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Ending {
    pub(crate) fn is_near(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends it.
    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it ends.
    pub(crate) async fn near(&self) {
        // The sender is here, and does not go.
        let _ = self.0.subscribe().wait_for(|is_near| *is_near).await;
    }
}

/// A socket that listens, for this machine alone or for all.
pub(crate) fn listen(port: u16, lan: bool) -> io::Result<std::net::TcpListener> {
    let bind = |address: IpAddr| std::net::TcpListener::bind(SocketAddr::new(address, port));
    let listener = if lan {
        // Where there is no IPv6, the other one alone.
        bind(Ipv6Addr::UNSPECIFIED.into()).or_else(|_| bind(Ipv4Addr::UNSPECIFIED.into()))
    } else {
        bind(Ipv4Addr::LOCALHOST.into())
    }?;
    // As tokio wants it.
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until it ends.
pub(crate) async fn serve(listener: TcpListener, talk: Talk, ending: &Ending) {
    let places = Arc::new(Places::default());
    let accepting = tokio::spawn(accept(listener, talk, places.clone()));
    ending.near().await;
    accepting.abort();
    places.end();
}

async fn accept(listener: TcpListener, talk: Talk, places: Arc<Places>) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Ok(local) = stream.local_addr() else { continue };
        // Where nobody gives way, the connection is dropped.
        let Some(inside) = places.enter() else { continue };
        let place = inside.place();
        let client = Client { peer: peer.ip(), local, place: place.clone() };
        let talk = talk.clone();
        let task = tokio::spawn(async move {
            let _inside = inside;
            // An error is a client's that is gone, or breaks the rules.
            let _ = talk.begin(stream, client).await;
        });
        place.is_kept_by(task.abort_handle());
    }
}
