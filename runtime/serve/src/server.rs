//! The server: opened, listening, running, and ended.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use headstart_device::{Device, LearnOptions};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::net::certificate::Identity;
use crate::net::{self, Ending, Talk, link};
use crate::options::Options;
use crate::problem::ServeError;
use crate::who::{Guard, Secret};
use crate::{archive, front, live};

/// So often it is looked whether another program has changed what was learned.
const LOOK: Duration = Duration::from_secs(1);
/// So many calls are made at once: one for each connection, and those whose clients are gone.
const CALLS: usize = 96;
const STACK: usize = 1 << 20;

/// A device that is served.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    links: Vec<String>,
    digest: Option<String>,
    token: Option<Secret>,
    ending: Arc<Ending>,
}

/// Ends a server, from any thread.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Ending>);

impl Stop {
    /// Ends the server: the learn that runs is stopped, and nothing of it is kept.
    pub fn stop(&self) {
        self.0.begin();
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("device", &self.app.device).finish_non_exhaustive()
    }
}

impl Server {
    /// Opens the device by `open`, which is given a state folder, and listens. `open` is called again for a state that is to be put back, to
    /// see whether it is one.
    ///
    /// # Errors
    /// [`ServeError`].
    pub fn open(
        open: impl Fn(&Path) -> Result<Device, headstart_device::Error> + Send + Sync + 'static,
        state: &Path,
        options: Options,
    ) -> Result<Self, ServeError> {
        archive::tidy(state);
        let device = open(state)?;
        // What the pack does not take is refused now, and not by each learn.
        device.check(&LearnOptions {
            keep_samples: options.keep_samples,
            ..LearnOptions::default()
        })?;
        let listener = net::listen(options.port, options.lan);
        let listener =
            listener.map_err(|reason| ServeError::Port { port: options.port, reason })?;
        let here = listener.local_addr().map_err(ServeError::machine("listening"))?;
        let (mut tls, mut digest, mut token) = (None, None, None);
        let mut addresses = if options.lan { link::addresses() } else { Vec::new() };
        addresses.push(Ipv4Addr::LOCALHOST.into());
        if options.lan {
            let identity = Identity::of(state, &addresses, &options.names)?;
            (tls, digest) = (Some(TlsAcceptor::from(identity.tls)), Some(identity.digest));
            token = Some(Secret::new().map_err(ServeError::machine("making a token"))?);
        }
        let text = token.as_ref().map(Secret::text);
        let links =
            addresses.iter().map(|&address| link::link(address, here.port(), text)).collect();
        let guard = Guard::new(token.clone(), &options.names);
        let app = App::new(device, Box::new(open), state.to_owned(), options, guard);
        let ending = Arc::<Ending>::default();
        Ok(Self { app: Arc::new(app), listener, tls, links, digest, token, ending })
    }

    /// The links by which the page is opened: those from other machines first.
    #[must_use]
    pub fn links(&self) -> &[String] {
        &self.links
    }

    /// The address of the API's calls, without a token.
    #[must_use]
    pub fn base(&self) -> &str {
        let link = self.links.first().map_or("", String::as_str);
        link.split("enter?").next().unwrap_or(link)
    }

    /// The token of this start, where one is needed.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(Secret::text)
    }

    /// SHA-256 of the certificate, where there is one.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The first link as a code for a phone's camera; `None` where it is for this machine alone.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        self.token.as_ref().and_then(|_| link::code(self.links.first()?))
    }

    /// What ends it.
    #[must_use]
    pub fn stop(&self) -> Stop {
        Stop(self.ending.clone())
    }

    /// Serves until it is stopped, by [`Stop`], by ctrl-C or by SIGTERM. Gives the number of pictures that came and were not learned.
    ///
    /// # Errors
    /// [`ServeError::Machine`].
    pub fn run(self) -> Result<usize, ServeError> {
        let Self { app, listener, tls, ending, .. } = self;
        let runtime = runtime().map_err(ServeError::machine("starting the server"))?;
        let teacher = thread("teacher", {
            let app = app.clone();
            move || app.teacher.run(&app.device, &app.events)
        })?;
        if let Some(source) = app.options.camera.clone() {
            let (app, ending) = (app.clone(), ending.clone());
            thread("answers", move || live::run(&app, source, &ending))?;
        }
        let talk =
            Talk { router: front::router(app.clone()), tls: tls.map(|tls| (tls, front::plain())) };
        let served = runtime.block_on(serve(&app, listener, talk, &ending));
        ending.begin();
        let left = app.teacher.end();
        // A learn is stopped between two samples, or before its commit.
        let _ = teacher.join();
        // What a call still does for a client that is gone ends with the process.
        runtime.shutdown_background();
        served.map(|()| left).map_err(ServeError::machine("serving"))
    }
}

/// One thread for all connections, and some for calls.
fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .thread_name("call")
        .thread_stack_size(STACK)
        .max_blocking_threads(CALLS)
        .build()
}

/// Serves until it ends, or the terminal or the system ends it.
async fn serve(
    app: &Arc<App>,
    listener: TcpListener,
    talk: Talk,
    ending: &Arc<Ending>,
) -> std::io::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let (mut asked, ending) = (signal(kind)?, ending.clone());
        tokio::spawn(async move {
            asked.recv().await;
            ending.begin();
        });
    }
    tokio::spawn(look(app.clone()));
    net::serve(tokio::net::TcpListener::from_std(listener)?, talk, ending).await;
    Ok(())
}

/// Tells of what other programs change.
async fn look(app: Arc<App>) {
    loop {
        tokio::time::sleep(LOOK).await;
        app.events.look();
    }
}

fn thread(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<std::thread::JoinHandle<()>, ServeError> {
    let built = std::thread::Builder::new().name(name.to_owned());
    built.spawn(work).map_err(ServeError::machine("starting a thread"))
}
