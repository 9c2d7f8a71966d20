//! How fast the past goes by: `cargo bench --bench replay` replays 10,000 events of a made-up clinic with the shipped rules, both
//! sides at once, and prints events a second.

use avatar::automation::replay::{History, compare, replay};
use avatar::automation::rulesets::{Checking, DEBOUNCE, RulesetOptions, read_sources};
use avatar::automation::simulate::Rules;
use avatar::config::{load_clinic, load_pipelines};
use avatar::domain::booking::BookingStatus;
use avatar::domain::event::{Actor, BookingInput, ContactInput, Event, EventPayload, MessageInput, lane_key};
use avatar::domain::ids::derived_id;
use avatar::domain::time::{Millis, Timestamp};
use avatar::engine::{Catalogue, Compiled, compile};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

const EVENTS: usize = 10_000;
/// A month of a busy clinic.
const SPAN: Millis = Millis::days(30);
const ROUNDS: usize = 3;
/// Monday 2 March 2026, 9:00 in Sydney.
const START: Timestamp = Timestamp(1_772_402_400_000);

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap_or_default();
    let (Ok(clinic), Ok(pipelines)) =
        (load_clinic(&read("config/clinic.yaml"), chrono_tz::Australia::Sydney), load_pipelines(&read("config/pipelines.yaml")))
    else {
        return say("the shipped settings cannot be read");
    };
    let catalogue = Catalogue {
        clinic: Arc::new(clinic),
        pipelines: Arc::new(pipelines),
        declared_events: Vec::new(),
        declared_sources: Vec::new(),
    };
    let options = RulesetOptions {
        rules_dir: root.join("rules"),
        templates_dir: root.join("sms_templates"),
        auto: false,
        checking: Checking::Here,
        debounce: DEBOUNCE,
    };
    let Ok(sources) = read_sources(&options) else { return say("the shipped rules cannot be read") };
    let Compiled { ruleset: Some(ruleset), .. } = compile(&sources, &catalogue) else {
        return say("the shipped rules do not compile");
    };
    let history = history();
    let rules = Rules { ruleset: &ruleset, revision: 1, clinic: &catalogue.clinic, pipelines: &catalogue.pipelines };
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let Ok(replayed) = replay(&history, rules, rules, &AtomicUsize::new(0)) else { return say("the replay failed") };
        let difference = compare(&replayed, &ruleset, &ruleset);
        let took = started.elapsed();
        say(&format!(
            "replay  {EVENTS} events, both sides: {:.2} s, {:.0} events/s a side, {} things done, {} rules differ",
            took.as_secs_f64(),
            EVENTS as f64 / took.as_secs_f64(),
            replayed.before.len(),
            difference.rules.len()
        ));
    }
}

#[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
fn say(text: &str) {
    println!("{text}");
}

/// Each person books, answers, moves or cancels, or is a lead: five events a person.
fn history() -> History {
    let step = SPAN.0 / EVENTS as i64;
    let mut window: Vec<Event> = (0..EVENTS).map(|n| event(n, START + Millis(step * n as i64))).collect();
    window.sort_by_key(|e| e.timestamp);
    History { known_since: START, since: START, until: START + SPAN, window, ..History::default() }
}

fn event(n: usize, at: Timestamp) -> Event {
    // Events of one person are a fifth of the log apart.
    let (person, act) = (n % (EVENTS / 5), n / (EVENTS / 5));
    let contact = ContactInput {
        wix_contact: Some(format!("wix-{person}")),
        first_name: Some(format!("Person{person}")),
        phone: Some(format!("+614{person:08}")),
        ..ContactInput::default()
    };
    let appointment = START + Millis::days(8) + Millis(SPAN.0 / (EVENTS as i64 / 5) * person as i64);
    let booking = |status: BookingStatus, shift: Millis| BookingInput {
        wix_booking_id: Some(format!("booking-{person}")),
        status: Some(status),
        appointment_datetime: Some(appointment + shift),
        ..BookingInput::default()
    };
    let message = |body: &str| MessageInput {
        from: format!("+614{person:08}"),
        body: body.to_owned(),
        provider: "clicksend".to_owned(),
        provider_message_id: Some(format!("message-{n}")),
        channel: "sms".to_owned(),
        ..MessageInput::default()
    };
    let mut payload = EventPayload { contact: Some(contact), ..EventPayload::default() };
    let event_type = match (act, person % 3) {
        (0, 0) => {
            payload.message =
                Some(MessageInput { channel: "manychat".to_owned(), provider: "manychat".to_owned(), ..message("Hello") });
            "manychat_message"
        }
        (0, _) => {
            payload.booking = Some(booking(BookingStatus::Pending, Millis(0)));
            "booking_created"
        }
        (1, _) => {
            payload.booking = Some(booking(BookingStatus::Scheduled, Millis(0)));
            "booking_confirmed"
        }
        (2, _) => {
            payload.message = Some(message(["Yes", "No", "Where do I park?"][person % 3]));
            "sms_received"
        }
        (3, _) => {
            payload.booking = Some(booking(BookingStatus::Scheduled, Millis::days(2)));
            "booking_rescheduled"
        }
        _ if person.is_multiple_of(4) => {
            payload.booking = Some(booking(BookingStatus::Cancelled, Millis::days(2)));
            "booking_cancelled"
        }
        _ => {
            payload.message = Some(message("Yes"));
            "sms_received"
        }
    };
    let key = n.to_string();
    Event {
        source: "wix".to_owned(),
        dedupe_key: key.clone(),
        occurred_at: Some(at),
        actor: Actor::Patient,
        lane_key: lane_key(payload.contact.as_ref(), None),
        payload,
        ..Event::accepted(derived_id(at, &["bench", &key]), event_type, at)
    }
}
