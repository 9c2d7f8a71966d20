//! Tests of rules, as people write them: `rules/bookings.test.yaml`. Read here, with every mistake and its place; run by
//! `automation::ruletest`.

mod call;
mod expect;
mod facts;
mod file;
mod lifetime;
mod names;
mod records;
mod steps;
mod time;

pub(crate) use call::call;
pub(crate) use facts::{Fact, Facts};
pub(crate) use file::read_test;
pub(crate) use lifetime::lifetimes;
pub(crate) use names::{check_names, no_rule_file};
pub(crate) use records::{
    Person, booking_input, campaign_input, change_booking, change_contact, contact_input, new_booking, new_person,
};
pub(crate) use time::parse_time;

use super::source::Place;
use crate::domain::event::Actor;
use crate::domain::time::{Millis, Timestamp};
use std::collections::BTreeMap;

/// Largest test file.
pub(crate) const TEST_FILE_BYTES_MAX: usize = 512 * 1024;
/// Tests of one file, and steps of one test.
const TESTS_MAX: usize = 1_000;
const STEPS_MAX: usize = 500;

/// True for files that are read as tests and never as rules.
#[must_use]
pub fn is_test_file(path: &str) -> bool {
    path.ends_with(".test.yaml") || path.ends_with(".test.yml") || path.starts_with("rules/tests/")
}

/// A text and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub text: String,
    pub at: Place,
}

pub(crate) struct TestFile {
    /// As it is shown.
    pub path: String,
    /// Rule files as written, relative to this file; `None` for all rules.
    pub rules: Option<Vec<Spot>>,
    pub start: Timestamp,
    pub given: Given,
    pub cases: Vec<Case>,
}

pub(crate) enum Case {
    Story(Story),
    Call(Call),
}

/// A test with steps.
pub(crate) struct Story {
    pub name: Spot,
    pub start: Option<Timestamp>,
    pub given: Given,
    pub steps: Vec<Step>,
}

/// A row of a script's table.
pub(crate) struct Call {
    /// `warmness(contact, now)`
    pub text: Spot,
    pub given: Given,
    pub now: Option<Timestamp>,
    pub returns: Spot,
}

pub(crate) struct Step {
    pub at: Place,
    pub act: Act,
    pub expect: Option<Expect>,
}

pub(crate) enum Act {
    Event(Box<EventStep>),
    To(To),
    /// Somebody changes records by hand.
    Given(Given),
}

pub(crate) struct EventStep {
    pub name: Spot,
    pub with: With,
    pub source: Option<String>,
    pub actor: Option<Actor>,
}

#[derive(Clone, Copy)]
pub(crate) enum To {
    At(Timestamp),
    After(Millis),
    /// Until nothing is pending any more.
    End,
}

/// Records that exist.
#[derive(Clone, Default)]
pub(crate) struct Given {
    pub contacts: Vec<Facts>,
    pub bookings: Vec<Facts>,
}

/// What an event says.
#[derive(Default)]
pub(crate) struct With {
    pub contact: Option<Facts>,
    pub booking: Option<Facts>,
    pub message: Option<Facts>,
    pub campaign: Option<Facts>,
    /// The text that was delivered or failed.
    pub sms: Option<Facts>,
    /// The contact's open task that the event is about, by its type.
    pub task: Option<Facts>,
    pub data: BTreeMap<String, String>,
}

pub(crate) struct Expect {
    /// Of the key.
    pub at: Place,
    pub what: Expected,
}

pub(crate) enum Expected {
    Any,
    /// Exactly these.
    Exactly(Vec<Wanted>),
    /// Only what is listed is looked at.
    Some(Partly),
}

#[derive(Default)]
pub(crate) struct Partly {
    /// Exactly these texts.
    pub sms: Option<Vec<Spot>>,
    /// Exactly these new tasks.
    pub tasks: Option<Vec<Spot>>,
    /// Exactly these rules fired.
    pub rules: Option<Vec<Spot>>,
    /// None of these texts, tasks or rules.
    pub never: Vec<Spot>,
}

/// One thing that must have happened.
pub(crate) struct Wanted {
    pub at: Place,
    /// `sms`, `task` …; `None` when only a rule is named.
    pub kind: Option<String>,
    /// The value of a step that was written as one value: `sms: reminder_24hr`.
    pub main: Option<Want>,
    pub fields: Vec<(String, Want)>,
    pub rule: Option<Spot>,
    pub when: Option<Timestamp>,
    pub contact: Option<Spot>,
    pub booking: Option<Spot>,
}

/// An expected value.
#[derive(Clone, Debug)]
pub(crate) struct Want {
    pub text: String,
    pub at: Place,
    pub is_null: bool,
    /// The text as a time, when it is one.
    pub time: Option<Timestamp>,
}

impl Want {
    /// `any`, not in quotes: whatever it is.
    pub fn is_any(&self) -> bool {
        self.text == "any"
    }
}
