//! How many parts a text takes, with fields filled in as they typically are.

use crate::engine::diagnostic::names;
use crate::engine::ruleset::Catalogue;
use crate::engine::schema::{Type, find_record};
use crate::engine::source::{Place, Problems, SourceFile};
use crate::engine::template::{segments, transliterate_for};
use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use handlebars::{Path, PathSeg};

/// A field, what it typically is, and the longest it plausibly is.
const STAND_INS: &[(&str, &str, &str)] = &[
    ("contact.first_name", "Charlotte", LONG_NAME),
    ("contact.last_name", "Papadopoulos", "Papadimitropoulos-Featherstone"),
    ("contact.name", "Charlotte Papadopoulos", "Christopher-Jonathan Papadimitropoulos-Featherstone"),
    ("contact.phone", "+61491570006", "+61491570006"),
    ("contact.email", "charlotte.p@example.com", "christopher-jonathan.papadimitropoulos@mail.example.com.au"),
    ("booking.date", "Wed 31 Dec", "Wed 31 Dec"),
    ("booking.time", "10:30 am", "12:30 pm"),
    ("booking.day", "Thursday", "Wednesday"),
    ("booking.location", "Bondi Junction", "Level 3, Bondi Junction Medical Centre"),
    ("booking.service_name", "MRI left knee", "CT abdomen and pelvis with oral contrast"),
    (
        "message.body",
        "Can I come at three instead?",
        "Hello, I would like to know if I could bring my appointment forward, and what I should bring.",
    ),
];
/// The longest given name that is planned for.
const LONG_NAME: &str = "Christopher-Jonathan";
const TYPICAL_TEXT: &str = "about so long";
const LONGEST_TEXT: &str = "a text of the length of a long name here";
const A_TIME: &str = "Wed 31 Dec 10:30 am";

/// A letter that the SMS alphabet lacks, as in Nguyễn.
const RARE_LETTER: char = 'ễ';

/// Parts that a text takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    pub typical: segments::Segments,
    /// With long names.
    pub worst: segments::Segments,
    /// With long names of which one has a letter outside the SMS alphabet.
    pub rare: segments::Segments,
}

/// Fills the template in as it typically is, and as it is at worst. `None` when it is no template.
#[must_use]
pub fn estimate(source: &str, catalogue: &Catalogue) -> Option<Estimate> {
    Some(estimate_parsed(&Template::compile(source).ok()?, catalogue))
}

fn estimate_parsed(template: &Template, catalogue: &Catalogue) -> Estimate {
    let plain_letters = catalogue.clinic.texts.plain_letters;
    let filled = |worst| fill(template, &Filling { catalogue, worst });
    let count = |text: &str| segments::count(&transliterate_for(text.trim(), plain_letters));
    let (typical, worst) = (filled(false), filled(true));
    // Of a long name one letter is exchanged.
    let rare = worst.replacen(LONG_NAME, &format!("{RARE_LETTER}{}", LONG_NAME.get(1..).unwrap_or("")), 1);
    Estimate { typical: count(&typical), worst: count(&worst), rare: count(&rare) }
}

/// Warns when the text takes more parts than its header allows, for a typical contact or for one with long names.
pub(super) fn check(file: &SourceFile, template: &Template, parts_max: usize, catalogue: &Catalogue, problems: &mut Problems) {
    let Estimate { typical, worst, .. } = estimate_parsed(template, catalogue);
    if worst.parts.max(typical.parts) <= parts_max {
        return;
    }
    let message = format!(
        "this text takes {} part{} for a typical contact ({} characters), {} at worst",
        typical.parts,
        if typical.parts == 1 { "" } else { "s" },
        typical.units,
        worst.parts
    );
    let one = if typical.encoding == "gsm7" {
        "one part has 160 characters"
    } else {
        "one part has 70 characters because of a character outside the SMS alphabet"
    };
    let help = format!("{one}: shorten it, or write `parts: {}` into the first line", worst.parts.max(typical.parts));
    problems.warning(names::PARTS, &file.path, body_place(file), message, Some(help));
}

/// The first line of the text itself.
fn body_place(file: &SourceFile) -> Place {
    let body = |(_, line): &(usize, &str)| !line.trim().is_empty() && !line.trim_start().starts_with("{{!");
    let (index, line) = file.text.lines().enumerate().find(body).unwrap_or((0, ""));
    Place { line: index + 1, column: 1, width: line.chars().count().max(1) }
}

struct Filling<'a> {
    catalogue: &'a Catalogue,
    worst: bool,
}

/// The text with every field filled in; of two branches the longer one.
fn fill(template: &Template, with: &Filling<'_>) -> String {
    let mut text = String::new();
    for element in &template.elements {
        match element {
            TemplateElement::RawString(raw) => text.push_str(raw),
            TemplateElement::Expression(field) | TemplateElement::HtmlExpression(field) => text.push_str(&shown(field, with)),
            TemplateElement::HelperBlock(block) => text.push_str(&longer(block, with)),
            _ => {}
        }
    }
    text
}

fn longer(block: &HelperTemplate, with: &Filling<'_>) -> String {
    let branch = |inner: &Option<Template>| inner.as_ref().map(|t| fill(t, with)).unwrap_or_default();
    let (yes, no) = (branch(&block.template), branch(&block.inverse));
    if segments::count(&yes).units >= segments::count(&no).units { yes } else { no }
}

fn shown(field: &HelperTemplate, with: &Filling<'_>) -> String {
    let path = match &field.name {
        Parameter::Name(name) => name.clone(),
        Parameter::Path(Path::Relative((segments, raw))) if segments.iter().all(|s| matches!(s, PathSeg::Named(_))) => {
            raw.clone()
        }
        _ => return String::new(),
    };
    let clinic = &with.catalogue.clinic;
    match path.as_str() {
        "clinic.name" => return clinic.name.clone(),
        "clinic.phone" => return clinic.phone.clone(),
        _ => {}
    }
    let tail = path.strip_prefix("contact.next_").unwrap_or(&path);
    if let Some((_, typical, worst)) = STAND_INS.iter().find(|(name, ..)| *name == tail) {
        return (if with.worst { *worst } else { *typical }).to_owned();
    }
    by_type(tail, with.worst)
}

fn by_type(path: &str, worst: bool) -> String {
    let ty = path.split_once('.').and_then(|(record, field)| Some(find_record(record)?.find_field(field)?.ty));
    match ty {
        Some(Type::Bool) => "false".to_owned(),
        Some(Type::Int) => "100".to_owned(),
        Some(Type::Time) => A_TIME.to_owned(),
        Some(Type::Enum(words)) => words.iter().max_by_key(|w| w.len()).map_or_else(String::new, |w| (*w).to_owned()),
        _ if worst => LONGEST_TEXT.to_owned(),
        _ => TYPICAL_TEXT.to_owned(),
    }
}
