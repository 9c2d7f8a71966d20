//! Every figure by hand, over a clinic that is small enough to count on paper.

use super::world::World;
use super::{clinic, get, period, stores};
use crate::support::clinic::at;
use avatar::automation::reports::{Figure, Kind, Shown};
use avatar::domain::booking::BookingStatus;
use avatar::domain::event::RunOutcome;
use avatar::domain::sms::{SmsCategory, SmsStatus};

/// The week of Monday, 2 March 2026.
fn small_clinic() -> World {
    let mut w = World::default();
    // Ann clicks an ad, writes, is called after 20 minutes, books on Wednesday and comes on Friday.
    let ann = w.contact("Ann Lee", "google", at("2026-03-02T10:00:00+11:00"));
    w.event(&ann, "lead_created", "web", at("2026-03-02T10:00:00+11:00"));
    w.touch(&ann, "ad_click", Some("google"), at("2026-02-25T09:00:00+11:00"));
    w.touch(&ann, "form", Some("newsletter"), at("2026-02-28T09:00:00+11:00"));
    w.touch(&ann, "manychat_message", None, at("2026-03-04T09:00:00+11:00"));
    w.touch(&ann, "call_out", None, at("2026-03-02T10:20:00+11:00"));
    let friday = at("2026-03-06T09:00:00+11:00");
    let visit = w.booking(&ann, at("2026-03-04T09:00:00+11:00"), friday, BookingStatus::Completed);
    visit.patient_confirmed_at = Some(at("2026-03-05T09:05:00+11:00"));
    visit.confirmed_via = Some("sms".into());
    let visit = visit.id.clone();
    let reminder = w.text(&ann, "+61491570001", at("2026-03-05T09:00:00+11:00"), SmsStatus::Delivered);
    reminder.booking_id = Some(visit);
    reminder.template = Some("reminder_24hr".into());
    reminder.parts = 2;
    w.priced(Some(79_000), "AUD", None);
    w.received(&ann, "YES", at("2026-03-05T09:05:00+11:00"));
    // Bob writes at night and is texted by a person the next morning. He does not book.
    let bob = w.contact("Bob Day", "facebook", at("2026-03-03T20:00:00+11:00"));
    w.event(&bob, "manychat_message", "manychat", at("2026-03-03T20:00:00+11:00"));
    let by_hand = w.text(&bob, "+61491570002", at("2026-03-04T08:30:00+11:00"), SmsStatus::Failed);
    by_hand.run_id = None;
    w.received(&bob, "what does it cost please", at("2026-03-04T08:00:00+11:00"));
    w.received(&bob, "are you there", at("2026-03-04T08:10:00+11:00"));
    // Cleo is nobody's lead: she booked. She was reminded, said nothing and did not come.
    let cleo = w.contact("Cleo May", "wix", at("2026-02-20T10:00:00+11:00"));
    w.event(&cleo, "booking_created", "wix", at("2026-02-20T10:00:00+11:00"));
    let missed = w.booking(&cleo, at("2026-02-20T10:00:00+11:00"), at("2026-03-05T11:00:00+11:00"), BookingStatus::NoShow);
    let missed = missed.id.clone();
    let reminder = w.text(&cleo, "+61491570003", at("2026-03-03T11:00:00+11:00"), SmsStatus::Delivered);
    reminder.booking_id = Some(missed);
    reminder.template = Some("reminder_48hr".into());
    // Dee cancels three hours before; she had been told of a recall, and books again.
    let dee = w.contact("Dee Fox", "wix", at("2026-02-10T10:00:00+11:00"));
    let gone = w.booking(&dee, at("2026-02-26T10:00:00+11:00"), at("2026-03-04T15:00:00+11:00"), BookingStatus::Cancelled);
    gone.cancelled_at = Some(at("2026-03-04T12:00:00+11:00"));
    let recall = w.text(&dee, "+61491570004", at("2026-03-02T12:00:00+11:00"), SmsStatus::Accepted);
    recall.category = SmsCategory::Recall;
    w.booking(&dee, at("2026-03-08T23:59:00+11:00"), at("2026-04-01T10:00:00+11:00"), BookingStatus::Scheduled);
    // Eve waits for a place twice over and gets one; Flo still waits.
    for (name, status) in [("Eve Orr", BookingStatus::Scheduled), ("Flo Ray", BookingStatus::Waitlisted)] {
        let who = w.contact(name, "wix", at("2026-02-11T10:00:00+11:00"));
        let id = w.booking(&who, at("2026-02-12T10:00:00+11:00"), at("2026-04-02T10:00:00+11:00"), status).id.clone();
        w.waits(&who, &id, at("2026-03-03T10:00:00+11:00"));
        w.waits(&who, &id, at("2026-03-04T10:00:00+11:00"));
    }
    w.stops.push(("+61491570009".into(), at("2026-03-03T10:00:00+11:00")));
    // One task in time, one late, one forgotten, one cancelled.
    for (who, due, done) in [
        (Some("reception"), "2026-03-02T12:00:00+11:00", Some("2026-03-02T12:00:00+11:00")),
        (Some("reception"), "2026-03-03T12:00:00+11:00", Some("2026-03-03T12:01:00+11:00")),
        (None, "2026-03-04T12:00:00+11:00", None),
    ] {
        let task = w.task(None, "referral_check", at(due), done.map(at));
        task.assigned_to = who.map(Into::into);
        task.completed_by = done.map(|_| "ann".into());
    }
    w.task(None, "referral_check", at("2026-03-04T12:00:00+11:00"), None).status = avatar::domain::task::TaskStatus::Cancelled;
    w.run("welcome", RunOutcome::Fired, at("2026-03-02T00:00:00+11:00"));
    w.run("welcome", RunOutcome::Fired, at("2026-03-08T23:59:59+11:00"));
    w.run("remind", RunOutcome::Failed, at("2026-03-05T09:00:00+11:00"));
    // The next week's, and the last one's.
    w.run("welcome", RunOutcome::Fired, at("2026-03-09T00:00:00+11:00"));
    w.run("welcome", RunOutcome::Fired, at("2026-03-01T23:59:59+11:00"));
    w
}

