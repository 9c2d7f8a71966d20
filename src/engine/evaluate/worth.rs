//! What the values of a step come to: literals as they are, expressions evaluated and held to their type.

use super::{Bench, Stop};
use crate::domain::time::Timestamp;
use crate::engine::plan::FieldValue;
use crate::engine::ruleset::{Expr, Text, TextPart, Value};
use crate::engine::script::{ScriptError, for_people, shorten};
use chrono::NaiveDateTime;
use rhai::{Dynamic, Scope};
use std::sync::Arc;

/// The step whose values are wanted.
pub(super) struct Worth<'a> {
    pub bench: &'a Bench<'a>,
    pub file: &'a Arc<str>,
    pub line: usize,
    pub path: &'a str,
}

impl Worth<'_> {
    /// Like [`Worth::text`], on one line whatever the merge fields bring along.
    pub(super) fn line(&self, key: &str, text: &Text, chars_max: usize, scope: &mut Scope<'static>) -> Result<String, Stop> {
        let filled = self.fill(key, text, scope)?;
        Ok(shorten(&filled.split_whitespace().collect::<Vec<_>>().join(" "), chars_max))
    }

    /// Text with its merge fields filled in, cut to `chars_max`.
    pub(super) fn text(&self, key: &str, text: &Text, chars_max: usize, scope: &mut Scope<'static>) -> Result<String, Stop> {
        Ok(shorten(self.fill(key, text, scope)?.trim(), chars_max))
    }

    fn fill(&self, key: &str, text: &Text, scope: &mut Scope<'static>) -> Result<String, Stop> {
        let mut filled = String::new();
        for part in &text.parts {
            match part {
                TextPart::Literal(literal) => filled.push_str(literal),
                TextPart::Merge(expr) => {
                    let value = self.eval(key, expr, scope)?;
                    let shown = for_people(&self.bench.view.clinic.calendar, &value);
                    filled.push_str(&shown.ok_or_else(|| self.wrong_type(key, expr, "text", &value, scope))?);
                }
            }
        }
        Ok(filled)
    }

    /// An instant. Nothing means the end of the clinic's day; text is a wall-clock time at the clinic.
    pub(super) fn due(&self, key: &str, value: &Value, scope: &mut Scope<'static>) -> Result<Timestamp, Stop> {
        let calendar = &self.bench.view.clinic.calendar;
        match value {
            Value::Nothing => Ok(calendar.end_of_day(self.bench.view.now)),
            Value::Text(text) => NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M")
                .map(|local| calendar.instant(local))
                .ok()
                .or_else(|| Timestamp::parse_rfc3339(text))
                .ok_or_else(|| self.error(key, "this is not a time")),
            Value::Expr(expr) => {
                let value = self.eval(key, expr, scope)?;
                let time = value.read_lock::<Timestamp>().map(|at| *at);
                time.ok_or_else(|| self.wrong_type(key, expr, "a time", &value, scope))
            }
            Value::Bool(_) | Value::Int(_) => Err(self.error(key, "this is not a time")),
        }
    }

    /// A whole number; `default` when nothing is given.
    pub(super) fn int(&self, key: &str, value: &Value, default: i64, scope: &mut Scope<'static>) -> Result<i64, Stop> {
        match value {
            Value::Nothing => Ok(default),
            Value::Int(number) => Ok(*number),
            Value::Expr(expr) => {
                let value = self.eval(key, expr, scope)?;
                value.as_int().map_err(|_| self.wrong_type(key, expr, "a whole number", &value, scope))
            }
            Value::Bool(_) | Value::Text(_) => Err(self.error(key, "this is not a whole number")),
        }
    }

    /// The new value of a field.
    pub(super) fn field_value(&self, field: &str, value: &Value, scope: &mut Scope<'static>) -> Result<FieldValue, Stop> {
        Ok(match value {
            Value::Nothing => FieldValue::Nothing,
            Value::Bool(yes) => FieldValue::Bool(*yes),
            Value::Int(number) => FieldValue::Int(*number),
            Value::Text(text) => FieldValue::Text(text.clone()),
            Value::Expr(expr) => {
                let value = self.eval(field, expr, scope)?;
                to_field_value(&value).ok_or_else(|| self.wrong_type(field, expr, "a plain value", &value, scope))?
            }
        })
    }

    /// An error about a value that is not an expression.
    pub(super) fn error(&self, key: &str, message: &str) -> Stop {
        let error = ScriptError::at(self.file, self.line, 1, message);
        self.bench.failed(self.path(key), &error, None, &Scope::new())
    }

    pub(super) fn eval(&self, key: &str, expr: &Expr, scope: &mut Scope<'static>) -> Result<Dynamic, Stop> {
        let value = self.bench.ruleset.host.eval(expr, scope);
        value.map_err(|error| self.bench.failed(self.path(key), &error, Some(expr), scope))
    }

    fn wrong_type(&self, key: &str, expr: &Expr, wanted: &str, value: &Dynamic, scope: &Scope<'static>) -> Stop {
        let got = self.bench.ruleset.host.type_name(value);
        let error = ScriptError::in_expr(expr, format!("this must be {wanted}, it is {got}"));
        self.bench.failed(self.path(key), &error, Some(expr), scope)
    }

    fn path(&self, key: &str) -> String {
        format!("{}/{key}", self.path)
    }
}

pub(super) fn to_field_value(value: &Dynamic) -> Option<FieldValue> {
    if value.is_unit() {
        return Some(FieldValue::Nothing);
    }
    if let Some(time) = value.read_lock::<Timestamp>() {
        return Some(FieldValue::Time { time: *time });
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Some(FieldValue::Text(text.to_string()));
    }
    value.as_bool().map(FieldValue::Bool).or_else(|_| value.as_int().map(FieldValue::Int)).ok()
}
