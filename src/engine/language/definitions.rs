//! What scripts and expressions can use, as Rhai's definition files write it: editors complete and show it.

use super::shapes::type_name;
use crate::engine::functions::{FUNCTIONS, PROPERTIES};
use crate::engine::schema::{Field, RECORDS, Type};
use std::fmt::Write;

/// Operators on times and durations: the ones that Rhai does not have by itself.
const OPERATORS: &[(&str, &str, &str, &str)] = &[
    ("+", "time", "duration", "time"),
    ("-", "time", "duration", "time"),
    ("-", "time", "time", "duration"),
    ("+", "duration", "duration", "duration"),
    ("-", "duration", "duration", "duration"),
    ("*", "duration", "int", "duration"),
    ("/", "duration", "int", "duration"),
    ("<", "time", "time", "bool"),
    (">", "time", "time", "bool"),
    ("<", "duration", "duration", "bool"),
    (">", "duration", "duration", "bool"),
];

/// The text of `avatar.d.rhai`.
#[must_use]
pub fn definitions() -> String {
    let mut text = String::from("module static;\n");
    for record in RECORDS {
        section(&mut text, record.name);
        for field in record.fields {
            getter(&mut text, record.name, field);
        }
    }
    section(&mut text, "properties of plain values");
    for property in PROPERTIES {
        comment(&mut text, property.about);
        line(&mut text, &format!("fn get {}(_: {}) -> {};", property.name, type_name(property.of), type_name(property.result)));
    }
    section(&mut text, "functions");
    for function in FUNCTIONS {
        comment(&mut text, function.about);
        let params: Vec<String> = function.params.iter().map(|ty| format!("_: {}", type_name(*ty))).collect();
        line(&mut text, &format!("fn {}({}) -> {};", function.name, params.join(", "), type_name(function.result)));
    }
    section(&mut text, "operators");
    for (operator, left, right, result) in OPERATORS {
        line(&mut text, &format!("op {operator}({left}, {right}) -> {result};"));
    }
    text
}

fn getter(text: &mut String, record: &str, field: &Field) {
    comment(text, field.about);
    if let Type::Enum(words) = field.ty {
        comment(text, &format!("One of: {}", words.join(", ")));
    }
    if field.optional {
        comment(text, "May be missing: `()`");
    }
    line(text, &format!("fn get {}(_: {record}) -> {};", field.name, type_name(field.ty)));
}

fn section(text: &mut String, name: &str) {
    line(text, "");
    line(text, &format!("// {name}"));
}

fn comment(text: &mut String, about: &str) {
    line(text, &format!("/// {about}"));
}

fn line(text: &mut String, content: &str) {
    let written = writeln!(text, "{content}");
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}