/// `show_rate [google] 0.5 (1/2)`
fn line(figure: &Figure) -> String {
    let group = figure.group.as_ref().map(|g| format!(" [{g}]")).unwrap_or_default();
    let value = match figure.value() {
        None => "null".to_owned(),
        Some(Shown::Whole(n)) => n.to_string(),
        Some(Shown::Rate(rate)) => format!("{rate:.4}"),
    };
    let part = |n: Option<i64>| n.map_or("-".to_owned(), |n| n.to_string());
    format!("{}{group} {value} ({}/{})", figure.name, part(figure.numerator), part(figure.denominator))
}

#[test]
fn every_figure_of_a_small_clinic_is_what_a_hand_counts() {
    let (clinic, week) = (clinic(chrono_tz::Australia::Sydney), period(Kind::Weekly, "2026-03-02", chrono_tz::Australia::Sydney));
    for t in stores() {
        small_clinic().write(&t);
        let report = get(&t, &clinic, week, at("2026-03-20T09:00:00+11:00")).report;
        let lines: Vec<String> = report.figures.iter().map(line).collect();
        assert_eq!(lines.join("\n"), EXPECTED.trim(), "{}", lines.join("\n"));
    }
}

/// Ann: call after 20 minutes. Bob: after 12 h 30 min, of which 8:00 to 8:30 is open. Both: 20 and 30 open minutes.
/// Ann's touches are 7, 4 and 0 days old: 0.5 : 0.5^(4/7) : 1 is 230101.9 : 309694.2 : 460203.8 millionths.
const EXPECTED: &str = "
bookings_made 2 (2/-)
bookings_made [completed] 1 (1/-)
bookings_made [scheduled] 1 (1/-)
bookings_made_period_before 1 (1/-)
bookings_made_last_year 0 (0/-)
waitlist_filled 0.5000 (1/2)
appointments 3 (3/-)
appointments [cancelled] 1 (1/-)
appointments [completed] 1 (1/-)
appointments [no_show] 1 (1/-)
confirmed_by_reply 0.5000 (1/2)
show_rate 0.5000 (1/2)
no_show_rate 0.5000 (1/2)
late_cancel_rate 0.3333 (1/3)
show_rate_by_reminder [reminded_confirmed] 1.0000 (1/1)
show_rate_by_reminder [reminded_unconfirmed] 0.0000 (0/1)
show_rate_by_reminder [not_reminded] null (0/0)
leads 2 (2/-)
leads [facebook] 1 (1/-)
leads [google] 1 (1/-)
leads_contacted 1.0000 (2/2)
leads_contacted [facebook] 1.0000 (1/1)
leads_contacted [google] 1.0000 (1/1)
leads_booked 0.5000 (1/2)
leads_booked [facebook] 0.0000 (0/1)
leads_booked [google] 1.0000 (1/1)
leads_visited 1.0000 (1/1)
leads_visited [facebook] null (0/0)
leads_visited [google] 1.0000 (1/1)
lead_to_visit 0.5000 (1/2)
lead_to_visit [facebook] 0.0000 (0/1)
lead_to_visit [google] 1.0000 (1/1)
lead_to_booking_p50 169200000 (1/2)
lead_to_booking_p50 [facebook] null (0/1)
lead_to_booking_p50 [google] 169200000 (1/1)
speed_to_lead_p50 1200000 (2/2)
speed_to_lead_p50 [facebook] 45000000 (1/1)
speed_to_lead_p50 [google] 1200000 (1/1)
speed_to_lead_p90 45000000 (2/2)
speed_to_lead_p90 [facebook] 45000000 (1/1)
speed_to_lead_p90 [google] 1200000 (1/1)
speed_to_lead_open_p50 1200000 (2/2)
speed_to_lead_open_p50 [facebook] 1800000 (1/1)
speed_to_lead_open_p50 [google] 1200000 (1/1)
speed_to_lead_open_p90 1800000 (2/2)
speed_to_lead_open_p90 [facebook] 1800000 (1/1)
speed_to_lead_open_p90 [google] 1200000 (1/1)
reply_time_p50 1800000 (1/1)
reply_time_p90 1800000 (1/1)
tasks_due 3 (3/-)
tasks_due [(nobody)] 1 (1/-)
tasks_due [reception] 2 (2/-)
tasks_done 0.6667 (2/3)
tasks_done [(nobody)] 0.0000 (0/1)
tasks_done [reception] 1.0000 (2/2)
tasks_done_in_time 0.3333 (1/3)
tasks_done_in_time [(nobody)] 0.0000 (0/1)
tasks_done_in_time [reception] 0.5000 (1/2)
tasks_overdue 0.6667 (2/3)
tasks_overdue [(nobody)] 1.0000 (1/1)
tasks_overdue [reception] 0.5000 (1/2)
tasks_done_by 2 (2/-)
tasks_done_by [ann] 2 (2/-)
texts_sent 4 (4/-)
texts_delivered 0.5000 (2/4)
texts_failed 0.2500 (1/4)
text_parts 5 (5/-)
texts_priced 0.2500 (1/4)
text_cost [AUD] 79000 (79000/-)
opt_out_rate 0.2500 (1/4)
bookings_attributed 2 (2/-)
attribution_first [(none)] 0.5000 (1000000/2000000)
attribution_first [google] 0.5000 (1000000/2000000)
attribution_first [manychat] 0.0000 (0/2000000)
attribution_first [newsletter] 0.0000 (0/2000000)
attribution_last [(none)] 0.5000 (1000000/2000000)
attribution_last [google] 0.0000 (0/2000000)
attribution_last [manychat] 0.5000 (1000000/2000000)
attribution_last [newsletter] 0.0000 (0/2000000)
attribution_last_non_direct [(none)] 0.5000 (1000000/2000000)
attribution_last_non_direct [google] 0.0000 (0/2000000)
attribution_last_non_direct [manychat] 0.0000 (0/2000000)
attribution_last_non_direct [newsletter] 0.5000 (1000000/2000000)
attribution_linear [(none)] 0.5000 (1000000/2000000)
attribution_linear [google] 0.1667 (333333/2000000)
attribution_linear [manychat] 0.1667 (333334/2000000)
attribution_linear [newsletter] 0.1667 (333333/2000000)
attribution_time_decay [(none)] 0.5000 (1000000/2000000)
attribution_time_decay [google] 0.1151 (230101/2000000)
attribution_time_decay [manychat] 0.2301 (460204/2000000)
attribution_time_decay [newsletter] 0.1548 (309695/2000000)
attribution_position [(none)] 0.5000 (1000000/2000000)
attribution_position [google] 0.2000 (400000/2000000)
attribution_position [manychat] 0.2000 (400000/2000000)
attribution_position [newsletter] 0.1000 (200000/2000000)
recall_yield 1.0000 (1/1)
rule_runs 3 (3/-)
rule_runs [remind] 1 (1/-)
rule_runs [welcome] 2 (2/-)
rule_failures 0.3333 (1/3)
rule_failures [remind] 1.0000 (1/1)
rule_failures [welcome] 0.0000 (0/2)
";

#[test]
fn a_week_without_anything_has_no_rates() {
    let (clinic, week) = (clinic(chrono_tz::Australia::Sydney), period(Kind::Weekly, "2026-03-02", chrono_tz::Australia::Sydney));
    for t in stores() {
        let report = get(&t, &clinic, week, at("2026-03-20T09:00:00+11:00")).report;
        for figure in &report.figures {
            let is_count = figure.denominator.is_none();
            let expected = if is_count { Some(Shown::Whole(0)) } else { None };
            assert_eq!(figure.value(), expected, "{}", line(figure));
        }
    }
}
