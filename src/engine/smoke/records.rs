//! Made-up records: one set with everything there, one with everything missing, and one for each field and word by itself.

use crate::domain::booking::{Booking, BookingStatus};
use crate::domain::contact::Contact;
use crate::domain::event::Actor;
use crate::domain::sample;
use crate::domain::task::{Task, TaskOutcome, TaskStatus};
use crate::domain::time::{Millis, Timestamp};
use crate::domain::touchpoint::Touchpoint;
use crate::engine::facts::{Asked, ContactFacts, EventFacts, Facts, MessageFacts};
use crate::engine::ruleset::Catalogue;
use crate::engine::schema::{CONSENT, INTENT, PHONE_STATUS, REFERRAL, URGENCY};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One set of records.
#[derive(Clone, Debug)]
pub struct Variant {
    /// For messages: `booking.location missing`.
    pub name: String,
    /// The path that it is about; empty for the first two.
    pub path: String,
    pub facts: Facts,
    pub now: Timestamp,
    /// Every record that may be missing is.
    pub is_bare: bool,
}

/// Thursday 5 March 2026, 10:00 in Sydney.
const NOW: Timestamp = Timestamp(1_772_665_200_000);

/// The records of a set, taken apart so that each can be changed.
#[derive(Clone)]
struct Records {
    contact: Contact,
    booking: Booking,
    task: Task,
    touchpoint: Option<Touchpoint>,
    next_booking: bool,
    message: MessageFacts,
    actor: Actor,
    occurred_at: Option<Timestamp>,
    data: BTreeMap<String, String>,
}

type Change = fn(&mut Records);

/// Each optional field, and how it goes missing.
const MISSING: &[(&str, Change)] = &[
    ("contact.phone", |r| r.contact.phone = None),
    ("contact.email", |r| r.contact.email = None),
    ("contact.opted_out_at", |r| r.contact.opted_out_at = None),
    ("contact.first_source", |r| r.contact.first_source = None),
    ("contact.interest", |r| r.contact.interest = None),
    ("contact.current_pipeline", |r| r.contact.current_pipeline = None),
    ("contact.current_stage", |r| r.contact.current_stage = None),
    ("contact.stage_entered_at", |r| r.contact.stage_entered_at = None),
    ("contact.assigned_to", |r| r.contact.assigned_to = None),
    ("contact.last_inbound_at", |r| r.contact.last_inbound_at = None),
    ("contact.last_outbound_at", |r| r.contact.last_outbound_at = None),
    ("contact.last_touch_at", |r| r.touchpoint = None),
    ("contact.last_visit_at", |r| r.contact.last_visit_at = None),
    ("contact.recall_due_on", |r| r.contact.recall_due_on = None),
    ("contact.next_booking", |r| r.next_booking = false),
    ("booking.end_datetime", |r| r.booking.end_datetime = None),
    ("booking.service_name", |r| r.booking.service_name = None),
    ("booking.location", |r| r.booking.location = None),
    ("booking.resource_name", |r| r.booking.resource_name = None),
    ("booking.payment_status", |r| r.booking.payment_status = None),
    ("booking.patient_confirmed_at", |r| r.booking.patient_confirmed_at = None),
    ("event.occurred_at", |r| r.occurred_at = None),
    ("event.data", |r| r.data.clear()),
    ("task.assigned_to", |r| r.task.assigned_to = None),
    ("task.outcome", |r| r.task.outcome = None),
    ("touchpoint.channel", |r| touch(r, |t| t.channel = None)),
    ("touchpoint.source", |r| touch(r, |t| t.source = None)),
    ("touchpoint.medium", |r| touch(r, |t| t.medium = None)),
    ("touchpoint.campaign", |r| touch(r, |t| t.campaign = None)),
];

