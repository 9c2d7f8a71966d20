//! `when`: names of events, fields of dates, schedules.

use super::rule::Lowering;
use crate::domain::event::{KNOWN_EVENTS, SubjectKind};
use crate::domain::time::Millis;
use crate::engine::check::{Part, Scope, Wanted, check_expression, holds_subject, of};
use crate::engine::diagnostic::names;
use crate::engine::ruleset::{Every, Trigger};
use crate::engine::schema::{Type, find_record};
use crate::engine::source::{Place, Scalar};
use crate::engine::syntax::{Rhythm, TriggerSyntax, did_you_mean, parse_duration};
use chrono::{TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;

/// Shortest interval of `every`.
const INTERVAL_MIN: Millis = Millis::minutes(1);
/// Fields of a cron expression: minute, hour, day, month, weekday.
const CRON_FIELDS: usize = 5;
/// Longest cron expression.
const CRON_BYTES_MAX: usize = 200;
/// Names and cron numbers of days.
const WEEKDAYS: &[&str] = &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const RHYTHMS: &[&str] = &["day", "hour", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Lowering<'_> {
    /// `None` when a problem was reported.
    pub fn trigger(&mut self, syntax: TriggerSyntax) -> Option<Trigger> {
        match syntax {
            TriggerSyntax::Event { names, unhandled } => self.event(names, unhandled),
            TriggerSyntax::Date { field, offset, at_minute, late, again } => {
                let (subject, name) = self.date_field(&field, at_minute.is_some())?;
                let offset = offset.unwrap_or_default();
                Some(Trigger::Date { subject, field: name, offset, at_minute, late, again })
            }
            TriggerSyntax::Every { rhythm, at, tz, each, late } => {
                let tz = self.zone(tz.as_ref())?;
                let schedule = match rhythm {
                    Rhythm::Every(scalar) => self.every(&scalar, at, tz)?,
                    Rhythm::Cron(scalar) => self.cron(&scalar, tz)?,
                };
                Some(Trigger::Every { schedule, each, late })
            }
            TriggerSyntax::Holds { expr, lasting, business } => self.holds(&expr, lasting, business),
            TriggerSyntax::Manual { subject } => Some(Trigger::Manual { subject }),
            TriggerSyntax::Webhook { source } => self.webhook(source),
        }
    }

    /// The expression sees the record alone: it is looked at when the record changes, not when time passes.
    fn holds(&mut self, scalar: &Scalar, lasting: Millis, business: bool) -> Option<Trigger> {
        let subject = holds_subject(&scalar.text);
        let mut scope = Scope::of_records(subject, "the state of a record");
        // Known here, so that the message can say what to do instead of what is missing.
        scope.declare("now", of(Type::Time));
        let checked = check_expression(self.env, Part::whole(self.file, scalar), &scope, &Wanted::Truth, self.problems)?;
        let timely = checked.expr.reads.iter().find(|path| {
            let root = path.split('.').next().unwrap_or("");
            root == "now" || path.as_str() == "clinic.is_open"
        });
        if let Some(path) = timely {
            let message = format!("`holds` is looked at when the record changes, and `{path}` changes by itself");
            let help = Some("say how long with `for`, or use a `date` trigger".to_owned());
            self.error(names::BAD_HOLDS, scalar.at, message, help);
            return None;
        }
        Some(Trigger::Holds { subject, expr: checked.expr, lasting, business })
    }

    fn webhook(&mut self, source: Scalar) -> Option<Trigger> {
        let known: Vec<&str> = self.env.catalogue.declared_sources.iter().map(String::as_str).collect();
        if known.contains(&source.text.as_str()) {
            return Some(Trigger::Webhook { source: source.text });
        }
        let help =
            did_you_mean(&source.text, &known, "sources are").unwrap_or_else(|| "declare it in config/webhooks.yaml".to_owned());
        self.error(names::UNKNOWN_SOURCE, source.at, format!("there is no source `{}`", source.text), Some(help));
        None
    }

    /// The name is that of an event which the program, a source or a rule sends.
    pub fn event_exists(&mut self, name: &Scalar) -> Option<()> {
        let declared = self.env.catalogue.declared_events.iter().map(String::as_str);
        let known: Vec<&str> = KNOWN_EVENTS.iter().copied().chain(declared).chain(self.outlines.events()).collect();
        if known.contains(&name.text.as_str()) {
            return Some(());
        }
        let help = did_you_mean(&name.text, &known, "events are");
        self.error(names::UNKNOWN_EVENT, name.at, format!("there is no event `{}`", name.text), help);
        None
    }

    fn event(&mut self, event_names: Vec<Scalar>, unhandled: bool) -> Option<Trigger> {
        let mut good = !event_names.is_empty();
        for name in &event_names {
            good &= self.event_exists(name).is_some();
        }
        good.then(|| Trigger::Event { names: event_names.into_iter().map(|n| n.text).collect(), unhandled })
    }

    fn date_field(&mut self, field: &Scalar, has_at: bool) -> Option<(SubjectKind, &'static str)> {
        let (record, name) = field.text.split_once('.').unwrap_or((field.text.as_str(), ""));
        let subject = SubjectKind::parse(record).filter(|k| *k != SubjectKind::Clinic);
        let fields = subject.and_then(|s| find_record(s.as_str())).map_or(&[][..], |r| r.fields);
        let found = fields.iter().find(|f| f.name == name && f.ty == Type::Time);
        let (Some(subject), Some(found)) = (subject, found) else {
            let times: Vec<String> = time_fields();
            let times: Vec<&str> = times.iter().map(String::as_str).collect();
            let help = did_you_mean(&field.text, &times, "it can be");
            self.error(names::NOT_A_DATE, field.at, format!("`{}` is not a time field of contact or booking", field.text), help);
            return None;
        };
        if name.ends_with("_on") && !has_at {
            let message = format!("`{}` is a day, so the trigger needs `at`", field.text);
            self.error(names::MISSING_KEY, field.at, message, Some("write `at: \"09:30\"`".to_owned()));
            return None;
        }
        Some((subject, found.name))
    }

    fn zone(&mut self, tz: Option<&Scalar>) -> Option<Tz> {
        let Some(scalar) = tz else { return Some(self.env.catalogue.clinic.calendar.tz) };
        let found = scalar.text.parse().ok();
        if found.is_none() {
            let help = Some("write a name such as `Australia/Sydney`".to_owned());
            self.error(names::BAD_SCHEDULE, scalar.at, format!("`{}` is not a time zone", scalar.text), help);
        }
        found
    }

    fn every(&mut self, scalar: &Scalar, at: Option<(Place, u32)>, tz: Tz) -> Option<Every> {
        let text = scalar.text.as_str();
        let minute = at.map_or(0, |(_, minute)| minute);
        let daily = |days: &str| Every::Cron { expression: format!("{} {} * * {days}", minute % 60, minute / 60), tz };
        if text == "day" {
            return Some(daily("*"));
        }
        if let Some(number) = WEEKDAYS.iter().position(|d| *d == text) {
            return Some(daily(&number.to_string()));
        }
        if let Some((place, _)) = at {
            let message = format!("`at` goes with `every: day` or a weekday, not with `{text}`");
            self.error(names::BAD_SCHEDULE, place, message, None);
            return None;
        }
        if text == "hour" {
            return Some(Every::Cron { expression: "0 * * * *".to_owned(), tz });
        }
        match parse_duration(text) {
            Some(interval) if interval >= INTERVAL_MIN => Some(Every::Interval(interval)),
            Some(_) => {
                self.error(names::BAD_SCHEDULE, scalar.at, "the shortest interval is one minute", None);
                None
            }
            None => {
                let help = did_you_mean(text, RHYTHMS, "it can be an interval such as `15m`, or");
                self.error(names::BAD_SCHEDULE, scalar.at, format!("`every` cannot be `{text}`"), help);
                None
            }
        }
    }

    fn cron(&mut self, scalar: &Scalar, tz: Tz) -> Option<Every> {
        let text = scalar.text.trim();
        let problem = if text.len() > CRON_BYTES_MAX {
            Some(format!("it has at most {CRON_BYTES_MAX} characters"))
        } else if text.split_whitespace().count() == CRON_FIELDS {
            match text.parse::<Cron>() {
                Ok(cron) if comes_at_all(&cron) => None,
                Ok(_) => Some("no day is ever like that".to_owned()),
                Err(error) => Some(error.to_string()),
            }
        } else {
            Some(format!("it has {CRON_FIELDS} fields: minute, hour, day of month, month, weekday"))
        };
        if let Some(why) = problem {
            let help = Some("for example `\"0 9 * * 1-5\"`: at 9:00 from Monday to Friday".to_owned());
            self.error(names::BAD_SCHEDULE, scalar.at, format!("`{}` is not a cron expression: {why}", shorten(text)), help);
            return None;
        }
        Some(Every::Cron { expression: text.to_owned(), tz })
    }
}

fn time_fields() -> Vec<String> {
    let records = ["booking", "contact"].into_iter().filter_map(find_record);
    records.flat_map(|r| r.fields.iter().filter(|f| f.ty == Type::Time).map(move |f| format!("{}.{}", r.name, f.name))).collect()
}

/// Enough to recognise it.
fn shorten(text: &str) -> String {
    text.chars().take(CRON_BYTES_MAX).collect()
}

/// The search for the next time ends in the year 5000, so that looking from shortly before is soon over: forty years have every
/// day on every weekday.
const SEARCH_FROM_YEAR: i32 = 4_960;

/// 31 February never comes, and looking for it at run time would take its time.
fn comes_at_all(cron: &Cron) -> bool {
    let start = Utc.with_ymd_and_hms(SEARCH_FROM_YEAR, 1, 1, 0, 0, 0).single();
    start.is_some_and(|start| cron.find_next_occurrence(&start, false).is_ok())
}
