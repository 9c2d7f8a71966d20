//! Reading and checking the file: every problem at once, each with its place and what to do.

use super::{BODY_BYTES_MAX_LIMIT, FIELDS, FILE_BYTES_MAX, Provider, SchemeSpec, SourceSpec, Sources};
use crate::domain::event::{Actor, KNOWN_EVENTS, QUARANTINED, SCHEDULE_DUE, SMS_RECEIPT, TIMER_DUE};
use crate::inbound::fields::Pointer;
use crate::inbound::verify::template;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// One thing wrong with `config/webhooks.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `sources.NAME.field`
    pub path: String,
    /// From 1; the source's line, or the syntax error's.
    pub line: Option<usize>,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("config/webhooks.yaml")?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Names that events of other origin carry as their source.
const RESERVED_NAMES: &[&str] = &["timer", "schedule", "rule", "staff", "clicksend", "messagemedia", "builtin"];
/// Events that only the program itself makes.
const RESERVED_EVENTS: &[&str] = &[SMS_RECEIPT, TIMER_DUE, SCHEDULE_DUE, QUARANTINED];
const NAME_BYTES_MAX: usize = 64;
const SOURCES_MAX: usize = 100;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    sources: Option<BTreeMap<String, serde_yaml::Value>>,
}

/// Reads the declared sources, one by one, so that a mistake in one does not hide those in the others.
pub(super) fn read(text: &str) -> Result<BTreeMap<String, SourceSpec>, Vec<Problem>> {
    if text.len() > FILE_BYTES_MAX {
        return Err(vec![at_top(None, format!("the file is larger than {FILE_BYTES_MAX} bytes"))]);
    }
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(BTreeMap::new());
    }
    let file: File = serde_yaml::from_str(text).map_err(|e| vec![at_top(e.location().map(|l| l.line()), e.to_string())])?;
    let mut specs = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, value) in file.sources.unwrap_or_default() {
        match serde_yaml::from_value::<SourceSpec>(value) {
            Ok(spec) => {
                specs.insert(name, spec);
            }
            Err(error) => {
                let (path, line) = (format!("sources.{name}"), line_of(text, &name));
                problems.push(Problem { path, line, message: error.to_string() });
            }
        }
    }
    if problems.is_empty() { Ok(specs) } else { Err(problems) }
}

fn at_top(line: Option<usize>, message: String) -> Problem {
    Problem { path: String::new(), line, message }
}

/// The line where a source begins.
fn line_of(text: &str, name: &str) -> Option<usize> {
    let opens = |line: &str| {
        let line = line.trim_start();
        let bare = line.strip_prefix(['"', '\'']).unwrap_or(line);
        bare.strip_prefix(name).is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with(':'))
    };
    text.lines().position(|line| line.starts_with([' ', '\t']) && opens(line)).map(|index| index + 1)
}

pub(super) fn problems(sources: &Sources, text: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    if sources.0.len() > SOURCES_MAX {
        found.push(at_top(None, format!("there are more than {SOURCES_MAX} sources")));
    }
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, spec) in &sources.0 {
        let line = line_of(text, name);
        let mut report = |field: &str, message: String| {
            let path = if field.is_empty() { format!("sources.{name}") } else { format!("sources.{name}.{field}") };
            found.push(Problem { path, line, message });
        };
        check_name(name, &mut report);
        check_limits(spec, &mut report);
        check_verify(spec, &mut report);
        check_mapping(spec, &mut report);
        for path in std::iter::once(name).chain(spec.paths.iter().flatten()) {
            if let Some(other) = taken.insert(path, name) {
                report("paths", format!("`{path}` already belongs to `{other}`"));
            }
        }
    }
    found
}

