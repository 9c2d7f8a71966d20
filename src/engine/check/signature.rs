//! The typed signature above a script's function: `/// name(contact: contact, now: time) -> int`.

use super::ty::{Ty, UNKNOWN, parse_type};

pub(super) struct Signature {
    pub name: String,
    pub params: Vec<(String, Ty)>,
    pub result: Ty,
}

/// A function's head in the text of a script.
pub(super) struct Found {
    pub name: String,
    pub line: usize,
    pub column: usize,
    /// `None` when there is no doc comment; an error says what is wrong with it.
    pub signature: Option<Result<Signature, String>>,
}

impl Signature {
    /// Says nothing about types.
    pub fn unknown(params: &[&str]) -> Self {
        Self { name: String::new(), params: params.iter().map(|p| ((*p).to_owned(), UNKNOWN)).collect(), result: UNKNOWN }
    }

    pub fn head(&self) -> String {
        let params: Vec<&str> = self.params.iter().map(|(name, _)| name.as_str()).collect();
        head(&self.name, &params)
    }
}

pub(super) fn head(name: &str, params: &[&str]) -> String {
    format!("{name}({})", params.join(", "))
}

/// How a function's signature could look.
pub(super) fn example(name: &str, params: &[&str]) -> String {
    let typed: Vec<String> = params.iter().map(|p| format!("{p}: {}", likely_type(p))).collect();
    format!("/// {name}({}) -> int", typed.join(", "))
}

fn likely_type(param: &str) -> &str {
    match param {
        "contact" | "booking" | "task" | "message" | "event" | "touchpoint" => param,
        "now" => "time",
        _ => "string",
    }
}

/// Every function of a script, with the first line of its doc comment.
pub(super) fn find_all(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut doc: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if let Some(comment) = trimmed.strip_prefix("///") {
            doc = doc.or(Some(comment));
            continue;
        }
        let code = trimmed.strip_prefix("private ").map_or(trimmed, str::trim_start);
        if let Some(rest) = code.strip_prefix("fn ") {
            let name: String = rest.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let before = line.len() - rest.trim_start().len();
            let column = line.get(..before).unwrap_or("").chars().count() + 1;
            found.push(Found { name, line: index + 1, column, signature: doc.take().map(parse) });
        }
        doc = None;
    }
    found
}

fn parse(line: &str) -> Result<Signature, String> {
    let wrong = || format!("`{}` is not a signature", line.trim());
    let (head, result) = line.trim().rsplit_once("->").ok_or_else(wrong)?;
    let (name, params) = head.trim().strip_suffix(')').and_then(|h| h.split_once('(')).ok_or_else(wrong)?;
    let params = params.split(',').map(str::trim).filter(|p| !p.is_empty());
    let params = params.map(parse_param).collect::<Result<Vec<_>, String>>()?;
    Ok(Signature { name: name.trim().to_owned(), params, result: parse_known(result.trim())? })
}

fn parse_param(text: &str) -> Result<(String, Ty), String> {
    let (name, ty) = text.split_once(':').ok_or_else(|| format!("`{text}` in the signature has no type"))?;
    Ok((name.trim().to_owned(), parse_known(ty.trim())?))
}

fn parse_known(text: &str) -> Result<Ty, String> {
    parse_type(text).ok_or_else(|| {
        format!(
            "`{text}` is not a type; types are int, float, bool, string, time, duration, records, `booking?`, `[touchpoint]` and `[step]`"
        )
    })
}
