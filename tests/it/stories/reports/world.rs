//! Records of a made-up clinic, held in memory and written to a database as they are.

use crate::store::TestStore;
use crate::support::load::Dice;
use avatar::domain::booking::{Booking, BookingStatus};
use avatar::domain::contact::Contact;
use avatar::domain::event::{Actor, Event, EventPayload, EventStatus, Run, RunOutcome, SignatureState};
use avatar::domain::handover::Handover;
use avatar::domain::ids::derived_id;
use avatar::domain::sample;
use avatar::domain::sms::{SmsCategory, SmsMessage, SmsStatus};
use avatar::domain::task::{Task, TaskStatus};
use avatar::domain::time::{Millis, Timestamp};
use avatar::domain::touchpoint::Touchpoint;
use avatar::store::reports::Span;
use avatar::store::sms::StatusEvent;
use avatar::store::{StoreResult, bookings, contacts, events, handovers, history, runs, sms, tasks};

#[derive(Clone, Default)]
pub struct World {
    pub contacts: Vec<Contact>,
    pub bookings: Vec<Booking>,
    pub tasks: Vec<Task>,
    pub touchpoints: Vec<Touchpoint>,
    pub events: Vec<Event>,
    pub texts: Vec<SmsMessage>,
    pub changes: Vec<StatusEvent>,
    pub handovers: Vec<Handover>,
    /// Numbers that said STOP, and when.
    pub stops: Vec<(String, Timestamp)>,
    pub runs: Vec<Run>,
}

impl World {
    pub fn write(&self, t: &TestStore) {
        let world = self.clone();
        t.store
            .write_now(move |tx| -> StoreResult<()> {
                contacts::upsert_many(tx, &world.contacts.iter().collect::<Vec<_>>())?;
                bookings::upsert_many(tx, &world.bookings.iter().collect::<Vec<_>>())?;
                tasks::upsert_many(tx, &world.tasks.iter().collect::<Vec<_>>())?;
                history::insert_touchpoints(tx, &world.touchpoints.iter().collect::<Vec<_>>())?;
                events::insert_chained(tx, &world.events.iter().collect::<Vec<_>>())?;
                sms::insert_many(tx, &world.texts.iter().collect::<Vec<_>>())?;
                sms::insert_status_events(tx, &world.changes)?;
                handovers::put_answers(tx, &world.handovers)?;
                runs::insert_many(tx, &world.runs.iter().collect::<Vec<_>>())?;
                world.stops.iter().try_for_each(|(phone, at)| sms::suppress(tx, phone, "stop", "event", *at))
            })
            .unwrap();
    }

    pub fn contact(&mut self, name: &str, source: &str, at: Timestamp) -> String {
        let id = derived_id(at, &["contact", name]);
        let contact = Contact { phone: None, source: source.into(), ..sample::contact(&id, name, at) };
        self.contacts.push(contact);
        id
    }

    /// What we first heard of somebody.
    pub fn event(&mut self, contact: &str, event_type: &str, source: &str, at: Timestamp) {
        let id = derived_id(at, &["event", contact, event_type]);
        self.events.push(Event {
            dedupe_key: id.clone(),
            id,
            event_type: event_type.into(),
            source: source.into(),
            timestamp: at,
            occurred_at: None,
            actor: Actor::Provider,
            signature_state: SignatureState::Valid,
            payload: EventPayload::default(),
            lane_key: None,
            contact_id: Some(contact.into()),
            booking_id: None,
            causation_id: None,
            depth: 0,
            status: EventStatus::Processed,
            status_reason: None,
            duplicates: 0,
            revision: Some(1),
            processed_at: Some(at),
        });
    }

    /// A booking came on the waiting list.
    pub fn waits(&mut self, contact: &str, booking: &str, at: Timestamp) {
        self.event(contact, "waitlist_joined", "wix", at);
        let number = self.events.len().to_string();
        let event = self.events.last_mut().unwrap();
        event.id = derived_id(at, &["waits", booking, &number]);
        event.dedupe_key.clone_from(&event.id);
        event.booking_id = Some(booking.into());
    }

