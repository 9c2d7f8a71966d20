//! How many texts may leave in a day: to one number, of one rule, in all. What is over a cap is not sent, and somebody is told.

use super::alerts::Alert;
use super::opt_out;
use crate::domain::clinic::{Clinic, TextCaps};
use crate::domain::ids::new_id;
use crate::domain::sms::SmsMessage;
use crate::domain::task::Task;
use crate::domain::time::Timestamp;
use crate::store::{StoreResult, Tx, departures, runs, tasks};
use std::collections::HashMap;

/// One cap, as it concerns one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// What is counted: `to:NUMBER`, `rule:ID`, `all`.
    pub scope: String,
    pub max: u32,
    /// The text's `status_reason` when the cap is reached.
    pub reason: &'static str,
}

/// Everything that a text counts for.
pub fn caps_of(caps: TextCaps, phone: &str, rule_id: Option<&str>) -> Vec<Cap> {
    let mut all = vec![
        Cap { scope: departures::ALL.to_owned(), max: caps.in_all, reason: "cap:day" },
        Cap { scope: number_scope(phone), max: caps.per_number, reason: "cap:number" },
    ];
    all.extend(rule_id.map(|id| Cap { scope: format!("rule:{id}"), max: caps.per_rule, reason: "cap:rule" }));
    all
}

pub fn number_scope(phone: &str) -> String {
    format!("{}{phone}", departures::NUMBER)
}

/// The day that a moment counts for, on the clinic's calendar.
pub fn day_of(clinic: &Clinic, at: Timestamp) -> String {
    clinic.calendar.date_of(at).to_string()
}

/// Puts it in front of a person that texts are held back.
pub fn alert(cap: &Cap, contact_id: Option<&str>, rule_id: Option<&str>, clinic: &Clinic, id: String, now: Timestamp) -> Task {
    let whose = match cap.reason {
        "cap:number" => format!("number:{}", contact_id.unwrap_or("-")),
        "cap:rule" => format!("rule:{}", rule_id.unwrap_or("-")),
        _ => "day".to_owned(),
    };
    let what = match cap.reason {
        "cap:number" => "one number".to_owned(),
        "cap:rule" => format!("rule {}", rule_id.unwrap_or("-")),
        _ => "the whole clinic".to_owned(),
    };
    let alert = Alert {
        key: format!("cap:{whose}"),
        title: "Texts were not sent: the day's cap is reached".to_owned(),
        because: format!("More than {} texts of {what} in a day; see `texts` in config/clinic.yaml", cap.max),
        owner: None,
        contact_id: contact_id.filter(|_| cap.reason == "cap:number").map(str::to_owned),
        run_id: None,
    };
    alert.task(id, clinic, now)
}

/// The counts of today, in the transaction that lets texts go. Nobody else counts until it ends.
pub struct Today {
    day: String,
    rules: HashMap<String, String>,
    departed: HashMap<String, u32>,
}

impl Today {
    pub fn open(tx: &mut Tx<'_>, clinic: &Clinic, texts: &[&SmsMessage], now: Timestamp) -> StoreResult<Self> {
        let day = day_of(clinic, now);
        if texts.is_empty() {
            return Ok(Self { day, rules: HashMap::new(), departed: HashMap::new() });
        }
        departures::lock(tx)?;
        let run_ids: Vec<String> = texts.iter().filter_map(|text| text.run_id.clone()).collect();
        let phones: Vec<String> = texts.iter().map(|text| text.to.clone()).collect();
        let departed = departures::list(tx, &day, &phones)?;
        Ok(Self { rules: runs::list_rules(tx, &run_ids)?, departed, day })
    }

    /// Counts a text that is to leave now; or why it must not. A text that was let go before is counted already.
    pub fn take(
        &mut self,
        tx: &mut Tx<'_>,
        clinic: &Clinic,
        text: &SmsMessage,
        now: Timestamp,
    ) -> StoreResult<Option<&'static str>> {
        if text.attempts > 0 || opt_out::is_ack(text) {
            return Ok(None);
        }
        let rule_id = text.run_id.as_ref().and_then(|run| self.rules.get(run)).cloned();
        let caps = caps_of(clinic.texts.caps, &text.to, rule_id.as_deref());
        if let Some(cap) = reached(&caps, |scope| self.departed.get(scope).copied().unwrap_or(0)) {
            let task = alert(cap, text.contact_id.as_deref(), rule_id.as_deref(), clinic, new_id(now), now);
            tasks::open_once(tx, &task)?;
            return Ok(Some(cap.reason));
        }
        for cap in caps {
            departures::add(tx, &self.day, &cap.scope)?;
            *self.departed.entry(cap.scope).or_default() += 1;
        }
        Ok(None)
    }
}

/// The first cap that is full.
pub fn reached(caps: &[Cap], departed: impl Fn(&str) -> u32) -> Option<&Cap> {
    caps.iter().find(|cap| departed(&cap.scope) >= cap.max)
}
