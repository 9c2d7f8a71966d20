//! `contact` and its touchpoints.

use super::booking::BookingRecord;
use super::task::TaskRecord;
use super::{Getter, Record, int, text, text_or_missing, time, time_or_missing};
use crate::domain::touchpoint::Touchpoint;
use crate::engine::facts::{BOOKINGS_MAX, ContactFacts, OPEN_TASKS_MAX, TOUCHPOINTS_MAX};
use chrono_tz::Tz;
use rhai::{Dynamic, Engine, ImmutableString};
use std::sync::Arc;

/// What stands for a first name that we do not know.
const FIRST_NAME_UNKNOWN: &str = "there";

#[derive(Clone)]
pub struct ContactRecord {
    pub facts: Arc<ContactFacts>,
    /// The clinic's zone, for bookings whose own zone is not understood.
    pub zone: Tz,
}

impl Record for ContactRecord {
    const NAME: &'static str = "contact";
    const FIELDS: &'static [(&'static str, Getter<Self>)] = &[
        ("id", |r| text(&r.facts.contact.id)),
        ("name", |r| text(&r.facts.contact.name)),
        ("first_name", |r| text(first_name(&r.facts.contact.first_name))),
        ("last_name", |r| text(&r.facts.contact.last_name)),
        ("phone", |r| text_or_missing(r.facts.contact.phone.as_deref())),
        ("phone_status", |r| text(&r.facts.contact.phone_status)),
        ("email", |r| text_or_missing(r.facts.contact.email.as_deref())),
        ("is_existing_patient", |r| r.facts.contact.is_existing_patient.into()),
        ("opted_out", |r| r.facts.contact.opted_out_at.is_some().into()),
        ("opted_out_at", |r| time_or_missing(r.facts.contact.opted_out_at)),
        ("marketing_consent", |r| text(&r.facts.contact.marketing_consent)),
        ("sms_consent", |r| text(&r.facts.contact.sms_consent)),
        ("recall_consent", |r| text(&r.facts.contact.recall_consent)),
        ("source", |r| text(&r.facts.contact.source)),
        ("first_source", |r| text_or_missing(r.facts.contact.first_source.as_deref())),
        ("interest", |r| text_or_missing(r.facts.contact.interest.as_deref())),
        ("current_pipeline", |r| text_or_missing(r.facts.contact.current_pipeline.as_deref())),
        ("current_stage", |r| text_or_missing(r.facts.contact.current_stage.as_deref())),
        ("stage_entered_at", |r| time_or_missing(r.facts.contact.stage_entered_at)),
        ("warmness", |r| int(r.facts.contact.warmness)),
        ("assigned_to", |r| text_or_missing(r.facts.contact.assigned_to.as_deref())),
        ("last_inbound_at", |r| time_or_missing(r.facts.contact.last_inbound_at)),
        ("last_outbound_at", |r| time_or_missing(r.facts.contact.last_outbound_at)),
        ("last_touch_at", |r| time_or_missing(r.facts.touchpoints.first().map(|t| t.timestamp))),
        ("last_visit_at", |r| time_or_missing(r.facts.contact.last_visit_at)),
        ("recall_due_on", |r| time_or_missing(r.facts.contact.recall_due_on)),
        ("no_shows", |r| int(r.facts.contact.no_shows)),
        ("next_booking", next_booking),
        ("touchpoints", touchpoints),
        ("bookings", bookings),
        ("open_tasks", open_tasks),
        ("tags", |r| r.facts.contact.tags.iter().map(|tag| text(tag)).collect::<rhai::Array>().into()),
        ("created_at", |r| time(r.facts.contact.created_at)),
    ];
}

fn first_name(name: &str) -> &str {
    let name = name.trim();
    if name.is_empty() { FIRST_NAME_UNKNOWN } else { name }
}

fn next_booking(record: &ContactRecord) -> Dynamic {
    record
        .facts
        .next_booking
        .as_ref()
        .map_or(Dynamic::UNIT, |booking| Dynamic::from(BookingRecord { booking: Arc::clone(booking), zone: record.zone }))
}

fn touchpoints(record: &ContactRecord) -> Dynamic {
    let count = record.facts.touchpoints.len().min(TOUCHPOINTS_MAX);
    let list: rhai::Array =
        (0..count).map(|index| Dynamic::from(TouchpointRecord { of: Arc::clone(&record.facts), index })).collect();
    list.into()
}

fn bookings(record: &ContactRecord) -> Dynamic {
    let live = record.facts.bookings.iter().take(BOOKINGS_MAX);
    let list: rhai::Array =
        live.map(|booking| Dynamic::from(BookingRecord { booking: Arc::clone(booking), zone: record.zone })).collect();
    list.into()
}

fn open_tasks(record: &ContactRecord) -> Dynamic {
    let open = record.facts.open_tasks.iter().take(OPEN_TASKS_MAX);
    let list: rhai::Array = open.map(|task| Dynamic::from(TaskRecord(Arc::clone(task)))).collect();
    list.into()
}

pub(super) fn register_functions(engine: &mut Engine) {
    engine.register_fn("open_tasks_of", |contact: &mut ContactRecord, kind: ImmutableString| {
        contact.facts.open_tasks.iter().filter(|task| task.task_type == kind.as_str()).count() as i64
    });
}

/// One touchpoint of a contact; shares the contact's facts.
#[derive(Clone)]
pub struct TouchpointRecord {
    pub of: Arc<ContactFacts>,
    pub index: usize,
}

impl TouchpointRecord {
    fn read(&self, get: impl Fn(&Touchpoint) -> Dynamic) -> Dynamic {
        self.of.touchpoints.get(self.index).map_or(Dynamic::UNIT, |touch| get(touch))
    }
}

impl Record for TouchpointRecord {
    const NAME: &'static str = "touchpoint";
    const FIELDS: &'static [(&'static str, Getter<Self>)] = &[
        ("kind", |r| r.read(|t| text(&t.kind))),
        ("at", |r| r.read(|t| time(t.timestamp))),
        ("channel", |r| r.read(|t| text_or_missing(t.channel.as_deref()))),
        ("direction", |r| r.read(|t| text(&t.direction))),
        ("source", |r| r.read(|t| text_or_missing(t.source.as_deref()))),
        ("medium", |r| r.read(|t| text_or_missing(t.medium.as_deref()))),
        ("campaign", |r| r.read(|t| text_or_missing(t.campaign.as_deref()))),
    ];
}
