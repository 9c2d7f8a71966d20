//! What a text must not say, and what it must.

use super::template::TemplateRead;
use crate::domain::sms::SmsCategory;
use crate::engine::diagnostic::names;
use crate::engine::source::{Place, Problems, SourceFile};

/// Fields that tell a stranger who holds the phone why the patient comes.
const PRIVATE_FIELDS: &[&str] = &[
    "service_name",
    "resource_name",
    "interest",
    "urgency_level",
    "modality",
    "body_part",
    "examination",
    "result",
    "results",
    "findings",
    "diagnosis",
    "referrer",
    "referring_doctor",
    "practice",
    "preparation",
    "date_of_birth",
    "dob",
    "medicare",
];
/// Words of the literal text that tell it, in small letters.
const PRIVATE_WORDS: &[&str] = &[
    "mri",
    "ct",
    "x-ray",
    "xray",
    "ultrasound",
    "mammogram",
    "mammography",
    "dexa",
    "pet",
    "biopsy",
    "angiogram",
    "obstetric",
    "pregnancy",
    "cancer",
    "result",
    "results",
    "diagnosis",
    "findings",
];
/// Words by which a text says how to end texts, in small letters.
const OPT_OUT: &[&str] = &["opt out", "opt-out", "unsubscribe"];

pub(super) fn check(file: &SourceFile, reads: &[TemplateRead], problems: &mut Problems) {
    for read in reads {
        let Some(at) = read.shown else { continue };
        let field = read.path.rsplit('.').next().unwrap_or("");
        if PRIVATE_FIELDS.contains(&field) {
            let message = format!("`{}` must not stand in a text: others may read it", read.path);
            let help = "leave it out; when the patient has agreed, write `privacy: standard` into the first line";
            problems.error(names::PRIVATE, &file.path, at, message, Some(help.to_owned()));
        }
    }
}

/// Warns of words of the literal text; each once.
pub(super) fn check_words(file: &SourceFile, problems: &mut Problems) {
    let mut told: Vec<String> = Vec::new();
    for (line, text) in literal_lines(&file.text) {
        for (column, word) in words(&text) {
            let lower = word.to_lowercase();
            if !PRIVATE_WORDS.contains(&lower.as_str()) || told.contains(&lower) {
                continue;
            }
            told.push(lower);
            let message = format!("`{word}` tells whoever sees the phone why the patient comes");
            let help = "leave it out; when the patient has agreed, write `privacy: standard` into the first line";
            let at = Place { line, column, width: word.chars().count() };
            problems.warning(names::PRIVATE, &file.path, at, message, Some(help.to_owned()));
        }
    }
}

/// The lines of a template with blanks in the place of `{{…}}`.
fn literal_lines(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut depth = 0_usize;
    text.lines().enumerate().map(move |(index, line)| {
        let plain = line.chars().map(|c| {
            depth += usize::from(c == '{');
            let shown = if depth == 0 { c } else { ' ' };
            depth = depth.saturating_sub(usize::from(c == '}'));
            shown
        });
        (index + 1, plain.collect())
    })
}

/// Words and the columns, from 1, where they begin.
fn words(line: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (column, c) in line.chars().enumerate() {
        let is_part = c.is_alphanumeric() || c == '-';
        match found.last_mut() {
            Some((_, word)) if is_part && inside => word.push(c),
            _ if is_part => found.push((column + 1, c.to_string())),
            _ => {}
        }
        inside = is_part;
    }
    found
}

/// Recall and marketing texts say how to end them.
pub(super) fn check_opt_out(file: &SourceFile, category: SmsCategory, problems: &mut Problems) {
    let lower = file.text.to_lowercase();
    let says =
        file.text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "STOP") || OPT_OUT.iter().any(|w| lower.contains(w));
    if category != SmsCategory::Transactional && !says {
        let last = file.text.lines().count().max(1);
        let width = file.text.lines().last().map_or(1, |line| line.chars().count().max(1));
        let at = Place { line: last, column: 1, width };
        let message = format!("a {} text must say how to opt out", category.as_str());
        problems.error(names::NO_OPT_OUT, &file.path, at, message, Some("add `Reply STOP to opt out`".to_owned()));
    }
}
