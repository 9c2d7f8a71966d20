//! What expressions and scripts can use: one file for each record or type. Everything is read-only and pure.

pub mod booking;
pub mod clinic;
pub mod contact;
pub mod duration;
pub mod event;
pub mod list;
pub mod math;
pub mod task;
pub mod text;
pub mod time;

use crate::domain::clinic::Clinic;
use crate::engine::grammar::STRING_BYTES_MAX;
use rhai::{Dynamic, Engine, ImmutableString, Variant};
use std::sync::Arc;

/// Reads one field.
pub type Getter<T> = fn(&T) -> Dynamic;

/// A record that rules can read: its name in the schema and one getter for each field of it.
pub trait Record: Variant + Clone {
    const NAME: &'static str;
    const FIELDS: &'static [(&'static str, Getter<Self>)];

    /// `None` for a field that the record does not have.
    fn field(&self, name: &str) -> Option<Dynamic> {
        Self::FIELDS.iter().find(|(field, _)| *field == name).map(|(_, get)| get(self))
    }
}

/// Registers every record and function.
pub fn register(engine: &mut Engine, clinic: &Arc<Clinic>) {
    register_record::<contact::ContactRecord>(engine);
    register_record::<contact::TouchpointRecord>(engine);
    register_record::<booking::BookingRecord>(engine);
    register_record::<event::EventRecord>(engine);
    register_record::<event::MessageRecord>(engine);
    register_record::<task::TaskRecord>(engine);
    register_record::<clinic::ClinicRecord>(engine);
    event::register_data(engine);
    contact::register_functions(engine);
    time::register(engine, clinic);
    duration::register(engine);
    math::register(engine);
    text::register(engine);
    list::register(engine);
}

fn register_record<T: Record>(engine: &mut Engine) {
    engine.register_type_with_name::<T>(T::NAME);
    for (name, get) in T::FIELDS {
        engine.register_get(*name, |record: &mut T| get(record));
    }
}

/// One field of any record; `None` when `value` is not a record or has no such field.
pub fn read_field(value: &Dynamic, name: &str) -> Option<Dynamic> {
    fn read<T: Record>(value: &Dynamic, name: &str) -> Option<Dynamic> {
        value.read_lock::<T>().and_then(|record| record.field(name))
    }
    read::<contact::ContactRecord>(value, name)
        .or_else(|| read::<booking::BookingRecord>(value, name))
        .or_else(|| read::<event::EventRecord>(value, name))
        .or_else(|| read::<event::MessageRecord>(value, name))
        .or_else(|| read::<task::TaskRecord>(value, name))
        .or_else(|| read::<contact::TouchpointRecord>(value, name))
        .or_else(|| read::<clinic::ClinicRecord>(value, name))
        .or_else(|| event::read_data(value, name))
}

/// Text longer than scripts may hold (a pasted essay, a whole document in a webhook's field) is cut, not an error: the rule
/// should still see how it begins.
fn text(value: &str) -> Dynamic {
    ImmutableString::from(&value[..value.floor_char_boundary(STRING_BYTES_MAX)]).into()
}

/// Empty text counts as missing, so that `x == ()` means what a reader expects.
fn text_or_missing(value: Option<&str>) -> Dynamic {
    value.filter(|text| !text.is_empty()).map_or(Dynamic::UNIT, text)
}

fn int(value: i32) -> Dynamic {
    i64::from(value).into()
}

fn time(value: crate::domain::time::Timestamp) -> Dynamic {
    Dynamic::from(value)
}

fn time_or_missing(value: Option<crate::domain::time::Timestamp>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Dynamic::from)
}
