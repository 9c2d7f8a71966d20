//! An example for each type, made of what its fields are called.

use super::schemas::Schemas;
use serde_json::{Map, Value, json};

/// Types within types.
const DEPTH_MAX: usize = 6;

pub(super) fn example_of(schema: &Value, schemas: &Schemas) -> Value {
    make("", schema, schemas, DEPTH_MAX)
}

fn make(name: &str, schema: &Value, schemas: &Schemas, depth: usize) -> Value {
    let schema = schemas.resolve(schema);
    if let Some(own) = schema.get("example").or_else(|| schema.get("examples")?.get(0)) {
        return own.clone();
    }
    if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
        return first.clone();
    }
    if let Some(variant) = first_variant(schema) {
        return make(name, variant, schemas, depth);
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let made = parts.iter().map(|part| make(name, part, schemas, depth));
        return Value::Object(made.filter_map(|part| part.as_object().cloned()).flatten().collect());
    }
    match kind_of(schema) {
        "object" => object(schema, schemas, depth),
        "array" => match schema.get("items").filter(|_| depth > 0) {
            Some(items) => json!([make(name.trim_end_matches('s'), items, schemas, depth - 1)]),
            None => json!([]),
        },
        "integer" => number(name, schema),
        "number" => json!(0.5),
        "boolean" => json!(false),
        "string" if schema.get("format").is_some_and(|format| format == "date-time") => json!(TIME),
        "string" => of_name(name),
        _ => Value::Null,
    }
}

fn object(schema: &Value, schemas: &Schemas, depth: usize) -> Value {
    let mut fields = Map::new();
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if depth > 0 {
            fields.insert(name.clone(), make(name, property, schemas, depth - 1));
        }
    }
    Value::Object(fields)
}

/// What is there, rather than null.
fn first_variant(schema: &Value) -> Option<&Value> {
    let variants = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    variants.iter().find(|variant| variant.get("type").is_none_or(|kind| kind != "null")).or_else(|| variants.first())
}

fn kind_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null"),
        _ if schema.get("properties").is_some() => "object",
        _ => "",
    }
}

fn number(name: &str, schema: &Value) -> Value {
    let minimum = schema.get("minimum").and_then(Value::as_i64).unwrap_or(0);
    let wanted = match name {
        "total" | "version" | "line" | "column" | "parts" | "attempt" => 1,
        "warmness" | "priority_score" => 60,
        "max_attempts" => 25,
        _ => 0,
    };
    json!(wanted.max(minimum))
}

const ID: &str = "019ab2f0-6c1e-7c3a-9d7e-2b8f6a1c4e5d";
const TIME: &str = "2026-11-24T10:30:00+11:00";

/// A value as a field of that name has it.
pub(super) fn of_name(name: &str) -> Value {
    json!(match name {
        "id" => ID,
        "rule_id" | "rule" => "reminder-24h",
        "phone" | "to" | "from" | "sender" => "+61491570006",
        "email" => "ana@example.com",
        "name" => "Ana Lima",
        "first_name" => "Ana",
        "last_name" => "Lima",
        "timezone" | "zone" => "Australia/Sydney",
        "revision" | "before" | "against" => "r3",
        "status" => "confirmed",
        "file" | "path" => "rules/reminders.yaml",
        "start" | "day" | "date" => "2026-11-23",
        "queue" => "automation",
        "pipeline" | "current_pipeline" => "leads",
        "stage" | "current_stage" => "new",
        "template" => "reminder_24hr",
        "role" => "front_desk",
        "next_cursor" | "cursor" => "MTc2NDAwMDAwMDAwMH4wMTlhYjJmMA",
        "hash" => "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "title" => "Welcome call: Ana",
        "because" => "A booking was confirmed.",
        "body" | "text" => "Hi Ana, see you on Tuesday at 10:30.",
        "reason" | "message" | "note" => "Call leads earlier",
        "created_at" | "updated_at" | "at" | "since" | "until" => TIME,
        _ if name.ends_with("_id") => ID,
        _ if name.ends_with("_at") || name.ends_with("_datetime") => TIME,
        _ => "text",
    })
}
