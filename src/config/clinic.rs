//! `clinic.yaml`: who the clinic is, when it is open, what replies mean, who works there.

use super::clock_time::{minute, spans};
use super::document::Document;
use super::parse;
use super::problem::{ConfigProblem, hint};
use super::reader::Reader;
use crate::domain::calendar::Calendar;
use crate::domain::clinic::{Clinic, Keywords, QuietHours};
use crate::domain::ids::is_id;
use crate::domain::phone;
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_yaml::Value;
use std::collections::BTreeSet;

const FILE: &str = "config/clinic.yaml";
const KEYS: &[&str] = &["name", "phone", "hours", "holidays", "quiet_hours", "keywords", "teams", "task_types", "test_contacts"];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const KEYWORDS: [&str; 6] = ["stop", "start", "yes", "no", "reschedule", "help"];
/// Of one list in the file.
const ITEMS_MAX: usize = 500;

/// Reads the clinic from the text of `clinic.yaml`.
///
/// # Errors
/// All problems, with their places.
pub fn load_clinic(text: &str, tz: Tz) -> Result<Clinic, Vec<ConfigProblem>> {
    load_named(FILE, text, tz)
}

pub(super) fn read(reader: &mut Reader) -> Option<Clinic> {
    let tz = reader.shown_value("clinic.timezone", Some("CLINIC_TIMEZONE"), chrono_tz::Australia::Sydney, parse::zone);
    let file = reader.shown("clinic.yaml");
    let Some(text) = reader.read_file("clinic.yaml") else {
        let help = Some("run avatar in the folder that has config/, or set CONFIG_DIR".to_owned());
        reader.push(ConfigProblem { file, line: 0, column: 0, message: "there is no such file".to_owned(), help });
        return None;
    };
    match load_named(&file, &text, tz) {
        Ok(clinic) => {
            reader.explain("clinic.name", None, clinic.name.clone(), file);
            Some(clinic)
        }
        Err(problems) => {
            for problem in problems {
                reader.push(problem);
            }
            None
        }
    }
}

fn load_named(file: &str, text: &str, tz: Tz) -> Result<Clinic, Vec<ConfigProblem>> {
    let document = Document::parse(file, text).map_err(|problem| vec![problem])?;
    let mut file = ClinicFile { document: &document, problems: Vec::new() };
    let clinic = file.clinic(tz);
    if file.problems.is_empty() {
        return Ok(clinic);
    }
    file.problems.sort();
    Err(file.problems)
}

struct ClinicFile<'a> {
    document: &'a Document,
    problems: Vec<ConfigProblem>,
}