fn check_name(name: &str, report: &mut impl FnMut(&str, String)) {
    if !is_name(name) {
        report("", "a source's name is a lower-case letter, then lower-case letters, digits and _, at most 64 in all".to_owned());
    }
    if RESERVED_NAMES.contains(&name) {
        report("", format!("the name is reserved; others: {}", RESERVED_NAMES.join(", ")));
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn check_limits(spec: &SourceSpec, report: &mut impl FnMut(&str, String)) {
    if let Some(bytes) = spec.body_bytes_max
        && !(1..=BODY_BYTES_MAX_LIMIT).contains(&bytes)
    {
        report("body_bytes_max", format!("must be 1 to {BODY_BYTES_MAX_LIMIT}"));
    }
    if let Some(seconds) = spec.tolerance_s
        && !(1..=3_600).contains(&seconds)
    {
        report("tolerance_s", "must be 1 to 3600".to_owned());
    }
    for content_type in spec.content_types.iter().flatten() {
        if !content_type.contains('/') || content_type.contains([';', ' ']) {
            report("content_types", format!("`{content_type}` is no content type such as application/json"));
        }
    }
    for path in spec.paths.iter().flatten() {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
        if path.is_empty() || path.starts_with('/') || path.ends_with('/') || !path.chars().all(legal) {
            report("paths", format!("`{path}` must be segments such as partner/orders, without a slash at either end"));
        }
    }
}

fn check_verify(spec: &SourceSpec, report: &mut impl FnMut(&str, String)) {
    if spec.schemes().is_empty() {
        report("verify", "at least one scheme is needed: unsigned requests are never accepted".to_owned());
    }
    for (index, scheme) in spec.schemes().iter().enumerate() {
        let field = format!("verify[{index}]");
        let name = scheme.secret_env();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
            report(
                &field,
                "`secret_env` must be the NAME of an environment variable, such as PARTNER_SECRET, never the secret itself"
                    .to_owned(),
            );
        }
        if let SchemeSpec::Hmac { header, signed_content, timestamp_header, .. } = scheme {
            check_header(header, &field, report);
            if let Err(message) = template::Template::parse(signed_content, timestamp_header.is_some()) {
                report(&field, message);
            }
        }
        if let SchemeSpec::HeaderToken { header, .. } = scheme {
            check_header(header, &field, report);
        }
        if let SchemeSpec::MessagemediaRsa { public_path: Some(path), .. } = scheme
            && !path.starts_with('/')
        {
            report(&field, format!("`public_path: {path}` must begin with /"));
        }
    }
}

fn check_header(header: &str, field: &str, report: &mut impl FnMut(&str, String)) {
    if header.is_empty() || !header.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        report(field, format!("`{header}` is no header name"));
    }
}

fn check_mapping(spec: &SourceSpec, report: &mut impl FnMut(&str, String)) {
    let lists = [("id", &spec.id), ("event_path", &spec.event_path), ("occurred_at", &spec.occurred_at)];
    for (field, paths) in lists {
        check_pointers(field, paths.as_deref().unwrap_or_default(), report);
    }
    for (field, paths) in spec.fields.iter().flatten() {
        if !FIELDS.contains(&field.as_str()) {
            let near = FIELDS.iter().max_by(|a, b| strsim::jaro_winkler(a, field).total_cmp(&strsim::jaro_winkler(b, field)));
            report("fields", format!("there is no field `{field}`; did you mean `{}`?", near.unwrap_or(&"contact.phone")));
        }
        check_pointers(&format!("fields.{field}"), paths, report);
    }
    for (name, paths) in spec.data.iter().flatten() {
        if !is_name(name) {
            report("data", format!("`{name}` must be lower-case letters, digits and _"));
        }
        check_pointers(&format!("data.{name}"), paths, report);
    }
    if let Some(actor) = &spec.actor
        && Actor::parse(actor).is_none()
    {
        report("actor", format!("`{actor}` is none of patient, staff, system, provider"));
    }
    check_events(spec, report);
}

fn check_events(spec: &SourceSpec, report: &mut impl FnMut(&str, String)) {
    for name in spec.events.iter().flatten() {
        if !is_name(name) || RESERVED_EVENTS.contains(&name.as_str()) {
            report("events", format!("`{name}` cannot be the name of an event"));
        }
    }
    if spec.provider.unwrap_or_default() != Provider::Generic {
        return;
    }
    if spec.event.is_none() && spec.event_path.is_none() {
        report("", "say which event this is: `event: NAME`, or `event_path:` to where its name is".to_owned());
    }
    let named = spec.event.iter().chain(spec.event_map.iter().flat_map(BTreeMap::values));
    for name in named {
        let declared = spec.events.iter().flatten().any(|e| e == name);
        if !declared && !KNOWN_EVENTS.contains(&name.as_str()) {
            report("event", format!("`{name}` is no known event; list it under `events:` if it is new"));
        }
    }
}

fn check_pointers(field: &str, paths: &[String], report: &mut impl FnMut(&str, String)) {
    for path in paths {
        if Pointer::parse(path).is_none() {
            report(field, format!("`{path}` is no JSON pointer such as /customer/phone"));
        }
    }
}
