//! The server: opened, listening, running, and ended.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use headstart_device::{Device, LearnOptions};
use rustls::ServerConfig;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::app::App;
use crate::http::{Body, Request, Response};
use crate::net::certificate::Identity;
use crate::net::{self, Door, Ending, link};
use crate::options::Options;
use crate::problem::ServeError;
use crate::who::{Guard, Pass, Secret};
use crate::{api, archive, live};

/// So often it is looked whether somebody ends the server, and each fifth time whether another program has changed what was learned.
const LOOK: Duration = Duration::from_millis(200);
/// A wrong token is answered so late.
const WRONG: Duration = Duration::from_millis(500);
/// What every answer says to a browser: nothing from elsewhere, nothing inline, no frames, nothing guessed, nothing kept.
const HEADERS: [(&str, &str); 8] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; \
         manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), microphone=(), geolocation=()"),
    ("Cache-Control", "no-store"),
];

/// What opens a session, and then the page. A redirect would come from another site still, and have no cookie.
const ENTERED: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=\"0;url=/\"><title>Headstart</title><p><a href=\"/\">Go on</a>\n";

/// A device that is served.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
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
        let listener = listen(options.port, options.lan);
        let listener =
            listener.map_err(|reason| ServeError::Port { port: options.port, reason })?;
        let here = listener.local_addr().map_err(ServeError::machine("listening"))?;
        let (mut tls, mut digest, mut token) = (None, None, None);
        let mut addresses = if options.lan { link::addresses() } else { Vec::new() };
        addresses.push(Ipv4Addr::LOCALHOST.into());
        if options.lan {
            let identity = Identity::of(state, &addresses, &options.names)?;
            (tls, digest) = (Some(identity.tls), Some(identity.digest));
            token = Some(Secret::new().map_err(ServeError::machine("making a token"))?);
        }
        let text = token.as_ref().map(Secret::text);
        let links =
            addresses.iter().map(|&address| link::link(address, here.port(), text)).collect();
        let guard = Guard::new(token.clone(), &options.names);
        let app = App::new(device, Box::new(open), state.to_owned(), options, guard);
        let ending = Arc::new(Ending::new(here));
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
        let asked = Arc::default();
        for signal in [SIGINT, SIGTERM] {
            let heard = signal_hook::flag::register(signal, Arc::clone(&asked));
            heard.map_err(ServeError::machine("waiting for signals"))?;
        }
        let teacher = thread("teacher", {
            let app = app.clone();
            move || app.teacher.run(&app.device, &app.events)
        })?;
        thread("keeper", {
            let (app, ending) = (app.clone(), ending.clone());
            move || keep(&app, &ending, &asked)
        })?;
        if let Some(source) = app.options.camera.clone() {
            let (app, ending) = (app.clone(), ending.clone());
            thread("answers", move || live::run(&app, source, &ending))?;
        }
        net::serve(&listener, tls.as_ref(), &Arc::new(Front(app.clone())), &ending);
        app.events.end();
        let left = app.teacher.end();
        // A learn is stopped between two samples, or before its commit.
        let _ = teacher.join();
        Ok(left)
    }
}

fn thread(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<std::thread::JoinHandle<()>, ServeError> {
    let built = std::thread::Builder::new().name(name.to_owned());
    built.spawn(work).map_err(ServeError::machine("starting a thread"))
}

/// Ends the server where the terminal or the system asks for it, and tells of what other programs change.
fn keep(app: &App, ending: &Ending, asked: &std::sync::atomic::AtomicBool) {
    let mut looks = 0_u32;
    while !ending.is_near() {
        if asked.load(std::sync::atomic::Ordering::Relaxed) {
            ending.begin();
            return;
        }
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(5) {
            app.events.look();
        }
        std::thread::sleep(LOOK);
    }
}

/// A socket that listens, for this machine alone or for all.
fn listen(port: u16, lan: bool) -> std::io::Result<TcpListener> {
    let bind = |address: IpAddr| TcpListener::bind(SocketAddr::new(address, port));
    if lan {
        // Where there is no IPv6, the other one alone.
        bind(Ipv6Addr::UNSPECIFIED.into()).or_else(|_| bind(Ipv4Addr::UNSPECIFIED.into()))
    } else {
        bind(Ipv4Addr::LOCALHOST.into())
    }
}

/// Guard first, then the calls.
struct Front(Arc<App>);

impl Door for Front {
    fn answer(&self, request: &Request, body: &mut Body<'_>, let_in: &dyn Fn()) -> Response {
        match self.0.guard.pass(request) {
            Ok(Pass::In) => {
                let_in();
                api::answer_to(&self.0, &request.head, body).unwrap_or_else(Response::from)
            }
            Ok(Pass::Session(cookie)) => {
                Response::new("text/html; charset=utf-8", ENTERED.as_bytes())
                    .with("Set-Cookie", cookie)
            }
            Err(refusal) => {
                if refusal.is_guess {
                    std::thread::sleep(WRONG);
                }
                refusal.into()
            }
        }
    }

    fn finish(&self, response: Response) -> Response {
        HEADERS.into_iter().fold(response, |response, (name, value)| response.with(name, value))
    }
}
