//! A report is kept for an hour, unless a record of its period changes.

use super::world::Random;
use super::{clinic, get, period, stores};
use crate::store::TestStore;
use crate::support::records::Records;
use avatar::automation::reports::{Answer, Kind};
use avatar::domain::time::{Millis, Timestamp};
use avatar::store::reports as kept;
use avatar::store::views::PageRequest;

const START: &str = "2026-03-02";
const TZ: chrono_tz::Tz = chrono_tz::Australia::Sydney;

struct Kept {
    t: TestStore,
    now: Timestamp,
}

impl Kept {
    fn get(&self) -> Answer {
        get(&self.t, &clinic(TZ), period(Kind::Weekly, START, TZ), self.now)
    }

    /// Whether the report is counted anew after a change made by `statement`, and true.
    fn is_fresh_after(&self, statement: &str) -> bool {
        Records { url: self.t.url.clone() }.execute(statement);
        !self.get().was_kept
    }
}

fn each() -> impl Iterator<Item = Kept> {
    let span = period(Kind::Weekly, START, TZ).span;
    stores().map(move |t| {
        Random::world(7, span, 40).write(&t);
        Kept { t, now: span.to + Millis::hours(9) }
    })
}

#[test]
fn a_report_is_kept_for_an_hour() {
    for mut kept in each() {
        let first = kept.get();
        assert!(!first.was_kept && first.report.is_over() && !first.report.is_final());
        kept.now = kept.now + Millis::minutes(59);
        let second = kept.get();
        assert!(second.was_kept);
        assert_eq!(second.report, first.report, "as it was");
        kept.now = kept.now + Millis::minutes(1);
        assert!(!kept.get().was_kept);
        kept.now = kept.now + Millis::days(100);
        assert!(kept.get().report.is_final());
    }
}

#[test]
fn one_of_a_running_week_ends_with_it() {
    for mut kept in each() {
        let end = period(Kind::Weekly, START, TZ).span.to;
        kept.now = end - Millis::MINUTE;
        assert!(!kept.get().report.is_over());
        kept.now = end;
        let after = kept.get();
        assert!(!after.was_kept && after.report.is_over());
    }
}

/// One of each kind of record that the figures are counted from. `{from}` and `{to}` are the period's ends.
const LATE: &[(&str, &str)] = &[
    (
        "an appointment turns out to be a no-show",
        "UPDATE bookings SET status = 'no_show', version = version + 1 WHERE id = (SELECT MIN(id) FROM bookings WHERE appointment_datetime >= {from} AND appointment_datetime < {to})",
    ),
    (
        "two appointments change places with another week's",
        "UPDATE bookings SET version = 9, appointment_datetime = CASE WHEN appointment_datetime < {to} THEN appointment_datetime + 86400000 * 14 ELSE appointment_datetime - 86400000 * 14 END \
         WHERE id IN ((SELECT MAX(id) FROM bookings WHERE appointment_datetime >= {from} AND appointment_datetime < {to}), \
         (SELECT MAX(id) FROM bookings WHERE appointment_datetime >= {from} + 86400000 * 14 AND appointment_datetime < {to} + 86400000 * 14))",
    ),
    (
        "who came on the waiting list gets an appointment",
        "UPDATE bookings SET version = version + 1 WHERE id = (SELECT MIN(booking_id) FROM event_log WHERE event_type = 'waitlist_joined' AND timestamp >= {from} AND timestamp < {to})",
    ),
    (
        "a lead of the period is called",
        "UPDATE contacts SET version = version + 1 WHERE id = (SELECT MIN(id) FROM contacts WHERE created_at >= {from} AND created_at < {to})",
    ),
    (
        "a task is done",
        "UPDATE tasks SET status = 'done', completed_at = {to}, version = version + 1 WHERE id = (SELECT MIN(id) FROM tasks WHERE status = 'todo' AND due_datetime >= {from} AND due_datetime < {to})",
    ),
    (
        "a receipt comes late",
        "UPDATE sms_messages SET status = 'delivered', updated_at = updated_at + 1 WHERE id = (SELECT MIN(id) FROM sms_messages WHERE direction = 'out' AND accepted_at >= {from} AND accepted_at < {to})",
    ),
    (
        "a price comes late",
        "UPDATE sms_handovers SET price_micros = COALESCE(price_micros, 0) + 77000, currency = 'AUD' WHERE sms_id = (SELECT MIN(s.id) FROM sms_messages s JOIN sms_handovers h ON h.sms_id = s.id WHERE s.accepted_at >= {from} AND s.accepted_at < {to})",
    ),
    ("a number says STOP", "INSERT INTO suppressions (phone, reason, at) VALUES ('+61491579999', 'stop', {from})"),
    (
        "who wrote in the period is answered",
        "UPDATE contacts SET version = version + 1 WHERE id = (SELECT MIN(contact_id) FROM sms_messages WHERE direction = 'in' AND created_at >= {from} AND created_at < {to})",
    ),
];

#[test]
fn any_late_change_of_the_period_is_seen_at_once() {
    let span = period(Kind::Weekly, START, TZ).span;
    for kept in each() {
        kept.get();
        for (what, statement) in LATE {
            assert!(kept.get().was_kept, "nothing has changed before {what}");
            let statement = statement.replace("{from}", &span.from.0.to_string()).replace("{to}", &span.to.0.to_string());
            assert!(kept.is_fresh_after(&statement), "{what}");
        }
    }
}

#[test]
fn what_is_of_another_week_changes_nothing() {
    let to = period(Kind::Weekly, START, TZ).span.to.0;
    for kept in each() {
        let before = kept.get();
        // A booking of other weeks only, of somebody who has nothing in this one.
        let statement = format!(
            "INSERT INTO suppressions (phone, reason, at) VALUES ('+61491579999', 'stop', {to}); \
             UPDATE tasks SET version = version + 1 WHERE due_datetime >= {to};"
        );
        for statement in statement.split_terminator(';') {
            assert!(!kept.is_fresh_after(statement));
        }
        assert_eq!(kept.get().report, before.report);
    }
}

#[test]
fn what_is_kept_is_listed_and_told_when_it_is_out_of_date() {
    for kept in each() {
        let first = kept.get().report;
        let other = period(Kind::Monthly, "2026-02-01", TZ);
        get(&kept.t, &clinic(TZ), other, kept.now);
        let page = PageRequest { after: None, limit: 1 };
        let newest = kept.t.store.read_now(|conn| kept::list(conn, None, &page)).unwrap();
        assert_eq!((newest.total, newest.items[0].kind.as_str(), newest.items[0].stale), (2, "weekly", false));
        assert_eq!(newest.items[0].period_start, first.from.0);
        let rest = PageRequest { after: newest.next, limit: 5 };
        let rest = kept.t.store.read_now(|conn| kept::list(conn, None, &rest)).unwrap();
        assert_eq!(rest.items.iter().map(|i| i.kind.as_str()).collect::<Vec<_>>(), ["monthly"]);
        let monthly = kept.t.store.read_now(|conn| kept::list(conn, Some("monthly"), &page)).unwrap();
        assert_eq!((monthly.total, monthly.items.len()), (1, 1));
    }
}
