//! What people have agreed to, how many texts are enough, and when it is too late: asked when a text is planned and when it leaves.

use super::guard::{lead, put_in_force};
use crate::support::clinic::{Clinic, Installation, MONDAY_9AM};
use crate::support::wix::{Patient, Visit};
use std::sync::Arc;

on_both_engines!(
    marketing_needs_consent,
    who_wants_no_texts_gets_none_of_any_kind,
    consent_that_is_withdrawn_holds_for_what_waits_already,
    a_reminder_that_was_held_back_past_its_appointment_is_never_sent,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";
const OFFER: &str = "{{!-- category: marketing --}}\nHi {{contact.first_name}}, {{clinic.name}} is open on Saturdays now. Reply STOP to opt out.\n";

/// A rule that offers something to new leads, for whom `extra` is done first.
fn offering(clinic: &Clinic, extra: &str) {
    clinic.installation.write("sms_templates/offer.hbs", OFFER);
    put_in_force(
        clinic,
        &format!("rules:\n  - id: offer\n    when: {{ event: lead_created }}\n    do:\n{extra}      - sms: offer\n"),
    );
}

fn offers(clinic: &Clinic) -> Vec<String> {
    clinic.texts().into_iter().filter(|text| text.starts_with("offer ")).collect()
}

fn marketing_needs_consent(clinic: &Clinic) {
    offering(clinic, "");
    lead(clinic, 1);
    assert_eq!(offers(clinic), ["offer suppressed: no_consent -"]);
    offering(clinic, "      - set: { contact.marketing_consent: granted }\n");
    lead(clinic, 2);
    assert_eq!(offers(clinic).last().map(String::as_str), Some("offer accepted Mon 11-23 09:00"), "{:?}", clinic.texts());
    let traces = clinic.words("SELECT trace AS value FROM automation_runs WHERE rule_id = 'offer'");
    assert!(traces.iter().any(|trace| trace.contains("no_consent")), "why tells it: {traces:?}");
}

fn who_wants_no_texts_gets_none_of_any_kind(clinic: &Clinic) {
    put_in_force(
        clinic,
        "rules:\n  - id: no-texts\n    when: { event: booking_created }\n    do:\n      - set: { contact.sms_consent: denied }\n",
    );
    let jane = Patient::jane();
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    clinic.advance("2026-11-30T11:00:00+11:00");
    assert_eq!(clinic.sent_to(&jane.mobile()), 0, "{:?}", clinic.texts());
    assert!(clinic.texts().iter().any(|t| t.starts_with("reminder_24hr suppressed: no_consent")), "{:?}", clinic.texts());
    let shown = clinic.get("/api/contacts").json();
    assert_eq!(shown["items"][0]["sms_consent"], "denied");
}

/// Planned at night with consent; taken back before the morning.
fn consent_that_is_withdrawn_holds_for_what_waits_already(clinic: &Clinic) {
    offering(clinic, "      - set: { contact.marketing_consent: granted }\n");
    clinic.advance("2026-11-23T22:00:00+11:00");
    lead(clinic, 1);
    assert_eq!(offers(clinic), ["offer scheduled: quiet_hours Tue 11-24 08:00"]);
    clinic.execute("UPDATE contacts SET marketing_consent = 'denied'");
    clinic.advance("2026-11-24T09:00:00+11:00");
    assert_eq!(offers(clinic), ["offer suppressed: no_consent Tue 11-24 08:00"]);
}

/// The outbox stands still until the appointment is over.
fn a_reminder_that_was_held_back_past_its_appointment_is_never_sent(clinic: &Clinic) {
    let jane = Patient::jane();
    clinic.wix(&Visit::new(&jane, "mri", "2026-11-23T12:30:00+11:00").created());
    assert_eq!(clinic.sent_to(&jane.mobile()), 1);
    clinic.execute("INSERT INTO queues (name, paused_at) VALUES ('sms', 1)");
    clinic.advance("2026-11-23T13:00:00+11:00");
    assert!(clinic.texts().contains(&"reminder_2hr queued Mon 11-23 10:30".to_owned()), "{:?}", clinic.texts());
    clinic.execute("DELETE FROM queues WHERE name = 'sms'");
    clinic.advance("2026-11-23T13:05:00+11:00");
    assert_eq!(clinic.sent_to(&jane.mobile()), 1, "{:?}", clinic.texts());
    let late = clinic.texts().into_iter().find(|t| t.starts_with("reminder_2hr")).unwrap();
    assert!(late.starts_with("reminder_2hr suppressed: "), "{late}");
}

/// The clinic with other caps.
fn capped(installation: Arc<Installation>, caps: &str) -> Clinic {
    let text = installation.read("config/clinic.yaml");
    let shipped = "caps: { per_number: 8, per_rule: 1000, in_all: 3000 }";
    assert!(text.contains(shipped));
    installation.write("config/clinic.yaml", &text.replace(shipped, &format!("caps: {caps}")));
    Clinic::open(installation, MONDAY_9AM)
}

fn on_each(caps: &str, story: impl Fn(&Clinic)) {
    for installation in [Some(Installation::sqlite()), Installation::postgres()].into_iter().flatten() {
        let clinic = capped(installation, caps);
        story(&clinic);
        clinic.check();
    }
}

fn alerts(clinic: &Clinic) -> Vec<String> {
    clinic.words("SELECT because AS value FROM tasks WHERE type = 'rule_alert' ORDER BY because")
}

#[test]
fn one_number_gets_so_many_texts_in_a_day() {
    on_each("{ per_number: 2, per_rule: 1000, in_all: 3000 }", |clinic| {
        let jane = Patient::jane();
        for (id, at) in
            [("a", "2026-11-30T10:30:00+11:00"), ("b", "2026-12-01T10:30:00+11:00"), ("c", "2026-12-02T10:30:00+11:00")]
        {
            clinic.wix(&Visit::new(&jane, id, at).created());
        }
        let texts = clinic.texts();
        assert_eq!(clinic.sent_to(&jane.mobile()), 2, "{texts:?}");
        assert!(texts.contains(&"booking_confirmation suppressed: cap:number -".to_owned()), "{texts:?}");
        assert_eq!(alerts(clinic), ["More than 2 texts of one number in a day; see `texts` in config/clinic.yaml"]);
        clinic.advance("2026-11-24T09:00:00+11:00");
        clinic.wix(&Visit::new(&jane, "d", "2026-12-03T10:30:00+11:00").created());
        assert_eq!(clinic.sent_to(&jane.mobile()), 3, "another day: {:?}", clinic.texts());
    });
}

/// Many events are decided before any of their texts leaves: the outbox has the last word.
#[test]
fn a_rule_that_runs_wild_stops_at_its_cap() {
    on_each("{ per_number: 8, per_rule: 3, in_all: 3000 }", |clinic| {
        for number in 1..=6 {
            let person = Patient::new(&format!("w{number}"), "Kim", "Lee", &format!("04910000{number:02}"));
            assert_eq!(clinic.post_manychat(&person, "lead_created", "Hello", None).status, 200);
        }
        clinic.work_only_automation();
        clinic.settle();
        let texts = clinic.texts();
        let (left, kept): (Vec<_>, Vec<_>) = texts.iter().partition(|t| t.starts_with("lead_ack accepted"));
        assert_eq!((left.len(), kept.len()), (3, 3), "{texts:?}");
        assert!(kept.iter().all(|t| t.contains("suppressed: cap:rule")), "{texts:?}");
        assert_eq!(alerts(clinic).len(), 1, "told once");
    });
}

#[test]
fn the_whole_clinic_sends_so_many_texts_in_a_day() {
    on_each("{ per_number: 8, per_rule: 1000, in_all: 2 }", |clinic| {
        for number in 1..=4 {
            lead(clinic, number);
        }
        let texts = clinic.texts();
        assert_eq!(texts.iter().filter(|t| t.contains("accepted")).count(), 2, "{texts:?}");
        assert_eq!(texts.iter().filter(|t| t.contains("suppressed: cap:day")).count(), 2, "{texts:?}");
        clinic.advance("2026-11-24T09:00:00+11:00");
        lead(clinic, 5);
        let texts = clinic.texts();
        let left = texts.iter().filter(|t| t.contains(" accepted Tue 11-24")).count();
        assert!((1..=2).contains(&left), "another day: {texts:?}");
    });
}