    pub fn touch(&mut self, contact: &str, kind: &str, source: Option<&str>, at: Timestamp) {
        let outwards = matches!(kind, "call_out" | "no_answer" | "sms_out");
        self.touchpoints.push(Touchpoint {
            id: derived_id(at, &["touch", contact, kind, &self.touchpoints.len().to_string()]),
            contact_id: contact.into(),
            timestamp: at,
            kind: kind.into(),
            channel: (kind == "manychat_message").then(|| "manychat".into()),
            direction: if outwards { "out" } else { "in" }.into(),
            source: source.map(Into::into),
            medium: None,
            campaign: None,
            event_id: None,
        });
    }

    pub fn booking(&mut self, contact: &str, made: Timestamp, appointment: Timestamp, status: BookingStatus) -> &mut Booking {
        let id = derived_id(made, &["booking", contact, &self.bookings.len().to_string()]);
        let booking = sample::booking(&id, contact, appointment, made);
        self.bookings.push(Booking { status, ..booking });
        self.bookings.last_mut().unwrap()
    }

    pub fn task(&mut self, contact: Option<&str>, task_type: &str, due: Timestamp, done: Option<Timestamp>) -> &mut Task {
        let made = due - Millis::hours(4);
        self.tasks.push(Task {
            id: derived_id(made, &["task", &self.tasks.len().to_string()]),
            task_type: task_type.into(),
            title: "Do it".into(),
            contact_id: contact.map(Into::into),
            booking_id: None,
            status: if done.is_some() { TaskStatus::Done } else { TaskStatus::Todo },
            due_datetime: due,
            priority_score: 50,
            assigned_to: None,
            because: String::new(),
            run_id: None,
            dedupe_key: None,
            note: None,
            completed_at: done,
            is_demo: false,
            version: 1,
            created_at: made,
            updated_at: done.unwrap_or(made),
            outcome: None,
            completed_by: None,
        });
        self.tasks.last_mut().unwrap()
    }

    /// A text that a provider took at `at`, or that nobody took and was given up then.
    pub fn text(&mut self, contact: &str, to: &str, at: Timestamp, status: SmsStatus) -> &mut SmsMessage {
        let number = self.texts.len().to_string();
        let id = derived_id(at - Millis::MINUTE, &["text", &number]);
        self.changes.push(StatusEvent {
            id: derived_id(at, &["change", &number]),
            sms_id: id.clone(),
            status,
            code: None,
            detail: None,
            at,
            event_id: None,
        });
        let text = sample::text(&id, to, at - Millis::MINUTE);
        let contact_id = Some(contact.to_owned());
        let run_id = Some("run".to_owned());
        self.texts.push(SmsMessage { contact_id, run_id, status, accepted_at: Some(at), updated_at: at, ..text });
        self.texts.last_mut().unwrap()
    }

    pub fn received(&mut self, contact: &str, body: &str, at: Timestamp) {
        let id = derived_id(at, &["in", &self.texts.len().to_string()]);
        let text = sample::text(&id, "", at);
        let contact_id = Some(contact.to_owned());
        self.texts.push(SmsMessage {
            direction: "in".into(),
            contact_id,
            status: SmsStatus::Received,
            body: body.into(),
            ..text
        });
    }

    /// The provider's answer to the newest text.
    pub fn priced(&mut self, micros: Option<i64>, currency: &str, billed_parts: Option<i32>) {
        let text = self.texts.last().unwrap();
        self.handovers.push(Handover {
            sms_id: text.id.clone(),
            provider: "clicksend".into(),
            handed_at: text.created_at,
            answered_at: None,
            provider_status: None,
            provider_message_id: None,
            price_micros: micros,
            currency: micros.map(|_| currency.to_owned()),
            billed_parts,
            raw: String::new(),
            unknown_at: None,
            checks: 0,
            checked_at: None,
            asked_at: None,
            price_is_estimate: false,
            receipt_asked_at: None,
        });
    }

