//! What a text must not say, and what it must.

use super::template::TemplateRead;
use crate::domain::sms::SmsCategory;
use crate::engine::diagnostic::names;
use crate::engine::source::{Place, Problems, SourceFile};

/// Fields that tell a stranger who holds the phone why the patient comes.
const PRIVATE_FIELDS: &[&str] = &["service_name", "modality", "result", "results", "findings", "referrer", "resource_name"];
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
