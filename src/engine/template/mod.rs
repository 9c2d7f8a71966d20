//! Texts: Handlebars over an allow-listed set of fields, plain characters, counted parts.

pub mod costly;
pub mod guard;
pub mod segments;
mod transliterate;

pub use transliterate::{transliterate, transliterate_for};

use super::facts::Facts;
use super::ruleset::{Ruleset, Template};
use super::script::{ScriptError, View, for_people};
use crate::domain::sms::SmsCategory;
use crate::domain::time::Timestamp;
use handlebars::{Context, Handlebars};
use rhai::Dynamic;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Longest text, and the longest value of one field in it.
pub const BODY_CHARS_MAX: usize = 1_600;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedSms {
    pub body: String,
    /// `gsm7` or `ucs2`.
    pub encoding: &'static str,
    pub parts: i32,
    pub category: SmsCategory,
    /// May be sent outside quiet hours.
    pub immediate: bool,
    /// With the characters that were replaced on the way; `None` when none was.
    pub as_written: Option<String>,
}

/// Renders one template for the records of `facts`.
///
/// An error when the template is unknown or refused, reads a field that does not exist, or gives no text or too much of it.
pub fn render_sms(ruleset: &Ruleset, template_name: &str, facts: &Facts, now: Timestamp) -> Result<RenderedSms, ScriptError> {
    let view = View::of_facts(&ruleset.catalogue.clinic, facts, now);
    let rendered = catch_unwind(AssertUnwindSafe(|| render_view(ruleset, template_name, &view)));
    rendered.unwrap_or_else(|_| Err(unnamed_error(template_name, "the template failed unexpectedly")))
}

/// Records that a template speaks of without asking whether they are there, and that are not: `booking`.
#[must_use]
pub fn missing_records(ruleset: &Ruleset, template_name: &str, facts: &Facts, now: Timestamp) -> Vec<String> {
    let Some(Ok(reads)) = ruleset.host.templates.reads.get(template_name) else { return Vec::new() };
    let view = View::of_facts(&ruleset.catalogue.clinic, facts, now);
    let mut records: Vec<&str> = reads.iter().filter_map(|path| path.split_once('.')).map(|(record, _)| record).collect();
    records.sort_unstable();
    records.dedup();
    let is_asked = |record: &str| reads.iter().any(|path| path == record);
    let is_missing = |record: &str| view.read(record).is_some_and(|value| value.is_unit());
    records.into_iter().filter(|record| !is_asked(record) && is_missing(record)).map(str::to_owned).collect()
}

/// All templates of a ruleset, parsed and guarded once.
pub struct Shelf {
    registry: Handlebars<'static>,
    /// Paths that each template reads, or why it was refused.
    reads: BTreeMap<String, Result<Vec<String>, String>>,
}

impl Shelf {
    #[must_use]
    pub fn new(templates: &BTreeMap<String, Template>) -> Self {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(handlebars::no_escape);
        let mut reads = BTreeMap::new();
        for (name, template) in templates {
            let guarded = guard::parse(&template.source).map(|guarded| {
                registry.register_template(name, guarded.template);
                guarded.reads
            });
            reads.insert(name.clone(), guarded);
        }
        Self { registry, reads }
    }
}

pub(super) fn render_view(ruleset: &Ruleset, name: &str, view: &View) -> Result<RenderedSms, ScriptError> {
    let shelf = &ruleset.host.templates;
    let (Some(template), Some(reads)) = (ruleset.templates.get(name), shelf.reads.get(name)) else {
        return Err(unnamed_error(name, "there is no such template"));
    };
    let fail = |message: String| ScriptError::at(&template.file, 1, 1, message);
    let reads = reads.as_ref().map_err(|refused| fail(refused.clone()))?;
    let data = Context::from(collect(view, reads).map_err(fail)?);
    let text = shelf.registry.render_with_context(name, &data).map_err(|error| {
        ScriptError::at(&template.file, error.line_no.unwrap_or(1), error.column_no.unwrap_or(1), error.reason().to_string())
    })?;
    let written = text.trim();
    let body = transliterate_for(written, view.clinic.texts.plain_letters).into_owned();
    if body.is_empty() {
        return Err(fail("the text is empty".to_owned()));
    }
    if body.chars().nth(BODY_CHARS_MAX).is_some() {
        return Err(fail(format!("the text is longer than {BODY_CHARS_MAX} characters")));
    }
    let counted = segments::count(&body);
    Ok(RenderedSms {
        as_written: (body != written).then(|| written.to_owned()),
        body,
        encoding: counted.encoding,
        parts: counted.parts as i32,
        category: template.category,
        immediate: template.immediate,
    })
}

/// Only the fields that the template reads, nested as it names them.
fn collect(view: &View, reads: &[String]) -> Result<Value, String> {
    let mut data = Map::new();
    for path in reads {
        let value = view.read(path).ok_or_else(|| format!("there is no field {path}"))?;
        insert(&mut data, path, to_json(view, path, &value)?);
    }
    Ok(Value::Object(data))
}

/// Below a record that is asked for itself (`{{#if booking}}`) and missing nothing is added, so that it stays missing.
fn insert(data: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            data.entry(path).or_insert(value);
        }
        Some((record, rest)) => {
            let inner = data.entry(record).or_insert_with(|| Value::Object(Map::new()));
            if inner.as_bool() == Some(true) {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

fn to_json(view: &View, path: &str, value: &Dynamic) -> Result<Value, String> {
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(yes) = value.as_bool() {
        return Ok(Value::Bool(yes));
    }
    if let Ok(number) = value.as_int() {
        return Ok(Value::from(number));
    }
    // A record (`{{#if booking}}`) is simply there.
    let text = for_people(&view.clinic.calendar, value);
    let Some(text) = text else { return Ok(Value::Bool(true)) };
    if text.chars().nth(BODY_CHARS_MAX).is_some() {
        return Err(format!("{path} is longer than {BODY_CHARS_MAX} characters"));
    }
    Ok(Value::String(text))
}

fn unnamed_error(name: &str, message: &str) -> ScriptError {
    ScriptError::at(&Arc::from(format!("sms_templates/{name}.hbs")), 1, 1, message)
}