/// Other things that can be one way or the other.
const TURNED: &[(&str, Change)] = &[
    ("contact.is_existing_patient", |r| r.contact.is_existing_patient = true),
    ("contact.first_name", |r| r.contact.first_name.clear()),
    ("contact.last_name", |r| r.contact.last_name.clear()),
    ("contact.warmness", |r| r.contact.warmness = 100),
    ("contact.no_shows", |r| r.contact.no_shows = 5),
    ("booking.appointment_datetime", |r| r.booking.appointment_datetime = NOW - Millis::days(400)),
    ("booking.reschedule_count", |r| r.booking.reschedule_count = 9),
    ("touchpoint.direction", |r| touch(r, |t| "out".clone_into(&mut t.direction))),
    ("message.channel", |r| "manychat".clone_into(&mut r.message.channel)),
    ("message.body", |r| r.message.body.clear()),
];

fn touch(records: &mut Records, change: impl Fn(&mut Touchpoint)) {
    records.touchpoint.iter_mut().for_each(change);
}

/// All sets; the first has everything, the second nothing that may be missing.
#[must_use]
pub fn variants(catalogue: &Catalogue) -> Vec<Variant> {
    let base = everything();
    let mut bare = base.clone();
    for (_, change) in MISSING {
        change(&mut bare);
    }
    let mut all = vec![variant("everything there", "", &base, false), variant("everything missing that may be", "", &bare, true)];
    let mut add = |name: String, path: &str, change: &dyn Fn(&mut Records)| {
        let mut records = base.clone();
        change(&mut records);
        all.push(variant(&name, path, &records, false));
    };
    for (path, change) in MISSING {
        add(format!("`{path}` missing"), path, change);
    }
    for (path, change) in TURNED {
        add(format!("another `{path}`"), path, change);
    }
    for status in BookingStatus::ALL {
        add(is("booking.status", status.as_str()), "booking.status", &|r| r.booking.status = status);
    }
    for status in [TaskStatus::Todo, TaskStatus::InProgress, TaskStatus::Done, TaskStatus::Cancelled] {
        add(is("task.status", status.as_str()), "task.status", &|r| r.task.status = status);
    }
    for outcome in TaskOutcome::ALL {
        add(is("task.outcome", outcome.as_str()), "task.outcome", &|r| r.task.outcome = Some(outcome));
    }
    for actor in [Actor::Patient, Actor::Staff, Actor::System, Actor::Provider] {
        add(is("event.actor", actor.as_str()), "event.actor", &|r| r.actor = actor);
    }
    words(&mut add);
    for pipeline in &catalogue.pipelines.pipelines {
        for stage in &pipeline.stages {
            add(is("contact.current_stage", &stage.name), "contact.current_stage", &|r| {
                r.contact.current_pipeline = Some(pipeline.name.clone());
                r.contact.current_stage = Some(stage.name.clone());
            });
        }
    }
    all
}

fn words(add: &mut impl FnMut(String, &str, &dyn Fn(&mut Records))) {
    type Put = fn(&mut Records, &str);
    let lists: [(&str, &[&str], Put); 7] = [
        ("booking.urgency_level", URGENCY, |r, w| w.clone_into(&mut r.booking.urgency_level)),
        ("booking.referral_status", REFERRAL, |r, w| w.clone_into(&mut r.booking.referral_status)),
        ("contact.phone_status", PHONE_STATUS, |r, w| w.clone_into(&mut r.contact.phone_status)),
        ("contact.marketing_consent", CONSENT, |r, w| w.clone_into(&mut r.contact.marketing_consent)),
        ("contact.sms_consent", CONSENT, |r, w| w.clone_into(&mut r.contact.sms_consent)),
        ("contact.recall_consent", CONSENT, |r, w| w.clone_into(&mut r.contact.recall_consent)),
        ("message.intent", INTENT, |r, w| w.clone_into(&mut r.message.intent)),
    ];
    for (path, list, put) in lists {
        for word in list {
            add(is(path, word), path, &|r| put(r, word));
        }
    }
}

fn is(path: &str, word: &str) -> String {
    format!("`{path}` = {word}")
}

fn variant(name: &str, path: &str, records: &Records, is_bare: bool) -> Variant {
    Variant { name: name.to_owned(), path: path.to_owned(), facts: facts(records), now: NOW, is_bare }
}

