//! Signed webhooks at a moderate rate, in disorder and with copies, sent until each is acknowledged: what a provider does.

use super::client;
use super::clinic::{pause, signed};
use super::wix::{Patient, Visit};
use avatar::domain::clock::{Clock, SystemClock};
use avatar::domain::time::Millis;
use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

const SENDERS: usize = 3;
/// Between two events: about 60 a second.
const GAP: Duration = Duration::from_millis(16);
/// Events that are shuffled with one another.
const WINDOW: usize = 24;
/// One event in so many is sent twice.
const COPY_EVERY: u64 = 10;
/// People who book again and again.
const PATIENTS: usize = 40;
const RETRY_PAUSE: Duration = Duration::from_millis(30);

/// A running load.
pub struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    addresses: Vec<SocketAddr>,
    waiting: Mutex<VecDeque<(String, String)>>,
    acked: Mutex<BTreeSet<String>>,
    unexpected: Mutex<Vec<String>>,
    made: AtomicUsize,
    turn: AtomicUsize,
    is_enough: AtomicBool,
    is_made: AtomicBool,
}

/// Small, seeded, the same every time.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

impl Load {
    pub fn start(addresses: Vec<SocketAddr>, seed: u64) -> Self {
        let shared = Arc::new(Shared {
            addresses,
            waiting: Mutex::default(),
            acked: Mutex::default(),
            unexpected: Mutex::default(),
            made: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
            is_enough: AtomicBool::new(false),
            is_made: AtomicBool::new(false),
        });
        let maker = Arc::clone(&shared);
        let mut threads = vec![std::thread::spawn(move || maker.make(&mut Dice(seed)))];
        for _ in 0..SENDERS {
            let sender = Arc::clone(&shared);
            threads.push(std::thread::spawn(move || sender.send()));
        }
        Self { shared, threads }
    }

    pub fn acked(&self) -> usize {
        self.shared.acked.lock().unwrap().len()
    }

    /// Makes no more events, waits until every one is acknowledged, and answers with their keys.
    pub fn finish(self) -> BTreeSet<String> {
        self.shared.is_enough.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let unexpected = self.shared.unexpected.lock().unwrap();
        assert!(unexpected.is_empty(), "{unexpected:?}");
        let acked = self.shared.acked.lock().unwrap().clone();
        assert_eq!(acked.len(), self.shared.made.load(Ordering::SeqCst), "every event was acknowledged in the end");
        acked
    }
}

impl Shared {
    fn make(&self, dice: &mut Dice) {
        let mut window: Vec<(String, String)> = Vec::new();
        let mut number = 0;
        while !self.is_enough.load(Ordering::SeqCst) {
            if window.len() < WINDOW {
                window.extend(life(number, dice));
                number += 1;
                continue;
            }
            let event = window.swap_remove(dice.roll(window.len() as u64) as usize);
            self.offer(event, dice);
            pause(GAP);
        }
        for event in window {
            self.offer(event, dice);
        }
        self.is_made.store(true, Ordering::SeqCst);
    }

    fn offer(&self, event: (String, String), dice: &mut Dice) {
        self.made.fetch_add(1, Ordering::SeqCst);
        let mut waiting = self.waiting.lock().unwrap();
        if dice.roll(COPY_EVERY) == 0 {
            waiting.push_back(event.clone());
        }
        waiting.push_back(event);
    }

    fn send(&self) {
        loop {
            let is_made = self.is_made.load(Ordering::SeqCst);
            let Some((key, body)) = self.waiting.lock().unwrap().pop_front() else {
                if is_made {
                    return;
                }
                pause(GAP);
                continue;
            };
            let address = self.addresses[self.turn.fetch_add(1, Ordering::SeqCst) % self.addresses.len()];
            match client::send(address, "POST", "/webhooks/wix/bookings", &[], body.as_bytes()) {
                Ok(answer) if answer.status == 200 => {
                    self.acked.lock().unwrap().insert(key);
                    continue;
                }
                Ok(answer) if answer.status != 503 => self.unexpected.lock().unwrap().push(answer.head),
                _ => {}
            }
            self.waiting.lock().unwrap().push_back((key, body));
            pause(RETRY_PAUSE);
        }
    }
}

/// The events of one booking, signed: their keys and bodies.
fn life(number: usize, dice: &mut Dice) -> Vec<(String, String)> {
    let now = SystemClock.now();
    let who = number % PATIENTS;
    let patient = Patient::new(&format!("wix-{who}"), &format!("Kim{who}"), "Lee", &format!("04{:08}", 10_000_000 + who));
    let day = |days: i64| (now + Millis::days(days)).to_rfc3339_in(chrono_tz::Australia::Sydney);
    let mut visit = Visit::new(&patient, &format!("visit-{number}"), &day(10));
    let mut events = vec![visit.created()];
    match dice.roll(4) {
        0 => events.push(visit.cancelled()),
        1 => events.push(visit.rescheduled(&day(20))),
        2 => events.extend([visit.updated(), visit.rescheduled(&day(15)), visit.cancelled()]),
        _ => {}
    }
    let key = |event: &super::wix::WixEvent| event.inner["id"].as_str().unwrap().to_owned();
    events.iter().map(|event| (key(event), signed(event, now))).collect()
}
