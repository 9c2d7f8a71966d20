//! Derived timers: what is pending is a pure function of the rules and the records. Moving an appointment, changing a status or
//! editing a rule changes the answer; nothing has to be cancelled.

use super::facts::ContactFacts;
use super::ruleset::{Again, Every, Expr, Rule, Ruleset, Trigger};
use super::script::{View, limits};
use crate::domain::booking::Booking;
use crate::domain::calendar::Calendar;
use crate::domain::contact::Contact;
use crate::domain::event::{SubjectKind, TimerInput};
use crate::domain::time::{Millis, Timestamp};
use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A timer that should be pending. Unique by rule, trigger, subject and occurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredTimer {
    pub rule_id: String,
    /// Which of the rule's triggers: see [`date_trigger_id`].
    pub trigger: i32,
    pub subject_kind: SubjectKind,
    pub subject_id: String,
    /// The clinic-local day of the field (`2026-12-04`), its exact instant, or `once`: see [`Again`].
    pub occurrence: String,
    pub due_at: Timestamp,
    /// How long after `due_at` it may still run.
    pub late: Millis,
}

/// What has become of a timer since it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerVerdict {
    /// Run it.
    Due,
    /// Its time has passed by more than the trigger allows: record it, don't run it.
    Late,
    /// The rule, the record, the date or the `while` condition is no more.
    Gone,
    /// It is another time now.
    Moved(DesiredTimer),
}

/// A schedule that a rule's `every` trigger asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSchedule {
    /// `rule:ID:TRIGGER`.
    pub name: String,
    pub rule_id: String,
    pub trigger: i32,
    pub every: Every,
    /// One evaluation for each contact or booking; `None` for one in all.
    pub each: Option<SubjectKind>,
    pub late: Millis,
}

/// Every timer of this contact and its bookings that is pending at `now`, in the order of rules, triggers and bookings.
///
/// Not derived: when `while` is false (or fails), when the field is empty, when the time was already past when the booking was
/// made, and when it is past by more than the trigger's `late`.
#[must_use]
pub fn derive(ruleset: &Ruleset, contact: &Contact, bookings: &[Arc<Booking>], now: Timestamp) -> Vec<DesiredTimer> {
    derive_for(ruleset, &bare(contact, bookings, now), bookings, now)
}

/// Like [`derive`], with everything that conditions can read of the contact.
#[must_use]
pub fn derive_for(
    ruleset: &Ruleset,
    contact: &Arc<ContactFacts>,
    bookings: &[Arc<Booking>],
    now: Timestamp,
) -> Vec<DesiredTimer> {
    let records = Records { ruleset, contact: Arc::clone(contact), now };
    let mut timers = Vec::new();
    for &(rule, index) in &ruleset.host.date_triggers {
        let Some(rule) = ruleset.rules.get(rule) else { continue };
        let Some(Trigger::Date { subject, .. }) = rule.triggers.get(index) else { continue };
        let pending = |timer: &DesiredTimer| now <= timer.due_at + timer.late;
        if *subject == SubjectKind::Booking {
            timers.extend(bookings.iter().filter_map(|b| records.timer(rule, index, Some(b)).filter(pending)));
        } else {
            timers.extend(records.timer(rule, index, None).filter(pending));
        }
    }
    timers
}

/// What each `holds` trigger is true of now, due when it will have been true for long enough if it turned true at `now`.
/// Whoever stores them keeps the time of one that was true before.
#[must_use]
pub fn holding(ruleset: &Ruleset, contact: &Arc<ContactFacts>, bookings: &[Arc<Booking>], now: Timestamp) -> Vec<DesiredTimer> {
    let records = Records { ruleset, contact: Arc::clone(contact), now };
    let mut found = Vec::new();
    for &(rule, index) in &ruleset.host.hold_triggers {
        let Some(rule) = ruleset.rules.get(rule) else { continue };
        let Some(Trigger::Holds { subject, .. }) = rule.triggers.get(index) else { continue };
        if *subject == SubjectKind::Booking {
            found.extend(bookings.iter().filter_map(|b| records.held(rule, index, Some(b))));
        } else {
            found.extend(records.held(rule, index, None));
        }
    }
    found
}

/// The occurrence of every `holds` timer: there is one at a time.
pub const HOLDS: &str = "holds";
/// What still holds is never too late.
const HOLDS_LATE: Millis = Millis::days(3_660);