fn facts(records: &Records) -> Facts {
    let booking = Arc::new(records.booking.clone());
    let contact = ContactFacts {
        contact: records.contact.clone(),
        touchpoints: records.touchpoint.iter().cloned().map(Arc::new).collect(),
        next_booking: records.next_booking.then(|| Arc::clone(&booking)),
        bookings: records.next_booking.then(|| Arc::clone(&booking)).into_iter().collect(),
        open_tasks: records.next_booking.then(|| Arc::new(records.task.clone())).into_iter().collect(),
    };
    Facts {
        event: EventFacts {
            id: "tried-out".to_owned(),
            event_type: String::new(),
            source: "staff".to_owned(),
            actor: records.actor,
            timestamp: NOW,
            occurred_at: records.occurred_at,
            depth: 0,
            data: records.data.clone(),
        },
        contact: Some(Arc::new(contact)),
        booking: Some(booking),
        message: Some(records.message.clone()),
        task: Some(Arc::new(records.task.clone())),
        timer: None,
        fired: Vec::new(),
        running: Vec::new(),
        asked: Asked::Listening,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "most fields of the records may be missing")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn everything() -> Records {
    Records {
        contact: contact(),
        booking: booking(),
        task: task(),
        touchpoint: Some(touchpoint()),
        next_booking: true,
        message: MessageFacts { body: "Yes".to_owned(), intent: "yes".to_owned(), channel: "sms".to_owned() },
        actor: Actor::Patient,
        occurred_at: Some(NOW - Millis::MINUTE),
        data: BTreeMap::from([("campaign".to_owned(), "spring".to_owned())]),
    }
}

fn contact() -> Contact {
    Contact {
        email: some("sam@example.com"),
        marketing_consent: "granted".to_owned(),
        sms_consent: "granted".to_owned(),
        recall_consent: "granted".to_owned(),
        opted_out_at: Some(NOW - Millis::days(2)),
        source: "google".to_owned(),
        first_source: some("google"),
        interest: some("a scan"),
        current_pipeline: some("lead"),
        current_stage: some("new_lead"),
        stage_entered_at: Some(NOW - Millis::hours(5)),
        warmness: 0,
        assigned_to: some("reception"),
        last_inbound_at: Some(NOW - Millis::days(1)),
        last_outbound_at: Some(NOW - Millis::days(1)),
        last_visit_at: Some(NOW - Millis::days(200)),
        recall_due_on: Some(NOW + Millis::days(10)),
        ..sample::contact("c-tried-out", "Sam Example", NOW - Millis::days(300))
    }
}

fn booking() -> Booking {
    let begins = NOW + Millis::days(3);
    Booking {
        service_name: some("MRI"),
        location: some("Bondi Junction"),
        resource_name: some("Room 2"),
        end_datetime: Some(begins + Millis::HOUR),
        payment_status: some("PAID"),
        patient_confirmed_at: Some(NOW - Millis::HOUR),
        ..sample::booking("b-tried-out", "c-tried-out", begins, NOW - Millis::days(20))
    }
}

fn task() -> Task {
    Task {
        id: "k-tried-out".to_owned(),
        task_type: "lead_call".to_owned(),
        title: "Call".to_owned(),
        contact_id: some("c-tried-out"),
        booking_id: None,
        status: TaskStatus::Todo,
        due_datetime: NOW,
        priority_score: 50,
        assigned_to: some("reception"),
        because: String::new(),
        run_id: None,
        dedupe_key: None,
        note: None,
        completed_at: None,
        outcome: Some(TaskOutcome::Spoke),
        completed_by: None,
        is_demo: false,
        version: 1,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn touchpoint() -> Touchpoint {
    Touchpoint {
        id: "t-tried-out".to_owned(),
        contact_id: "c-tried-out".to_owned(),
        timestamp: NOW - Millis::days(1),
        kind: "form".to_owned(),
        channel: some("google"),
        direction: "in".to_owned(),
        source: some("google"),
        medium: some("cpc"),
        campaign: some("spring"),
        event_id: None,
    }
}