    pub fn run(&mut self, rule: &str, outcome: RunOutcome, at: Timestamp) {
        self.runs.push(Run {
            id: derived_id(at, &["run", &self.runs.len().to_string()]),
            event_id: "event".into(),
            rule_id: rule.into(),
            revision: 1,
            outcome,
            contact_id: None,
            booking_id: None,
            at,
            trace: String::new(),
            resumes: None,
        });
    }
}

const SOURCES: [&str; 5] = ["google", "facebook", "referral", "wix", "=formula"];
const KINDS: [&str; 9] =
    ["ad_click", "form", "manychat_message", "call_in", "email", "call_out", "no_answer", "sms_in", "booking"];
const BODIES: [&str; 5] = ["YES", "can I come an hour later?", "STOP", "where do I park please", "NO"];

/// People who come and go around a period.
pub struct Random {
    dice: Dice,
    span: Span,
    pub world: World,
}

impl Random {
    pub fn world(seed: u64, span: Span, people: u64) -> World {
        let mut random = Self { dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1), span, world: World::default() };
        for number in 0..people {
            random.person(number);
        }
        random.world
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.dice.roll(from.len() as u64) as usize]
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.dice.roll(100) < percent
    }

    /// Whole minutes: 0 to `hours` later.
    fn later(&mut self, at: Timestamp, hours: u64) -> Timestamp {
        at + Millis::minutes(self.dice.roll(hours * 60 + 1) as i64)
    }

    fn person(&mut self, number: u64) {
        let length = (self.span.to - self.span.from).0 / Millis::HOUR.0;
        let begin = if self.chance(10) { self.span.from - Millis::days(364) } else { self.span.from - Millis::days(8) };
        let mut made = self.later(begin, length as u64 + 12 * 24);
        // The very edges, too.
        match self.dice.roll(20) {
            0 => made = self.span.from,
            1 => made = self.span.to,
            2 => made = self.span.to - Millis::MINUTE,
            _ => {}
        }
        let source = self.pick(&SOURCES);
        let id = self.world.contact(&format!("Kim{number} Lee"), source, made);
        if self.chance(5) {
            self.world.contacts.last_mut().unwrap().merged_into_id = Some("other".into());
        }
        self.first_event(&id, made);
        for _ in 0..self.dice.roll(6) {
            let begin = made - Millis::days(self.dice.roll(3) as i64 * 40);
            let (kind, at) = (self.pick(&KINDS), self.later(begin, 96));
            let source = if self.chance(50) { Some(self.pick(&SOURCES)) } else { None };
            self.world.touch(&id, kind, source, at);
        }
        for _ in 0..self.dice.roll(4) {
            self.book(&id, made);
        }
        for _ in 0..self.dice.roll(4) {
            self.work(&id, made);
        }
        for _ in 0..self.dice.roll(4) {
            let (body, at) = (self.pick(&BODIES), self.later(made, 300));
            self.world.received(&id, body, at);
        }
        for _ in 0..self.dice.roll(3) {
            self.text_by_hand(&id, made);
        }
        self.further(made);
    }

    fn first_event(&mut self, id: &str, made: Timestamp) {
        let first = [
            ("lead_created", "manychat"),
            ("lead_created", "staff"),
            ("manychat_message", "manychat"),
            ("sms_received", "clicksend"),
            ("booking_created", "wix"),
            ("contact_imported", "import"),
            ("contact_created", "staff"),
        ];
        if self.chance(95) {
            let (event_type, source) = self.pick(&first);
            self.world.event(id, event_type, source, made);
            self.world.event(id, "booking_updated", "wix", made + Millis::MINUTE);
        }
    }

    fn book(&mut self, id: &str, made: Timestamp) {
        let booked = self.later(made, 200);
        let appointment = self.later(booked, 300);
        let status = self.pick(&BookingStatus::ALL);
        let cancelled = self.later(appointment - Millis::hours(48), 72);
        let (confirmed, via) = (self.chance(60), self.pick(&["sms", "manychat", "rule", "staff"]));
        let booking = self.world.booking(id, booked, appointment, status);
        booking.cancelled_at = (status == BookingStatus::Cancelled).then_some(cancelled);
        if confirmed {
            booking.patient_confirmed_at = Some(booked);
            booking.confirmed_via = Some(via.to_owned());
        }
        let booking_id = booking.id.clone();
        for _ in 0..self.dice.roll(3) / 2 * 2 {
            let at = self.later(booked, 100);
            self.world.waits(id, &booking_id, at);
        }
        for _ in 0..self.dice.roll(3) {
            self.text_about(id, &booking_id, appointment);
        }
    }

    fn text_about(&mut self, id: &str, booking_id: &str, appointment: Timestamp) {
        let at = self.later(appointment - Millis::hours(50), 52);
        let status =
            self.pick(&[SmsStatus::Accepted, SmsStatus::Delivered, SmsStatus::Failed, SmsStatus::Expired, SmsStatus::Unknown]);
        let template = self.pick(&["reminder_24hr", "reminder_48hr", "booking_confirmation", "recall_due"]);
        let about = self.pick(&[None, Some(appointment), Some(appointment + Millis::HOUR)]);
        let (never_taken, only_delivered) = (self.chance(15), self.chance(10));
        let (parts, to) = (self.dice.roll(3) as i32 + 1, format!("+6149157{:04}", self.dice.roll(30)));
        let text = self.world.text(id, &to, at, status);
        text.booking_id = Some(booking_id.to_owned());
        text.template = Some(template.to_owned());
        text.parts = parts;
        text.appointment_datetime = about;
        if template == "recall_due" {
            text.category = SmsCategory::Recall;
        }
        if never_taken {
            text.accepted_at = None;
        } else if only_delivered && status == SmsStatus::Delivered {
            (text.accepted_at, text.delivered_at) = (None, Some(at));
        }
        if self.chance(60) {
            let micros = if self.chance(80) { Some(self.dice.roll(90_000) as i64) } else { None };
            let (currency, billed) = (self.pick(&["AUD", "NZD"]), self.pick(&[None, Some(2)]));
            self.world.priced(micros, currency, billed);
        }
    }

    fn text_by_hand(&mut self, id: &str, made: Timestamp) {
        let at = self.later(made, 96);
        let acknowledgement = self.chance(30);
        let text = self.world.text(id, "+61491570006", at, SmsStatus::Delivered);
        text.run_id = None;
        text.revision = acknowledgement.then_some(3);
    }

    fn work(&mut self, id: &str, made: Timestamp) {
        let due = self.later(made, 200);
        let task_type = self.pick(&["lead_call", "welcome_call", "sms_reply_review", "referral_check"]);
        let done = self.later(made, 90);
        let (status, of_nobody) = (self.dice.roll(4), self.chance(10));
        let assigned_to = self.pick(&[None, Some("reception"), Some("manager")]);
        let by = self.pick(&[None, Some("ann"), Some("bob")]);
        let task = self.world.task((!of_nobody).then_some(id), task_type, due, (status < 2).then_some(done));
        task.assigned_to = assigned_to.map(Into::into);
        task.completed_by = if status < 2 { by.map(Into::into) } else { None };
        if status == 3 {
            task.status = TaskStatus::Cancelled;
            task.completed_at = Some(done);
        }
    }

    fn further(&mut self, made: Timestamp) {
        if self.chance(20) {
            let phone = format!("+6149157{:04}", self.dice.roll(30));
            if self.world.stops.iter().all(|(known, _)| *known != phone) {
                let at = self.later(made, 100);
                self.world.stops.push((phone, at));
            }
        }
        for _ in 0..self.dice.roll(5) {
            let rule = self.pick(&["welcome", "remind", "recall"]);
            let outcome = self.pick(&[RunOutcome::Fired, RunOutcome::Fired, RunOutcome::Failed, RunOutcome::Skipped]);
            let at = self.later(made, 200);
            self.world.run(rule, outcome, at);
        }
    }
}
