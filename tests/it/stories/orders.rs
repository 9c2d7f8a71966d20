//! Deliveries in every order, with and without copies: the end is the same.

use crate::support::clinic::{Clinic, signed};
use crate::support::wix::{Patient, Visit, WixEvent};

const FIRST: &str = "2026-11-30T10:30:00+11:00";
const MOVED: &str = "2026-12-03T14:00:00+11:00";

/// The life of a booking at Wix, in the order in which it happened.
type Life = fn(&mut Visit) -> Vec<WixEvent>;

const LIVES: [(&str, Life); 5] = [
    ("accepted", |v| vec![v.created_unpaid(), v.confirmed(), v.updated()]),
    ("moved", |v| vec![v.created_unpaid(), v.confirmed(), v.rescheduled(MOVED)]),
    ("cancelled", |v| vec![v.created_unpaid(), v.confirmed(), v.cancelled()]),
    ("moved_and_cancelled", |v| vec![v.created_unpaid(), v.confirmed(), v.rescheduled(MOVED), v.cancelled()]),
    ("everything", |v| vec![v.created_unpaid(), v.confirmed(), v.updated(), v.rescheduled(MOVED), v.cancelled()]),
];

#[test]
fn every_order_of_deliveries_ends_the_same() {
    every_order(false);
}

#[test]
fn every_order_with_copies_ends_the_same() {
    every_order(true);
}

/// Every permutation of every life, each told of a patient of its own; one step of all of them is worked on together.
fn every_order(with_copies: bool) {
    let clinic = Clinic::sqlite();
    for (name, life) in LIVES {
        let length = life(&mut visit(name, 0)).len();
        let orders = permutations(length);
        let lives: Vec<Vec<WixEvent>> = (0..orders.len()).map(|number| life(&mut visit(name, number))).collect();
        for step in 0..length {
            for (order, events) in orders.iter().zip(&lives) {
                tell(&clinic, &events[order[step]]);
                if with_copies {
                    tell(&clinic, &events[order[step]]);
                    tell(&clinic, &events[order[0]]);
                }
            }
            clinic.settle();
        }
        same_end(&clinic, name, &orders);
    }
    clinic.check();
}

fn visit(life: &str, number: usize) -> Visit {
    let patient = Patient::new(&format!("wix-{life}-{number}"), "Kim", "Lee", &format!("04{:05}{:03}", life.len(), number));
    Visit::new(&patient, &format!("{life}-{number}"), FIRST)
}

/// Through the front door without the network: verified and recorded as the server does it.
fn tell(clinic: &Clinic, event: &WixEvent) {
    clinic.deliver("wix/bookings", &signed(event, clinic.now()));
}

fn same_end(clinic: &Clinic, life: &str, orders: &[Vec<usize>]) {
    let of_life = format!("b.wix_booking_id LIKE '{}-%' AND LENGTH(b.wix_booking_id) <= {}", life, life.len() + 4);
    let states =
        clinic.lines(&format!("SELECT DISTINCT b.status AS value, b.appointment_datetime AS at FROM bookings b WHERE {of_life}"));
    let expected = match life {
        "accepted" => "scheduled Mon 11-30 10:30",
        "moved" => "scheduled Thu 12-03 14:00",
        "cancelled" => "cancelled Mon 11-30 10:30",
        _ => "cancelled Thu 12-03 14:00",
    };
    assert_eq!(states, [expected], "{life}");
    let bookings = clinic.number(&format!("SELECT COUNT(*) AS value FROM bookings b WHERE {of_life}"));
    assert_eq!(bookings, orders.len() as i64, "{life}: one booking for each order");
    for event in ["booking_created", "booking_confirmed", "booking_cancelled"] {
        let twice = clinic.words(&format!(
            "SELECT b.wix_booking_id AS value FROM bookings b JOIN event_log e ON e.booking_id = b.id
             JOIN automation_runs r ON r.event_id = e.id AND r.rule_id = '{}'
             WHERE {of_life} GROUP BY b.wix_booking_id HAVING COUNT(*) > 1",
            rule_of(event)
        ));
        assert_eq!(twice, Vec::<String>::new(), "{life}: {event} more than once");
    }
    let left = clinic.number(&format!(
        "SELECT COUNT(*) AS value FROM timers t JOIN bookings b ON b.id = t.subject_id WHERE b.status = 'cancelled' AND t.state = 'pending' AND {of_life}"
    ));
    assert_eq!(left, 0, "{life}: reminders of a cancelled booking");
    let (timers, live) = (
        format!(
            "SELECT COUNT(*) AS value FROM timers t JOIN bookings b ON b.id = t.subject_id WHERE t.state = 'pending' AND {of_life}"
        ),
        if expected.starts_with("scheduled") { 5 * orders.len() as i64 } else { 0 },
    );
    assert_eq!(clinic.number(&timers), live, "{life}");
}

/// The shipped rule that runs on each of these events, and on nothing else.
fn rule_of(event: &str) -> &'static str {
    match event {
        "booking_created" => "booking-requested",
        "booking_confirmed" => "booking-confirmed",
        _ => "booking-cancelled",
    }
}

fn permutations(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for shorter in permutations(length - 1) {
        for place in 0..length {
            let mut order = shorter.clone();
            order.insert(place, length - 1);
            all.push(order);
        }
    }
    all
}