/// Looks again at a timer that is due, with the rules and records of now. `stored_due`: when the timer that is stored under this
/// key is due, if there is one.
#[must_use]
pub fn still_due(
    ruleset: &Ruleset,
    contact: &Arc<ContactFacts>,
    bookings: &[Arc<Booking>],
    timer: &TimerInput,
    stored_due: Option<Timestamp>,
    now: Timestamp,
) -> TimerVerdict {
    if timer.occurrence != HOLDS {
        return still_due_date(ruleset, contact, bookings, timer, now);
    }
    // It may have been otherwise in between: then the timer was taken away, and another one set.
    let is_same = |held: &DesiredTimer| {
        held.rule_id == timer.rule_id && held.trigger == timer.trigger && Some(&held.subject_id) == timer.subject_id.as_ref()
    };
    let holds = stored_due == Some(timer.due_at) && holding(ruleset, contact, bookings, now).iter().any(is_same);
    if holds { TimerVerdict::Due } else { TimerVerdict::Gone }
}

/// Looks again at a timer of a `date` trigger that is due, with the rules and records of now.
#[must_use]
pub fn timer_still_due(
    ruleset: &Ruleset,
    contact: &Contact,
    bookings: &[Arc<Booking>],
    timer: &TimerInput,
    now: Timestamp,
) -> TimerVerdict {
    still_due_date(ruleset, &bare(contact, bookings, now), bookings, timer, now)
}

fn still_due_date(
    ruleset: &Ruleset,
    contact: &Arc<ContactFacts>,
    bookings: &[Arc<Booking>],
    timer: &TimerInput,
    now: Timestamp,
) -> TimerVerdict {
    match rederive(ruleset, contact, bookings, timer, now) {
        None => TimerVerdict::Gone,
        Some(found) if now > found.due_at + found.late => TimerVerdict::Late,
        Some(found) if has_moved(&found, timer, now) => TimerVerdict::Moved(found),
        Some(_) => TimerVerdict::Due,
    }
}

/// A clock behind the one that fired the timer must not send it back to wait for the very same time.
fn has_moved(found: &DesiredTimer, timer: &TimerInput, now: Timestamp) -> bool {
    found.occurrence != timer.occurrence || (now < found.due_at && found.due_at != timer.due_at)
}

/// What a `date` or `holds` trigger is called in timers; `None` for other triggers.
///
/// Never negative, and made of what the trigger waits for: its place in the rule may change, and must not be taken for another.
#[must_use]
pub fn date_trigger_id(trigger: &Trigger) -> Option<i32> {
    let named = match trigger {
        Trigger::Date { subject, field, offset, at_minute, .. } => {
            let minute = at_minute.map(|minute| minute.to_string()).unwrap_or_default();
            format!("{}.{field}:{}:{minute}", subject.as_str(), offset.0)
        }
        Trigger::Holds { expr, lasting, business, .. } => {
            let words: Vec<&str> = expr.text.split_whitespace().collect();
            format!("holds:{}:{}:{business}", words.join(" "), lasting.0)
        }
        _ => return None,
    };
    let [a, b, c, d, ..] = Sha256::digest(named).0;
    Some(i32::from_be_bytes([a & 0x7f, b, c, d]))
}

/// The `date` or `holds` trigger that is called `id`, and its place in the rule, counted from 0.
#[must_use]
pub fn find_date_trigger(rule: &Rule, id: i32) -> Option<(usize, &Trigger)> {
    rule.triggers.iter().enumerate().find(|(_, trigger)| date_trigger_id(trigger) == Some(id))
}

/// The schedules of all enabled rules, in file order.
#[must_use]
pub fn schedules(ruleset: &Ruleset) -> Vec<RuleSchedule> {
    let mut found = Vec::new();
    for rule in ruleset.rules.iter().filter(|rule| rule.enabled) {
        for (index, trigger) in rule.triggers.iter().enumerate() {
            if let Trigger::Every { schedule, each, late } = trigger {
                found.push(RuleSchedule {
                    name: format!("rule:{}:{index}", rule.id),
                    rule_id: rule.id.clone(),
                    trigger: index as i32,
                    every: schedule.clone(),
                    each: *each,
                    late: *late,
                });
            }
        }
    }
    found
}

/// As much as can be known of a contact from its bookings.
fn bare(contact: &Contact, bookings: &[Arc<Booking>], now: Timestamp) -> Arc<ContactFacts> {
    let next = bookings.iter().filter(|b| b.status.is_live() && b.appointment_datetime > now);
    let next_booking = next.min_by_key(|b| b.appointment_datetime).cloned();
    Arc::new(ContactFacts { contact: contact.clone(), next_booking, ..ContactFacts::default() })
}

fn rederive(
    ruleset: &Ruleset,
    contact: &Arc<ContactFacts>,
    bookings: &[Arc<Booking>],
    timer: &TimerInput,
    now: Timestamp,
) -> Option<DesiredTimer> {
    let rule = ruleset.rules.get(*ruleset.by_id.get(&timer.rule_id)?)?;
    let (index, trigger) = find_date_trigger(rule, timer.trigger)?;
    let Trigger::Date { subject, .. } = trigger else { return None };
    if !rule.enabled || *subject != timer.subject_kind {
        return None;
    }
    let id = timer.subject_id.as_deref()?;
    let records = Records { ruleset, contact: Arc::clone(contact), now };
    if *subject == SubjectKind::Booking {
        return records.timer(rule, index, Some(bookings.iter().find(|b| b.id == id)?));
    }
    if contact.contact.id == id { records.timer(rule, index, None) } else { None }
}

