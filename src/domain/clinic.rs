//! What `config/clinic.yaml` says about the clinic: name, hours, teams, words that patients reply.

use super::calendar::Calendar;
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

/// First words of a reply, lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keywords {
    pub stop: Vec<String>,
    pub start: Vec<String>,
    pub yes: Vec<String>,
    pub no: Vec<String>,
    #[serde(default)]
    pub reschedule: Vec<String>,
    #[serde(default)]
    pub help: Vec<String>,
}

impl Keywords {
    /// What a message means: `stop`, `start`, `yes`, `no`, `reschedule`, `help` or `other`. STOP counts when it is the first
    /// word (or a listed phrase begins the message); the others only when the message is short enough to be unmistakable.
    #[must_use]
    pub fn intent(&self, body: &str) -> &'static str {
        let words = normalise(body);
        let starts = |list: &[String]| list.iter().any(|k| begins_with(&words, k));
        if starts(&self.stop) {
            return "stop";
        }
        if words.len() > SHORT_REPLY_WORDS_MAX {
            return "other";
        }
        for (name, list) in
            [("start", &self.start), ("reschedule", &self.reschedule), ("no", &self.no), ("yes", &self.yes), ("help", &self.help)]
        {
            if starts(list) {
                return name;
            }
        }
        "other"
    }
}

/// Longer replies are for a person to read, whatever they begin with.
const SHORT_REPLY_WORDS_MAX: usize = 4;

fn normalise(body: &str) -> Vec<String> {
    body.split_whitespace()
        .map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
        .filter(|w| !w.is_empty())
        .collect()
}

fn begins_with(words: &[String], keyword: &str) -> bool {
    let mut position = 0;
    for part in keyword.split_whitespace() {
        if words.get(position).is_none_or(|w| w != part) {
            return false;
        }
        position += 1;
    }
    position > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords() -> Keywords {
        let list = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Keywords {
            stop: list(&["stop", "opt out"]),
            start: list(&["start"]),
            yes: list(&["yes", "y", "ok"]),
            no: list(&["no", "cancel"]),
            reschedule: list(&["reschedule"]),
            help: list(&["help"]),
        }
    }

    #[test]
    fn a_reply_is_understood_by_its_first_words() {
        let k = keywords();
        for (body, intent) in [
            ("Yes!", "yes"),
            ("  STOP. ", "stop"),
            ("stop texting me you people please now", "stop"),
            ("Opt out", "stop"),
            ("CANCEL", "no"),
            ("yes but can I come an hour later instead", "other"),
            ("Stopping by at ten", "other"),
            ("", "other"),
            ("👍", "other"),
        ] {
            assert_eq!(k.intent(body), intent, "{body:?}");
        }
    }
}
