//! `clinic.yaml`: who the clinic is, when it is open, what replies mean, who works there.

use super::clock_time::{minute, spans};
use super::document::Document;
use super::lists::{ITEMS_MAX, Listing};
use super::problem::ConfigProblem;
use super::reader::Reader;
use super::{keywords, parse};
use crate::domain::calendar::Calendar;
use crate::domain::clinic::{Clinic, QuietHours, TextCaps, TextSettings};
use crate::domain::ids::is_id;
use crate::domain::phone;
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_yaml::Value;
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

const FILE: &str = "config/clinic.yaml";
const KEYS: &[&str] = &["name", "phone", "hours", "holidays", "quiet_hours", "texts", "teams", "task_types", "test_contacts"];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const KEYS_OF_TEXTS: &[&str] = &["caps", "opt_out_ack", "plain_letters"];
const KEYS_OF_CAPS: &[&str] = &["per_number", "per_rule", "in_all"];
/// More texts than this on a day are no cap any more.
const CAP_MAX: u64 = 1_000_000;

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
    let said = keywords::read(reader);
    match load_named(&file, &text, tz) {
        Ok(clinic) => {
            let clinic = Clinic { keywords: said.unwrap_or_else(keywords::shipped), ..clinic };
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
    let mut file = ClinicFile(Listing::of(&document));
    let clinic = file.clinic(tz);
    let mut problems = file.0.problems;
    problems.sort();
    if problems.is_empty() { Ok(clinic) } else { Err(problems) }
}

struct ClinicFile<'a>(Listing<'a>);

impl<'a> Deref for ClinicFile<'a> {
    type Target = Listing<'a>;
    fn deref(&self) -> &Listing<'a> {
        &self.0
    }
}

impl DerefMut for ClinicFile<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl ClinicFile<'_> {
    fn clinic(&mut self, tz: Tz) -> Clinic {
        if self.document.get("keywords").is_some() {
            let help = Some("move them to config/keywords.yaml, which is described there".to_owned());
            self.problem("keywords", "`keywords` has a file of its own".to_owned(), help);
        } else {
            self.check_keys("", KEYS);
        }
        Clinic {
            name: self.text("name"),
            phone: self.text("phone"),
            calendar: Calendar { tz, hours: self.hours(), holidays: self.holidays() },
            quiet_hours: self.quiet_hours(),
            keywords: keywords::shipped(),
            texts: self.texts(),
            teams: self.words("teams", true),
            task_types: self.words("task_types", false),
            test_contacts: self.test_contacts(),
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

    fn texts(&mut self) -> TextSettings {
        self.check_keys("texts", KEYS_OF_TEXTS);
        self.check_keys("texts.caps", KEYS_OF_CAPS);
        let usual = TextSettings::default();
        TextSettings {
            caps: TextCaps {
                per_number: self.cap("texts.caps.per_number", usual.caps.per_number),
                per_rule: self.cap("texts.caps.per_rule", usual.caps.per_rule),
                in_all: self.cap("texts.caps.in_all", usual.caps.in_all),
            },
            opt_out_ack: self.flag("texts.opt_out_ack", usual.opt_out_ack),
            plain_letters: self.flag("texts.plain_letters", usual.plain_letters),
        }
    }

    fn cap(&mut self, path: &str, usual: u32) -> u32 {
        match self.document.get(path) {
            None | Some(Value::Null) => return usual,
            Some(Value::Number(number)) => {
                let fits = number.as_u64().filter(|n| (1..=CAP_MAX).contains(n)).and_then(|n| u32::try_from(n).ok());
                if let Some(cap) = fits {
                    return cap;
                }
            }
            Some(_) => {}
        }
        self.problem(path, format!("`{path}` is a whole number from 1 to {CAP_MAX}"), None);
        usual
    }

    fn flag(&mut self, path: &str, usual: bool) -> bool {
        match self.document.get(path) {
            None | Some(Value::Null) => usual,
            Some(Value::Bool(yes)) => *yes,
            Some(_) => {
                self.problem(path, format!("`{path}` is true or false"), None);
                usual
            }
        }
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
}
