//! The same figures in the slowest, most obvious way: every record is looked at for every figure.

use super::world::World;
use avatar::automation::reports::{Kind, Period};
use avatar::domain::booking::{Booking, BookingStatus};
use avatar::domain::calendar::Calendar;
use avatar::domain::contact::Contact;
use avatar::domain::event::{Event, RunOutcome};
use avatar::domain::keywords::Keywords;
use avatar::domain::sms::{SmsCategory, SmsMessage, SmsStatus};
use avatar::domain::task::{Task, TaskStatus};
use avatar::domain::time::{Millis, Timestamp};
use avatar::domain::touchpoint::Touchpoint;
use chrono::{Months, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use std::collections::{BTreeMap, BTreeSet};

/// By name and group: whole, numerator, denominator.
pub type Figures = BTreeMap<(String, String), (Option<i64>, Option<i64>, Option<i64>)>;

const FOLLOWED: Millis = Millis::days(90);

pub struct Reference<'a> {
    pub world: &'a World,
    pub calendar: &'a Calendar,
    pub keywords: &'a Keywords,
    pub now: Timestamp,
    from: Timestamp,
    to: Timestamp,
    figures: Figures,
}

/// Counts everything from the records alone.
pub fn count(world: &World, calendar: &Calendar, keywords: &Keywords, period: Period, now: Timestamp) -> Figures {
    let start = period.start;
    let (from, to) = bounds(period.kind, start, calendar);
    let mut r = Reference { world, calendar, keywords, now, from, to, figures: Figures::new() };
    r.bookings(period.kind, start);
    r.appointments();
    r.leads();
    r.replies();
    r.tasks();
    r.texts();
    r.attribution();
    r.rules();
    r.figures
}

/// The wall clock's midnights; none of the zones tested skips one.
fn bounds(kind: Kind, start: NaiveDate, calendar: &Calendar) -> (Timestamp, Timestamp) {
    let end = match kind {
        Kind::Weekly => start + TimeDelta::days(7),
        Kind::Monthly => start + Months::new(1),
    };
    let midnight = |day: NaiveDate| {
        Timestamp(calendar.tz.from_local_datetime(&day.and_time(NaiveTime::MIN)).single().unwrap().timestamp_millis())
    };
    (midnight(start), midnight(end))
}

fn taken(booking: &Booking) -> bool {
    booking.status != BookingStatus::Declined && booking.status != BookingStatus::Waitlisted
}

fn left_at(text: &SmsMessage) -> Option<Timestamp> {
    text.accepted_at.or(text.delivered_at)
}

