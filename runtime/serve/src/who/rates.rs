//! How often an address may ask, and guess.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

/// So many requests at once, and so many a minute.
const REQUESTS: Rate = Rate { most: 600.0, a_minute: 3600.0 };
/// So many wrong tokens.
const GUESSES: Rate = Rate { most: 5.0, a_minute: 10.0 };
/// So many addresses are remembered.
const ADDRESSES: usize = 1024;

#[derive(Clone, Copy, Debug)]
struct Rate {
    most: f64,
    a_minute: f64,
}

/// What an address has left.
#[derive(Clone, Copy, Debug)]
struct Left {
    requests: f64,
    guesses: f64,
    at: Instant,
}

/// What each address has left.
#[derive(Debug, Default)]
pub(super) struct Rates {
    left: HashMap<IpAddr, Left>,
}

impl Rates {
    /// Counts a request; gives the seconds after which there is room again, where there is none.
    pub(super) fn request(&mut self, address: IpAddr, now: Instant) -> Result<(), u32> {
        take(&mut self.left(address, now).requests, REQUESTS)
    }

    /// Counts a wrong token.
    pub(super) fn guess(&mut self, address: IpAddr, now: Instant) {
        let _ = take(&mut self.left(address, now).guesses, GUESSES);
    }

    /// Whether an address has guessed too often for its token to be looked at.
    pub(super) fn may_guess(&mut self, address: IpAddr, now: Instant) -> Result<(), u32> {
        let left = self.left(address, now).guesses;
        if left >= 1.0 { Ok(()) } else { Err(seconds(left, GUESSES)) }
    }

    fn left(&mut self, address: IpAddr, now: Instant) -> &mut Left {
        let address = network(address);
        if self.left.len() >= ADDRESSES && !self.left.contains_key(&address) {
            // The one that was quiet longest has most of its room again.
            let quiet =
                self.left.iter().min_by_key(|(_, left)| left.at).map(|(address, _)| *address);
            quiet.map(|address| self.left.remove(&address));
        }
        let full = Left { requests: REQUESTS.most, guesses: GUESSES.most, at: now };
        let left = self.left.entry(address).or_insert(full);
        let minutes = now.saturating_duration_since(left.at).as_secs_f64() / 60.0;
        left.requests = (left.requests + minutes * REQUESTS.a_minute).min(REQUESTS.most);
        left.guesses = (left.guesses + minutes * GUESSES.a_minute).min(GUESSES.most);
        left.at = now;
        left
    }
}

fn take(left: &mut f64, rate: Rate) -> Result<(), u32> {
    if *left < 1.0 {
        return Err(seconds(*left, rate));
    }
    *left -= 1.0;
    Ok(())
}

fn seconds(left: f64, rate: Rate) -> u32 {
    ((1.0 - left) * 60.0 / rate.a_minute).ceil().max(1.0) as u32
}

/// One machine may have all addresses of an IPv6 network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_address_that_asks_too_often_waits_and_others_do_not() {
        let (mut rates, now) = (Rates::default(), Instant::now());
        let [one, other]: [IpAddr; 2] = [[10, 0, 0, 1].into(), [10, 0, 0, 2].into()];
        for _ in 0..600 {
            assert_eq!(rates.request(one, now), Ok(()));
        }
        assert_eq!(rates.request(one, now), Err(1));
        assert_eq!(rates.request(other, now), Ok(()));
        let later = now + Duration::from_secs(1);
        assert_eq!((0..60).filter(|_| rates.request(one, later).is_ok()).count(), 60);
        assert!(rates.request(one, later).is_err());
    }

    #[test]
    fn wrong_tokens_are_slowed_down() {
        let (mut rates, now) = (Rates::default(), Instant::now());
        let address = IpAddr::from([10, 0, 0, 1]);
        for _ in 0..5 {
            assert_eq!(rates.may_guess(address, now), Ok(()));
            rates.guess(address, now);
        }
        assert_eq!(rates.may_guess(address, now), Err(6));
        assert_eq!(rates.may_guess(address, now + Duration::from_secs(7)), Ok(()));
    }

    #[test]
    fn addresses_are_bounded_and_those_of_a_network_are_one() {
        let (mut rates, now) = (Rates::default(), Instant::now());
        for number in 0..5000_u32 {
            let address = Ipv6Addr::from(u128::from(number) << 64 | u128::from(number));
            let _ = rates.request(address.into(), now);
        }
        assert_eq!(rates.left.len(), ADDRESSES);
        let of = |end: u16| IpAddr::from([0x2001, 0xdb8, 1, 2, 0, 0, 0, end]);
        assert_eq!(network(of(1)), network(of(2)));
        assert_ne!(network(of(1)), network([0x2001, 0xdb8, 1, 3, 0, 0, 0, 1].into()));
    }
}
