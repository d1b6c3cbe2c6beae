//! Runs the loop of a board's firmware.

use super::{Device, Server};
use crate::flash::Mapped;

/// A board's end of the cable.
pub trait Port {
    /// Reads the next byte; `None` if none came for about a second.
    fn read(&mut self) -> Option<u8>;

    /// Sends bytes. Where the host does not take them within about a second they are dropped: it asks again.
    fn write(&mut self, bytes: &[u8]);
}

/// Serves the host until the board must start anew: with another pack, or without its head.
pub fn serve<F: Mapped>(device: Device<'_, '_, F>, port: &mut impl Port) {
    let mut server = Server::new(device);
    while !server.must_restart() {
        match port.read() {
            Some(byte) => {
                if let Some(reply) = server.push(byte) {
                    port.write(reply);
                }
            }
            None => server.quiet(),
        }
    }
}
