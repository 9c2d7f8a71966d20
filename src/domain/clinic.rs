//! What `config/clinic.yaml` says about the clinic: name, hours, teams, how it texts.

use super::calendar::Calendar;
use super::keywords::Keywords;
use serde::{Deserialize, Serialize};

/// Everything about the clinic that rules and texts may use.
#[derive(Clone, Debug, PartialEq)]
pub struct Clinic {
    pub name: String,
    /// As patients should read it in a text.
    pub phone: String,
    pub calendar: Calendar,
    pub quiet_hours: QuietHours,
    pub keywords: Keywords,
    pub texts: TextSettings,
    /// Who tasks can be assigned to.
    pub teams: Vec<String>,
    /// Task types in addition to those the program knows.
    pub task_types: Vec<String>,
    /// Ids and numbers (E.164) of contacts that rules may be tried out on.
    pub test_contacts: Vec<String>,
}

/// No automatic text leaves outside of these local times, `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// Minutes after local midnight when texts may start.
    pub from_minute: u32,
    /// Minutes after local midnight when texts must have ended.
    pub until_minute: u32,
}

/// How the clinic texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSettings {
    pub caps: TextCaps,
    /// Who says STOP gets one text that says so.
    pub opt_out_ack: bool,
    /// Letters that the SMS alphabet lacks are sent without their marks.
    pub plain_letters: bool,
}

/// How many texts may leave on one day of the clinic's calendar. Checked again in the transaction that lets a text go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextCaps {
    /// To one number.
    pub per_number: u32,
    /// Of one rule.
    pub per_rule: u32,
    pub in_all: u32,
}

impl Default for TextCaps {
    /// Far above what a clinic needs, far below what a runaway rule does.
    fn default() -> Self {
        Self { per_number: 8, per_rule: 1_000, in_all: 3_000 }
    }
}