/// The records that timers hang on.
struct Records<'a> {
    ruleset: &'a Ruleset,
    contact: Arc<ContactFacts>,
    now: Timestamp,
}

impl Records<'_> {
    /// The timer of a `holds` trigger, if it holds. A panic costs this timer alone.
    fn held(&self, rule: &Rule, index: usize, booking: Option<&Arc<Booking>>) -> Option<DesiredTimer> {
        catch_unwind(AssertUnwindSafe(|| self.derive_held(rule, index, booking))).unwrap_or(None)
    }

    fn derive_held(&self, rule: &Rule, index: usize, booking: Option<&Arc<Booking>>) -> Option<DesiredTimer> {
        let trigger = rule.triggers.get(index)?;
        let Trigger::Holds { subject, expr, lasting, business } = trigger else { return None };
        let view = View::of_records(&self.ruleset.catalogue.clinic, Some(&self.contact), booking, self.now);
        if !self.is_alive(rule, &view) || !self.all_hold(std::slice::from_ref(expr), &view) {
            return None;
        }
        let due_at = if *business { view.clinic.calendar.plus_business(self.now, *lasting) } else { self.now + *lasting };
        Some(DesiredTimer {
            rule_id: rule.id.clone(),
            trigger: date_trigger_id(trigger)?,
            subject_kind: *subject,
            subject_id: booking.map_or(&self.contact.contact.id, |b| &b.id).clone(),
            occurrence: HOLDS.to_owned(),
            due_at,
            late: HOLDS_LATE,
        })
    }

    /// The timer that this trigger asks for, however late it is by now. A panic (a date at the end of all calendars) costs
    /// this timer alone.
    fn timer(&self, rule: &Rule, index: usize, booking: Option<&Arc<Booking>>) -> Option<DesiredTimer> {
        catch_unwind(AssertUnwindSafe(|| self.derive_timer(rule, index, booking))).unwrap_or(None)
    }

    fn derive_timer(&self, rule: &Rule, index: usize, booking: Option<&Arc<Booking>>) -> Option<DesiredTimer> {
        let trigger = rule.triggers.get(index)?;
        let Trigger::Date { subject, field, offset, at_minute, late, again } = trigger else { return None };
        let view = View::of_records(&self.ruleset.catalogue.clinic, Some(&self.contact), booking, self.now);
        let value = view.read(&format!("{}.{field}", subject.as_str()))?;
        let date = value.read_lock::<Timestamp>().map(|at| *at)?;
        let calendar = &view.clinic.calendar;
        let due_at = due_time(calendar, date, *offset, *at_minute);
        if booking.is_some_and(|b| due_at < b.created_at) || !self.is_alive(rule, &view) {
            return None;
        }
        Some(DesiredTimer {
            rule_id: rule.id.clone(),
            trigger: date_trigger_id(trigger)?,
            subject_kind: *subject,
            subject_id: booking.map_or(&self.contact.contact.id, |b| &b.id).clone(),
            occurrence: occurrence(calendar, date, *again),
            due_at,
            late: *late,
        })
    }

    /// Every line of `while` is true; a line that fails is as good as false.
    fn is_alive(&self, rule: &Rule, view: &View) -> bool {
        rule.while_.is_empty() || self.all_hold(&rule.while_, view)
    }

    fn all_hold(&self, lines: &[Expr], view: &View) -> bool {
        let host = &self.ruleset.host;
        limits::begin_rule();
        let mut scope = host.scope(view);
        lines.iter().all(|line| host.holds(line, &mut scope).unwrap_or(false))
    }
}

/// Exactly `offset` from the date; with a time of day, that time on the day so many days away. Whole days are calendar days
/// then, so that a day of 23 or 25 hours does not lead to the day before.
fn due_time(calendar: &Calendar, date: Timestamp, offset: Millis, at_minute: Option<u32>) -> Timestamp {
    let Some(minute) = at_minute else { return date + offset };
    if offset.0 % Millis::DAY.0 != 0 {
        return calendar.at_minute(calendar.date_of(date + offset), minute);
    }
    let day = calendar.date_of(date);
    let day = TimeDelta::try_days(offset.0 / Millis::DAY.0).and_then(|days| day.checked_add_signed(days)).unwrap_or(day);
    calendar.at_minute(day, minute)
}

fn occurrence(calendar: &Calendar, date: Timestamp, again: Again) -> String {
    match again {
        Again::MovedDay => calendar.date_of(date).format("%Y-%m-%d").to_string(),
        Again::Moved => date.to_rfc3339(),
        Again::Never => "once".to_owned(),
    }
}