impl Reference<'_> {
    fn in_period(&self, at: Timestamp) -> bool {
        at >= self.from && at < self.to
    }

    fn put(&mut self, name: &str, group: &str, figure: (Option<i64>, Option<i64>, Option<i64>)) {
        let before = self.figures.insert((name.into(), group.into()), figure);
        assert!(before.is_none(), "{name} of {group} twice");
    }

    fn count(&mut self, name: &str, group: &str, n: usize) {
        self.put(name, group, (Some(n as i64), Some(n as i64), None));
    }

    fn rate(&mut self, name: &str, group: &str, part: usize, all: usize) {
        self.put(name, group, (None, Some(part as i64), Some(all as i64)));
    }

    fn percentile(&mut self, name: &str, group: &str, percent: usize, values: &[i64], all: usize) {
        let mut values = values.to_vec();
        values.sort_unstable();
        // The smallest value that is not exceeded by enough of them.
        let enough = |v: &i64| values.iter().filter(|other| *other <= v).count() * 100 >= percent * values.len();
        let value = values.iter().copied().find(enough);
        self.put(name, group, (value, Some(values.len() as i64), Some(all as i64)));
    }

    fn bookings(&mut self, kind: Kind, start: NaiveDate) {
        let made = |from: Timestamp, to: Timestamp| -> Vec<&Booking> {
            self.world.bookings.iter().filter(|b| b.created_at >= from && b.created_at < to).collect()
        };
        let here = made(self.from, self.to);
        let (before, year) = match kind {
            Kind::Weekly => (start - TimeDelta::days(7), start - TimeDelta::days(364)),
            Kind::Monthly => (start - Months::new(1), start - Months::new(12)),
        };
        let of = |day| {
            let (from, to) = bounds(kind, day, self.calendar);
            made(from, to).len()
        };
        let (before, year) = (of(before), of(year));
        let by_status: Vec<(&str, usize)> =
            BookingStatus::ALL.iter().map(|s| (s.as_str(), here.iter().filter(|b| b.status == *s).count())).collect();
        let all = here.len();
        self.count("bookings_made", "", all);
        self.count("bookings_made_period_before", "", before);
        self.count("bookings_made_last_year", "", year);
        for (status, n) in by_status.into_iter().filter(|(_, n)| *n > 0) {
            self.count("bookings_made", status, n);
        }
    }

    fn texts_about<'b>(&'b self, booking: &'b Booking) -> impl Iterator<Item = &'b SmsMessage> {
        self.world.texts.iter().filter(move |t| {
            t.direction == "out"
                && t.booking_id.as_ref() == Some(&booking.id)
                && left_at(t).is_some_and(|at| at < booking.appointment_datetime)
        })
    }

    fn appointments(&mut self) {
        let here: Vec<&Booking> = self.world.bookings.iter().filter(|b| self.in_period(b.appointment_datetime)).collect();
        let mut by_status: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut texted, mut replied, mut late) = (0, 0, 0);
        let mut effect: BTreeMap<&str, (usize, usize)> =
            ["reminded_confirmed", "reminded_unconfirmed", "not_reminded"].map(|group| (group, (0, 0))).into();
        for booking in &here {
            *by_status.entry(booking.status.as_str()).or_default() += 1;
            let confirmed = booking.patient_confirmed_at.is_some();
            if self.texts_about(booking).next().is_some() {
                texted += 1;
                let by_message = matches!(booking.confirmed_via.as_deref(), Some("sms" | "manychat"));
                replied += usize::from(confirmed && by_message);
            }
            let day_before = booking.appointment_datetime - Millis::hours(24);
            late +=
                usize::from(booking.status == BookingStatus::Cancelled && booking.cancelled_at.is_some_and(|at| at > day_before));
            let reminded = self.texts_about(booking).any(|t| {
                t.template.as_ref().is_some_and(|name| name.starts_with("reminder"))
                    && t.appointment_datetime.is_none_or(|at| at == booking.appointment_datetime)
            });
            let group = match (reminded, confirmed) {
                (true, true) => "reminded_confirmed",
                (true, false) => "reminded_unconfirmed",
                (false, _) => "not_reminded",
            };
            let (came, all) = effect.get_mut(group).unwrap();
            match booking.status {
                BookingStatus::Completed => (*came, *all) = (*came + 1, *all + 1),
                BookingStatus::NoShow => *all += 1,
                _ => {}
            }
        }
        let of = |status| by_status.get(status).copied().unwrap_or(0);
        let (came, missed, cancelled, all) = (of("completed"), of("no_show"), of("cancelled"), here.len());
        self.waitlist();
        self.count("appointments", "", all);
        for (status, n) in by_status {
            self.count("appointments", status, n);
        }
        self.rate("confirmed_by_reply", "", replied, texted);
        self.rate("show_rate", "", came, came + missed);
        self.rate("no_show_rate", "", missed, came + missed);
        self.rate("late_cancel_rate", "", late, came + missed + cancelled);
        for (group, (came, all)) in effect {
            self.rate("show_rate_by_reminder", group, came, all);
        }
    }

    fn waitlist(&mut self) {
        let joined = |b: &&Booking| {
            let of_it = |e: &&Event| e.event_type == "waitlist_joined" && e.booking_id.as_ref() == Some(&b.id);
            self.world.events.iter().filter(of_it).any(|e| self.in_period(e.timestamp))
        };
        let has_appointment = |b: &&&Booking| {
            !matches!(
                b.status,
                BookingStatus::Waitlisted | BookingStatus::Pending | BookingStatus::Declined | BookingStatus::Cancelled
            )
        };
        let waited: Vec<&Booking> = self.world.bookings.iter().filter(joined).collect();
        let filled = waited.iter().filter(has_appointment).count();
        self.rate("waitlist_filled", "", filled, waited.len());
    }

    fn is_lead(&self, contact: &Contact) -> bool {
        let mut events: Vec<_> = self.world.events.iter().filter(|e| e.contact_id.as_ref() == Some(&contact.id)).collect();
        events.sort_by_key(|e| (e.timestamp, e.id.clone()));
        let Some(first) = events.first() else { return false };
        let typed_in = first.source == "staff" || first.source == "import";
        first.event_type == "lead_created"
            || !(first.event_type.starts_with("booking_") || first.event_type == "waitlist_joined" || typed_in)
    }

    /// When a person first called or texted the contact, from `since` on.
    fn spoken_to(&self, contact: &str, since: Timestamp, tasks: &[&str]) -> Option<Timestamp> {
        let mut times = Vec::new();
        for touch in self.world.touchpoints.iter().filter(|t| t.contact_id == contact) {
            if touch.kind == "call_out" || touch.kind == "no_answer" {
                times.push(touch.timestamp);
            }
        }
        for task in self.world.tasks.iter().filter(|t| t.contact_id.as_deref() == Some(contact)) {
            if task.status == TaskStatus::Done && tasks.contains(&task.task_type.as_str()) {
                times.extend(task.completed_at);
            }
        }
        for text in self.world.texts.iter().filter(|t| t.contact_id.as_deref() == Some(contact)) {
            if text.direction == "out" && text.run_id.is_none() && text.revision.is_none() {
                times.extend(text.accepted_at);
            }
        }
        times.into_iter().filter(|at| *at >= since && *at < since + FOLLOWED).min()
    }

    /// Minute by minute.
    fn open_minutes(&self, from: Timestamp, to: Timestamp) -> i64 {
        let mut open = 0;
        let mut at = from;
        while at < to {
            open += i64::from(self.calendar.is_open(at));
            at = at + Millis::MINUTE;
        }
        Millis::minutes(open).0
    }

    fn leads(&mut self) {
        let leads: Vec<&Contact> = self
            .world
            .contacts
            .iter()
            .filter(|c| self.in_period(c.created_at) && c.merged_into_id.is_none() && self.is_lead(c))
            .collect();
        let sources: BTreeSet<&str> = leads.iter().map(|c| c.source.as_str()).collect();
        for group in std::iter::once("").chain(sources) {
            let mine: Vec<&&Contact> = leads.iter().filter(|c| group.is_empty() || c.source == group).collect();
            let (mut wall, mut open, mut to_booking, mut visited) = (vec![], vec![], vec![], 0);
            for lead in &mine {
                let tasks = ["lead_call", "no_response_followup", "welcome_call", "recall_call"];
                if let Some(at) = self.spoken_to(&lead.id, lead.created_at, &tasks) {
                    wall.push((at - lead.created_at).0);
                    open.push(self.open_minutes(lead.created_at, at));
                }
                let in_time = |b: &&Booking| b.created_at >= lead.created_at && b.created_at < lead.created_at + FOLLOWED;
                let booked: Vec<&Booking> =
                    self.world.bookings.iter().filter(|b| b.contact_id == lead.id).filter(in_time).filter(|b| taken(b)).collect();
                if let Some(first) = booked.iter().map(|b| b.created_at).min() {
                    to_booking.push((first - lead.created_at).0);
                    let came = |b: &&Booking| matches!(b.status, BookingStatus::CheckedIn | BookingStatus::Completed);
                    visited += usize::from(booked.iter().any(came));
                }
            }
            let n = mine.len();
            self.count("leads", group, n);
            self.rate("leads_contacted", group, wall.len(), n);
            self.rate("leads_booked", group, to_booking.len(), n);
            self.rate("leads_visited", group, visited, to_booking.len());
            self.rate("lead_to_visit", group, visited, n);
            self.percentile("lead_to_booking_p50", group, 50, &to_booking, n);
            self.percentile("speed_to_lead_p50", group, 50, &wall, n);
            self.percentile("speed_to_lead_p90", group, 90, &wall, n);
            self.percentile("speed_to_lead_open_p50", group, 50, &open, n);
            self.percentile("speed_to_lead_open_p90", group, 90, &open, n);
        }
    }

    fn replies(&mut self) {
        let mut begun = 0;
        let mut waits = Vec::new();
        for contact in &self.world.contacts {
            let mut texts: Vec<&SmsMessage> =
                self.world.texts.iter().filter(|t| t.contact_id.as_ref() == Some(&contact.id)).collect();
            texts.retain(|t| t.direction == "in" && self.in_period(t.created_at));
            texts.retain(|t| !matches!(self.keywords.intent(&t.body), "yes" | "stop" | "start"));
            texts.sort_by_key(|t| t.id.clone());
            let mut waiting_until: Option<Option<Timestamp>> = None;
            for text in texts {
                let still_waits = match waiting_until {
                    None => false,
                    Some(None) => true,
                    Some(Some(until)) => until > text.created_at,
                };
                if !still_waits {
                    begun += 1;
                    let answered = self.spoken_to(&contact.id, text.created_at, &["sms_reply_review"]);
                    waits.extend(answered.map(|at| (at - text.created_at).0));
                    waiting_until = Some(answered);
                }
            }
        }
        self.percentile("reply_time_p50", "", 50, &waits, begun);
        self.percentile("reply_time_p90", "", 90, &waits, begun);
    }

    fn tasks(&mut self) {
        let due: Vec<&Task> =
            self.world.tasks.iter().filter(|t| self.in_period(t.due_datetime) && t.status != TaskStatus::Cancelled).collect();
        let who = |t: &Task| t.assigned_to.clone().unwrap_or_else(|| "(nobody)".into());
        let done: Vec<&&Task> = due.iter().filter(|t| t.status == TaskStatus::Done).collect();
        let mut doers: BTreeMap<&str, usize> = BTreeMap::new();
        for task in &done {
            *doers.entry(task.completed_by.as_deref().unwrap_or("(unknown)")).or_default() += 1;
        }
        self.count("tasks_done_by", "", done.len());
        for (who, n) in doers {
            self.count("tasks_done_by", who, n);
        }
        let staff: BTreeSet<String> = due.iter().map(|t| who(t)).collect();
        for group in std::iter::once(String::new()).chain(staff) {
            let mine: Vec<&&Task> = due.iter().filter(|t| group.is_empty() || who(t) == group).collect();
            let done = mine.iter().filter(|t| t.status == TaskStatus::Done).count();
            let in_time =
                mine.iter().filter(|t| t.status == TaskStatus::Done && t.completed_at.unwrap() <= t.due_datetime).count();
            let late_done = done - in_time;
            let late_open = mine.iter().filter(|t| t.status.is_open() && t.due_datetime < self.now).count();
            self.count("tasks_due", &group, mine.len());
            self.rate("tasks_done", &group, done, mine.len());
            self.rate("tasks_done_in_time", &group, in_time, mine.len());
            self.rate("tasks_overdue", &group, late_done + late_open, mine.len());
        }
    }

    fn texts(&mut self) {
        let out = || self.world.texts.iter().filter(|t| t.direction == "out");
        let sent: Vec<&SmsMessage> = out().filter(|t| left_at(t).is_some_and(|at| self.in_period(at))).collect();
        let has_failed = |t: &SmsMessage| matches!(t.status, SmsStatus::Failed | SmsStatus::Expired);
        let refused: Vec<&SmsMessage> =
            out().filter(|t| left_at(t).is_none() && has_failed(t) && self.in_period(t.updated_at)).collect();
        let delivered = sent.iter().filter(|t| t.status == SmsStatus::Delivered).count();
        let failed = sent.iter().chain(&refused).filter(|t| has_failed(t)).count();
        let (mut parts, mut priced) = (0, 0);
        let mut costs: BTreeMap<String, i64> = BTreeMap::new();
        for text in &sent {
            let handover = self.world.handovers.iter().find(|h| h.sms_id == text.id);
            parts += handover.and_then(|h| h.billed_parts).unwrap_or(text.parts);
            if let Some((price, handover)) = handover.and_then(|h| Some((h.price_micros?, h))) {
                priced += 1;
                *costs.entry(handover.currency.clone().unwrap()).or_default() += price;
            }
        }
        let numbers: BTreeSet<&str> = sent.iter().map(|t| t.to.as_str()).collect();
        let stops = self.world.stops.iter().filter(|(_, at)| self.in_period(*at)).count();
        let mut recalled: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for text in sent.iter().filter(|t| t.category == SmsCategory::Recall) {
            let at = left_at(text).unwrap();
            let first = recalled.entry(text.contact_id.as_deref().unwrap()).or_insert(at);
            *first = at.min(*first);
        }
        let booked = |(contact, at): &(&&str, &Timestamp)| {
            let after = |b: &&Booking| b.contact_id == **contact && b.created_at > **at && b.created_at < **at + FOLLOWED;
            self.world.bookings.iter().filter(after).any(taken)
        };
        let yielded = recalled.iter().filter(booked).count();
        let (n, tried, numbers, recalled) = (sent.len(), sent.len() + refused.len(), numbers.len(), recalled.len());
        self.count("texts_sent", "", n);
        self.rate("texts_delivered", "", delivered, n);
        self.rate("texts_failed", "", failed, tried);
        self.count("text_parts", "", parts as usize);
        self.rate("texts_priced", "", priced, n);
        for (currency, micros) in costs {
            self.count("text_cost", &currency, micros as usize);
        }
        self.rate("opt_out_rate", "", stops, numbers);
        self.rate("recall_yield", "", yielded, recalled);
    }

    fn attribution(&mut self) {
        let bookings: Vec<&Booking> = self.world.bookings.iter().filter(|b| self.in_period(b.created_at) && taken(b)).collect();
        let mut credit: BTreeMap<(&str, String), f64> = BTreeMap::new();
        let models = ["first", "last", "last_non_direct", "linear", "time_decay", "position"];
        for booking in &bookings {
            let mut touches: Vec<&Touchpoint> =
                self.world.touchpoints.iter().filter(|t| t.contact_id == booking.contact_id).collect();
            touches.retain(|t| {
                t.timestamp > booking.created_at - FOLLOWED && t.timestamp <= booking.created_at + Millis::minutes(10)
            });
            touches.retain(|t| matches!(t.kind.as_str(), "ad_click" | "form" | "manychat_message" | "call_in" | "email"));
            touches.sort_by_key(|t| (t.timestamp, t.id.clone()));
            for model in models {
                if touches.is_empty() {
                    *credit.entry((model, "(none)".into())).or_default() += 1.0;
                }
                let weights: Vec<f64> = (0..touches.len()).map(|i| weight(model, &touches, i, booking.created_at)).collect();
                let all: f64 = weights.iter().sum();
                for (touch, weight) in touches.iter().zip(weights) {
                    let name = touch.source.clone().or(touch.channel.clone()).unwrap_or_else(|| touch.kind.clone());
                    *credit.entry((model, name)).or_default() += weight / all;
                }
            }
        }
        let names: BTreeSet<String> = credit.keys().map(|(_, name)| name.clone()).collect();
        let all = bookings.len() as i64 * 1_000_000;
        self.count("bookings_attributed", "", bookings.len());
        for model in models {
            for name in &names {
                let micros = credit.get(&(model, name.clone())).map_or(0.0, |c| c * 1e6);
                self.put(&format!("attribution_{model}"), name, (None, Some(micros.round() as i64), Some(all)));
            }
        }
    }

    fn rules(&mut self) {
        let ran: Vec<_> = self.world.runs.iter().filter(|r| self.in_period(r.at) && r.outcome != RunOutcome::Skipped).collect();
        let rules: BTreeSet<&str> = ran.iter().map(|r| r.rule_id.as_str()).collect();
        for group in std::iter::once("").chain(rules) {
            let mine: Vec<_> = ran.iter().filter(|r| group.is_empty() || r.rule_id == group).collect();
            let failed = mine.iter().filter(|r| r.outcome == RunOutcome::Failed).count();
            self.count("rule_runs", group, mine.len());
            self.rate("rule_failures", group, failed, mine.len());
        }
    }
}

fn weight(model: &str, touches: &[&Touchpoint], i: usize, booked: Timestamp) -> f64 {
    let n = touches.len();
    let yes = |is: bool| if is { 1.0 } else { 0.0 };
    match model {
        "first" => yes(i == 0),
        "last" => yes(i == n - 1),
        "last_non_direct" => yes(i == touches.iter().rposition(|t| t.source.is_some()).unwrap_or(n - 1)),
        "linear" => 1.0,
        "time_decay" => 0.5f64.powf((booked - touches[i].timestamp).0.max(0) as f64 / Millis::days(7).0 as f64),
        _ if n == 1 => 1.0,
        _ if n == 2 => 0.5,
        _ if i == 0 || i == n - 1 => 0.4,
        _ => 0.2 / (n as f64 - 2.0),
    }
}
