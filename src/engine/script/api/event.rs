//! `event`, its data and `message`.

use super::{Getter, Record, text, time, time_or_missing};
use crate::engine::facts::{EventFacts, MessageFacts};
use rhai::{Dynamic, Engine, ImmutableString};
use std::sync::Arc;

#[derive(Clone)]
pub struct EventRecord(pub Arc<EventFacts>);

impl Record for EventRecord {
    const NAME: &'static str = "event";
    const FIELDS: &'static [(&'static str, Getter<Self>)] = &[
        ("id", |r| text(&r.0.id)),
        ("event_type", |r| text(&r.0.event_type)),
        ("source", |r| text(&r.0.source)),
        ("actor", |r| text(r.0.actor.as_str())),
        ("timestamp", |r| time(r.0.timestamp)),
        ("occurred_at", |r| time_or_missing(r.0.occurred_at)),
        ("data", |r| Dynamic::from(DataRecord(Arc::clone(&r.0)))),
    ];
}

#[derive(Clone)]
pub struct MessageRecord(pub Arc<MessageFacts>);

impl Record for MessageRecord {
    const NAME: &'static str = "message";
    const FIELDS: &'static [(&'static str, Getter<Self>)] =
        &[("body", |r| text(&r.0.body)), ("intent", |r| text(&r.0.intent)), ("channel", |r| text(&r.0.channel))];
}

/// `event.data`: text under free names; a name that is not there is missing.
#[derive(Clone)]
pub struct DataRecord(pub Arc<EventFacts>);

impl DataRecord {
    fn entry(&self, name: &str) -> Dynamic {
        self.0.data.get(name).map_or(Dynamic::UNIT, |value| text(value))
    }
}

pub(super) fn register_data(engine: &mut Engine) {
    engine.register_type_with_name::<DataRecord>("data");
    engine.register_indexer_get(|data: &mut DataRecord, name: ImmutableString| data.entry(&name));
}

pub(super) fn read_data(value: &Dynamic, name: &str) -> Option<Dynamic> {
    value.read_lock::<DataRecord>().map(|data| data.entry(name))
}
