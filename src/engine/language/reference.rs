//! The tables of the manual, in Markdown.

use super::shapes::type_name;
use super::{find, keys_of};
use crate::engine::functions::{FUNCTIONS, PROPERTIES};
use crate::engine::schema::{Field, RECORDS, Record, Type};
use crate::engine::syntax::{Keys, MAPS};

/// All keys, fields, functions and properties.
#[must_use]
pub fn reference() -> String {
    let mut blocks: Vec<String> = vec!["### Keys".to_owned()];
    // `a trigger` is only for messages: each kind has its own table.
    blocks.extend(MAPS.iter().filter(|m| m.what != "a trigger").map(|m| keys(m)));
    blocks.push("### Records".to_owned());
    blocks.push("`set` means that a rule may set the field, `?` that it may be missing.".to_owned());
    blocks.extend(RECORDS.iter().map(record));
    blocks.push("### Functions".to_owned());
    blocks.push("`x.f(y)` is the same as `f(x, y)`.".to_owned());
    blocks.push(functions());
    blocks.push("### Properties of plain values".to_owned());
    blocks.push(properties());
    blocks.join("\n\n") + "\n"
}

fn keys(map: &Keys) -> String {
    let needed = find(map.what).map_or(&[][..], |t| t.needed);
    let row = |key: &&super::Key| {
        let must = if needed.contains(&key.name) { " (needed)" } else { "" };
        [format!("`{}`{must}", key.name), key.shape.describe(), key.about.to_owned()]
    };
    let rows: Vec<[String; 3]> = keys_of(map).iter().map(row).collect();
    format!("#### {}\n\n{}", capital(map.what), table(["key", "value", "meaning"], &rows))
}

fn record(record: &Record) -> String {
    let row = |field: &Field| {
        let maybe = if field.optional { "?" } else { "" };
        let set = if field.settable { ", set" } else { "" };
        let about = match field.ty {
            Type::Enum(words) => format!("{}: {}", field.about, words.join(", ")),
            _ => field.about.to_owned(),
        };
        [format!("`{}`", field.name), format!("{}{maybe}{set}", type_name(field.ty)), about]
    };
    let rows: Vec<[String; 3]> = record.fields.iter().map(row).collect();
    format!("#### `{}`\n\n{}", record.name, table(["field", "type", "meaning"], &rows))
}

fn functions() -> String {
    let row = |f: &crate::engine::functions::Signature| {
        let params: Vec<String> = f.params.iter().map(|ty| type_name(*ty)).collect();
        [format!("`{}({})`", f.name, params.join(", ")), type_name(f.result), f.about.to_owned()]
    };
    table(["function", "gives", "meaning"], &FUNCTIONS.iter().map(row).collect::<Vec<_>>())
}

fn properties() -> String {
    let row = |p: &crate::engine::functions::Property| {
        [format!("`{}.{}`", type_name(p.of), p.name), type_name(p.result), p.about.to_owned()]
    };
    table(["property", "gives", "meaning"], &PROPERTIES.iter().map(row).collect::<Vec<_>>())
}

fn table(head: [&str; 3], rows: &[[String; 3]]) -> String {
    let line = |cells: [&str; 3]| format!("| {} |", cells.map(|c| c.replace('|', "\\|")).join(" | "));
    let mut lines = vec![line(head), "|---|---|---|".to_owned()];
    lines.extend(rows.iter().map(|[a, b, c]| line([a, b, c])));
    lines.join("\n")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}
