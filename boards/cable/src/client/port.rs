//! Opens streams of bytes to a board.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::Error;

/// A stream of bytes that may go away and come back.
pub trait Port {
    /// The name that a person gives the port.
    fn name(&self) -> String;

    /// Opens the port, again if it was open.
    ///
    /// # Errors
    /// What the operating system says.
    fn open(&mut self) -> io::Result<()>;

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// What the operating system says; the port must then be opened again.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Reads what has come, and waits for it at most `wait`; 0 bytes if nothing came.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize>;
}

/// Makes a port of that name: `tcp:HOST:PORT`, or the path of a serial port.
///
/// # Errors
/// [`Error::PortName`] for a serial port in a program without the feature `serial`.
pub fn open(name: &str, baud: u32) -> Result<Box<dyn Port>, Error> {
    if let Some(address) = name.strip_prefix("tcp:") {
        return Ok(Box::new(TcpPort::new(address)));
    }
    #[cfg(feature = "serial")]
    return Ok(Box::new(SerialPort::new(name, baud)));
    #[cfg(not(feature = "serial"))]
    {
        let _ = baud;
        Err(Error::PortName { port: name.to_owned() })
    }
}

/// A port over TCP: QEMU's serial port, or a terminal server.
#[derive(Debug)]
pub struct TcpPort {
    address: String,
    stream: Option<TcpStream>,
}

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

impl TcpPort {
    /// A port at `HOST:PORT`, not open yet.
    #[must_use]
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned(), stream: None }
    }
}

impl Port for TcpPort {
    fn name(&self) -> String {
        format!("tcp:{}", self.address)
    }

    fn open(&mut self) -> io::Result<()> {
        self.stream = None;
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in self.address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_write_timeout(Some(CONNECT))?;
                    self.stream = Some(stream);
                    return Ok(());
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.as_mut().ok_or(ErrorKind::NotConnected)?.write_all(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        let stream = self.stream.as_mut().ok_or(ErrorKind::NotConnected)?;
        stream.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        match stream.read(buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            other => or_nothing(other),
        }
    }
}

/// A wait that ended is no error.
fn or_nothing(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Err(e)
            if matches!(
                e.kind(),
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
            ) =>
        {
            Ok(0)
        }
        other => other,
    }
}

/// A serial port: a UART's adapter, or a board's USB.
#[cfg(feature = "serial")]
pub struct SerialPort {
    path: String,
    baud: u32,
    port: Option<Box<dyn serialport::SerialPort>>,
}

#[cfg(feature = "serial")]
impl SerialPort {
    /// A port at a path such as `/dev/ttyACM0` or `COM3`, not open yet. `baud` means nothing to USB.
    #[must_use]
    pub fn new(path: &str, baud: u32) -> Self {
        Self { path: path.to_owned(), baud, port: None }
    }
}

#[cfg(feature = "serial")]
impl Port for SerialPort {
    fn name(&self) -> String {
        self.path.clone()
    }

    fn open(&mut self) -> io::Result<()> {
        // A path can be opened once only: first the old one is closed.
        self.port = None;
        // Boards with USB tell by DTR that somebody listens.
        let builder = serialport::new(&self.path, self.baud).timeout(CONNECT).dtr_on_open(true);
        self.port = Some(builder.open().map_err(io::Error::from)?);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let port = self.port.as_mut().ok_or(ErrorKind::NotConnected)?;
        port.set_timeout(CONNECT).map_err(io::Error::from)?;
        port.write_all(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        let port = self.port.as_mut().ok_or(ErrorKind::NotConnected)?;
        port.set_timeout(wait.max(Duration::from_millis(1))).map_err(io::Error::from)?;
        match port.read(buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            other => or_nothing(other),
        }
    }
}
