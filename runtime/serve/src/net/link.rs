//! Where the server can be reached, for a person: links, and a code for a camera.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

/// The addresses of this machine by which others reach it: those that the ways to elsewhere begin at. No packet is sent.
pub(crate) fn addresses() -> Vec<IpAddr> {
    let through = |from: IpAddr, to: IpAddr| {
        let socket = UdpSocket::bind((from, 0)).ok()?;
        socket.connect((to, 9)).ok()?;
        let address = socket.local_addr().ok()?.ip();
        (!address.is_loopback() && !address.is_unspecified()).then_some(address)
    };
    // Addresses that documents may name, and nobody has.
    let v4 = through(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into());
    let v6 = through(
        Ipv6Addr::UNSPECIFIED.into(),
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    );
    v4.into_iter().chain(v6).collect()
}

/// The link to an address, with a token where one is needed.
pub(crate) fn link(address: IpAddr, port: u16, token: Option<&str>) -> String {
    match token {
        None => format!("http://localhost:{port}/"),
        Some(token) => format!("https://{}/enter?token={token}", SocketAddr::new(address, port)),
    }
}

/// The link as a code of half blocks, for a camera; `None` where it is too long for one.
pub(crate) fn code(link: &str) -> Option<String> {
    let code = QrCode::new(link).ok()?;
    // Terminals are dark: what is printed is light.
    let mut drawing = code.render::<Dense1x2>();
    drawing.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).quiet_zone(true);
    Some(drawing.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_those_that_browsers_open() {
        assert_eq!(
            link([10, 0, 0, 7].into(), 8321, Some("ab")),
            "https://10.0.0.7:8321/enter?token=ab"
        );
        let v6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1).into();
        assert_eq!(link(v6, 1, Some("ab")), "https://[fd00::1]:1/enter?token=ab");
        assert_eq!(link([127, 0, 0, 1].into(), 8321, None), "http://localhost:8321/");
        let code =
            code("https://10.0.0.7:8321/enter?token=00112233445566778899aabbccddeeff").unwrap();
        assert!(code.lines().count() > 15, "{code}");
    }
}