impl ClinicFile<'_> {
    fn clinic(&mut self, tz: Tz) -> Clinic {
        self.check_keys("", KEYS);
        Clinic {
            name: self.text("name"),
            phone: self.text("phone"),
            calendar: Calendar { tz, hours: self.hours(), holidays: self.holidays() },
            quiet_hours: self.quiet_hours(),
            keywords: self.keywords(),
            teams: self.words("teams", true),
            task_types: self.words("task_types", false),
            test_contacts: self.test_contacts(),
        }
    }

    fn problem(&mut self, path: &str, message: String, help: Option<String>) {
        self.problems.push(self.document.problem(path, message, help));
    }

    /// Every key of the map at `path` must be one of `known`.
    fn check_keys(&mut self, path: &str, known: &[&str]) {
        let value = if path.is_empty() { Some(&self.document.root) } else { self.document.get(path) };
        let Some(Value::Mapping(map)) = value else { return };
        for key in map.keys() {
            let name = key.as_str().unwrap_or("?");
            if !known.contains(&name) {
                let inner = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                self.problem(&inner, format!("there is no `{inner}` in this file"), Some(hint(name, known.iter().copied())));
            }
        }
    }

    fn text(&mut self, path: &str) -> String {
        match self.document.get(path) {
            Some(Value::String(text)) if !text.trim().is_empty() => return text.trim().to_owned(),
            Some(Value::Number(_)) => {
                self.problem(path, format!("`{path}` is text"), Some("put it in quotes".to_owned()));
            }
            Some(_) => self.problem(path, format!("`{path}` is text and not empty"), None),
            None => self.problem(path, format!("`{path}` is missing"), None),
        }
        String::new()
    }

    fn hours(&mut self) -> [Vec<(u32, u32)>; 7] {
        self.check_keys("hours", &DAYS);
        DAYS.map(|day| {
            let path = format!("hours.{day}");
            let text = self.text(&path);
            if text.is_empty() {
                return Vec::new();
            }
            spans(&text).unwrap_or_else(|| {
                let help = Some("write 08:00-18:00, or 08:00-12:00, 13:00-18:00, or closed".to_owned());
                self.problem(&path, format!("`{path}` cannot be `{text}`"), help);
                Vec::new()
            })
        })
    }

    fn holidays(&mut self) -> BTreeSet<NaiveDate> {
        let names: Vec<String> = match self.document.get("holidays") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Mapping(map)) => map.keys().map(|k| k.as_str().unwrap_or("?").to_owned()).collect(),
            Some(_) => {
                let help = Some("write `2026-12-25: Christmas Day`, one on each line".to_owned());
                self.problem("holidays", "`holidays` is a map of dates and names".to_owned(), help);
                Vec::new()
            }
        };
        let mut days = BTreeSet::new();
        for name in names.into_iter().take(ITEMS_MAX) {
            if let Ok(day) = NaiveDate::parse_from_str(&name, "%Y-%m-%d") {
                days.insert(day);
            } else {
                let help = Some("write it as 2026-12-25".to_owned());
                self.problem(&format!("holidays.{name}"), format!("`{name}` is not a day of the calendar"), help);
            }
        }
        days
    }

    fn quiet_hours(&mut self) -> QuietHours {
        self.check_keys("quiet_hours", &["texts_from", "texts_until"]);
        let mut time = |path: &str| {
            let text = self.text(path);
            let found = minute(&text);
            if found.is_none() && !text.is_empty() {
                self.problem(path, format!("`{path}` is a time of day, not `{text}`"), Some("write it as \"08:00\"".to_owned()));
            }
            found
        };
        let (from, until) = (time("quiet_hours.texts_from"), time("quiet_hours.texts_until"));
        match (from, until) {
            (Some(from_minute), Some(until_minute)) if from_minute < until_minute => QuietHours { from_minute, until_minute },
            (Some(_), Some(_)) => {
                self.problem("quiet_hours", "`texts_from` must be before `texts_until`".to_owned(), None);
                QuietHours { from_minute: 0, until_minute: 0 }
            }
            _ => QuietHours { from_minute: 0, until_minute: 0 },
        }
    }

    fn keywords(&mut self) -> Keywords {
        self.check_keys("keywords", &KEYWORDS);
        let [stop, start, yes, no, reschedule, help] =
            KEYWORDS.map(|name| self.words(&format!("keywords.{name}"), matches!(name, "stop" | "start" | "yes" | "no")));
        let mut seen: Vec<(&str, &String)> = Vec::new();
        let lists = [&stop, &start, &yes, &no, &reschedule, &help];
        let mut twice = Vec::new();
        for (name, list) in KEYWORDS.iter().zip(lists) {
            for word in list {
                if let Some((other, _)) = seen.iter().find(|(_, w)| *w == word) {
                    twice.push((format!("keywords.{name}"), format!("`{word}` already means `{other}`")));
                }
                seen.push((name, word));
            }
        }
        for (path, message) in twice {
            self.problem(&path, message, Some("a word has one meaning".to_owned()));
        }
        Keywords { stop, start, yes, no, reschedule, help }
    }

    /// Ids and phone numbers; numbers however they are written.
    fn test_contacts(&mut self) -> Vec<String> {
        let given = self.words("test_contacts", false);
        let mut found = Vec::with_capacity(given.len());
        for text in given {
            if is_id(&text) {
                found.push(text);
            } else if let Ok(phone) = phone::normalise(&text) {
                found.push(phone.e164);
            } else {
                let help = Some("write a contact's id, or a number in quotes: \"0491 570 006\"".to_owned());
                self.problem("test_contacts", format!("`{text}` is neither an id nor a phone number"), help);
            }
        }
        found
    }

    /// A list of words, in lower case.
    fn words(&mut self, path: &str, needed: bool) -> Vec<String> {
        let items = match self.document.get(path) {
            None | Some(Value::Null) if !needed => return Vec::new(),
            Some(Value::Sequence(items)) if items.len() <= ITEMS_MAX && (!needed || !items.is_empty()) => items,
            None | Some(Value::Null) => {
                self.problem(path, format!("`{path}` is missing"), None);
                return Vec::new();
            }
            Some(_) => {
                let help = Some("write it as [one, two]".to_owned());
                self.problem(path, format!("`{path}` is a list of words"), help);
                return Vec::new();
            }
        };
        let mut words = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::String(word) => words.push(word.trim().to_lowercase()),
                Value::Number(number) => words.push(number.to_string()),
                _ => {
                    let help = Some("put it in quotes: `\"yes\"`, `\"no\"`".to_owned());
                    self.problem(&format!("{path}.{index}"), format!("`{path}` has an item that is not a word"), help);
                }
            }
        }
        words
    }
}
