//! Places for connections: so many in all, so many for each address.

use super::limits::ServerLimits;
use crate::http::metrics;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The places of one server. The map holds only addresses with an open connection, so it is as bounded as they are.
pub(super) struct Slots {
    limits: ServerLimits,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_ip: HashMap<IpAddr, usize>,
}

/// One taken place; free again when dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    /// `None` when the address is not counted.
    counted: Option<IpAddr>,
}

impl Slots {
    pub(super) fn new(limits: ServerLimits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// A place for a connection from `ip`; `None` when there is no more.
    pub(super) fn take(self: &Arc<Self>, ip: IpAddr) -> Option<Slot> {
        let ip = ip.to_canonical();
        let counted = (!self.limits.trusts(ip)).then(|| one_of_its_owner(ip));
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.limits.connections_max {
            return None;
        }
        if let Some(ip) = counted {
            let of_ip = taken.by_ip.entry(ip).or_default();
            if *of_ip >= self.limits.connections_per_ip_max {
                return None;
            }
            *of_ip += 1;
        }
        taken.all += 1;
        metrics::connections(taken.all);
        Some(Slot { slots: Arc::clone(self), counted })
    }
}

/// Whoever has one IPv6 address has the 2⁶⁴ of its network: they count as one.
fn one_of_its_owner(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        metrics::connections(taken.all);
        let Some(ip) = self.counted else { return };
        if let Some(of_ip) = taken.by_ip.get_mut(&ip) {
            *of_ip = of_ip.saturating_sub(1);
            if *of_ip == 0 {
                taken.by_ip.remove(&ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(all: usize, per_ip: usize) -> Arc<Slots> {
        Slots::new(ServerLimits { connections_max: all, connections_per_ip_max: per_ip, ..ServerLimits::default() })
    }
    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_address_cannot_take_the_places_of_others() {
        let slots = slots(10, 2);
        let _first = slots.take(ip("192.0.2.1")).expect("a place");
        let second = slots.take(ip("::ffff:192.0.2.1")).expect("the same address in another form");
        assert!(slots.take(ip("192.0.2.1")).is_none());
        assert!(slots.take(ip("192.0.2.2")).is_some());
        drop(second);
        assert!(slots.take(ip("192.0.2.1")).is_some());
        let _network = [ip("2001:db8::1"), ip("2001:db8::2")].map(|ip| slots.take(ip).expect("a place"));
        assert!(slots.take(ip("2001:db8::3:3")).is_none());
    }

    #[test]
    fn this_machine_and_trusted_proxies_are_limited_only_by_the_whole() {
        let mut limits = ServerLimits { connections_max: 3, connections_per_ip_max: 1, ..ServerLimits::default() };
        limits.trusted_proxies.push(ip("192.0.2.9"));
        let slots = Slots::new(limits);
        let held: Vec<_> = [ip("127.0.0.1"), ip("192.0.2.9"), ip("192.0.2.9")].map(|ip| slots.take(ip)).into();
        assert!(held.iter().all(Option::is_some));
        assert!(slots.take(ip("127.0.0.1")).is_none(), "the whole is full");
    }

    #[test]
    fn addresses_without_connections_are_forgotten() {
        let slots = slots(10, 2);
        for last in 0..=255u8 {
            drop(slots.take(IpAddr::from([192, 0, 2, last])));
        }
        assert!(slots.taken.lock().expect("no panic").by_ip.is_empty());
    }
}
