//! What a plain request to the port of TLS gets.

use std::io::{Read, Write};
use std::net::SocketAddr;

use super::socket::Socket;

/// The first byte of TLS: a record of the handshake.
const HANDSHAKE: u8 = 0x16;

/// Whether TLS begins; `None` where nothing comes.
pub(super) fn begins_tls(socket: &Socket) -> Option<bool> {
    socket.peek().map(|first| first == HANDSHAKE)
}

/// Says why and where, and ends the connection. What was asked is not looked at, and nothing of it is said again.
pub(super) fn explain(socket: &mut Socket, here: SocketAddr) {
    let here = SocketAddr::new(here.ip().to_canonical(), here.port());
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Headstart</title><p>This device talks https alone: browsers give the camera to \
         secure pages only.<p>Go to <a href=\"https://{here}/\">https://{here}/</a>, by the link that the device's terminal shows. The key is the \
         device's own, so the browser asks once whether you trust it.\n"
    );
    let response = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\n\
         Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\n\r\n{page}",
        page.len()
    );
    // The request is read first: closing with something unread would reset the connection before the page is there.
    let _ = socket.read(&mut [0; 2048]);
    let _ = socket.write_all(response.as_bytes());
    socket.finish();
}
