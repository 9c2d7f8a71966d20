//! The past once more, in memory: the simulation does what the clinic did, and a draft's difference is told.

use crate::support::clinic::{Clinic, at};
use crate::support::wix::{Patient, Visit};
use avatar::automation::replay::{Change, Difference, History, Replayed, compare, load, replay};
use avatar::automation::simulate::{Happening, Landed, Rules};
use avatar::domain::time::Millis;
use avatar::engine::{Compiled, Ruleset, Sources, compile};
use std::sync::atomic::AtomicUsize;

on_both_engines!(
    the_simulation_does_what_the_clinic_did,
    the_rules_in_force_against_themselves_make_no_difference,
    a_draft_is_told_as_texts_and_tasks,
    a_window_begins_with_what_was_known_before,
    people_from_before_the_replayed_log_are_known,
);

/// Two weeks in which everything happens once.
fn live(clinic: &Clinic) {
    let (jane, omar) = (Patient::jane(), Patient::new("wix-omar", "Omar", "Haddad", "0491570156"));
    let mut visit = Visit::new(&jane, "visit-1", "2026-12-03T10:30:00+11:00");
    clinic.wix(&visit.created());
    clinic.manychat(&omar, "new_lead", "How much is an MRI?", Some("facebook"));
    clinic.advance("2026-11-24T21:30:00+11:00");
    clinic.wix(&visit.rescheduled("2026-12-04T10:30:00+11:00"));
    clinic.advance("2026-12-02T11:00:00+11:00");
    clinic.reply(&jane, "Yes!");
    let mut other = Visit::new(&omar, "visit-2", "2026-12-08T09:00:00+11:00");
    clinic.wix(&other.created());
    clinic.advance("2026-12-03T12:00:00+11:00");
    clinic.wix(&other.cancelled());
    clinic.advance("2026-12-04T12:00:00+11:00");
    clinic.reply(&jane, "STOP");
    // Events of one millisecond have no order in the log.
    clinic.advance("2026-12-04T12:01:00+11:00");
    clinic.wix(&Visit::new(&jane, "visit-3", "2026-12-20T10:30:00+11:00").created());
    clinic.advance("2026-12-07T09:00:00+11:00");
}

fn history(clinic: &Clinic, since: &str) -> History {
    let (since, until) = (at(since), clinic.now());
    clinic.automation.store.read_now(|conn| load(conn, since, until)).unwrap()
}

fn rules<'a>(clinic: &'a Clinic, ruleset: &'a Ruleset) -> Rules<'a> {
    let automation = &clinic.automation;
    Rules { ruleset, revision: 1, clinic: &automation.clinic, pipelines: &automation.pipelines }
}

/// The shipped rules with one word of one file changed.
fn draft(clinic: &Clinic, file: &str, from: &str, to: &str) -> Ruleset {
    let options = clinic.rules().options();
    let Sources { mut files } = avatar::automation::rulesets::read_sources(options).unwrap();
    let text = files.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} does not say {from}");
    *text = text.replacen(from, to, 1);
    let Compiled { ruleset, diagnostics } = compile(&Sources { files }, clinic.rules().catalogue());
    ruleset.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

fn replayed(clinic: &Clinic, since: &str, before: &Ruleset, after: &Ruleset) -> Replayed {
    let done = AtomicUsize::new(0);
    replay(&history(clinic, since), rules(clinic, before), rules(clinic, after), &done).unwrap()
}

fn difference(clinic: &Clinic, since: &str, after: &Ruleset) -> Difference {
    let in_force = clinic.rules().current().unwrap();
    compare(&replayed(clinic, since, &in_force.ruleset, after), &in_force.ruleset, after)
}

/// `template when`, sorted.
fn texts(happened: &[Happening]) -> Vec<String> {
    let sent = happened.iter().filter(|h| h.kind == "sms" && h.landed == Landed::Done);
    let mut texts: Vec<String> = sent.map(|h| format!("{} {}", h.text("template").unwrap(), h.at.to_rfc3339())).collect();
    texts.sort();
    texts
}

fn the_simulation_does_what_the_clinic_did(clinic: &Clinic) {
    live(clinic);
    let in_force = clinic.rules().current().unwrap();
    let replayed = replayed(clinic, "2026-11-23T08:00:00+11:00", &in_force.ruleset, &in_force.ruleset);
    let mut real: Vec<String> = clinic
        .words("SELECT template || ' ' || accepted_at AS value FROM sms_messages WHERE direction = 'out' AND accepted_at IS NOT NULL")
        .into_iter()
        .map(|line| {
            let (template, when) = line.split_once(' ').unwrap();
            format!("{template} {}", avatar::domain::time::Timestamp(when.parse().unwrap()).to_rfc3339())
        })
        .collect();
    real.sort();
    assert!(real.len() >= 8, "{real:#?}");
    assert_eq!(texts(&replayed.before), real);
    let done = |kind: &str| replayed.before.iter().filter(|h| h.kind == kind && h.landed == Landed::Done).count() as i64;
    assert_eq!(done("task"), clinic.number("SELECT COUNT(*) AS value FROM tasks WHERE run_id IS NOT NULL AND type <> 'alert'"));
    assert_eq!(done("move"), clinic.count("pipeline_transitions"));
}

fn the_rules_in_force_against_themselves_make_no_difference(clinic: &Clinic) {
    live(clinic);
    let in_force = clinic.rules().current().unwrap();
    for since in ["2026-11-23T00:00:00+11:00", "2026-11-27T00:00:00+11:00", "2026-12-04T10:30:00+11:00"] {
        let found = difference(clinic, since, &in_force.ruleset);
        assert!(found.is_empty(), "{since}: {found:#?}");
    }
}

fn a_draft_is_told_as_texts_and_tasks(clinic: &Clinic) {
    live(clinic);
    let draft = draft(
        clinic,
        "rules/reminders.yaml",
        "    if: booking.status == \"scheduled\"\n    do:\n      - sms: reminder_24hr",
        "    do:\n      - sms: reminder_24hr",
    );
    let found = difference(clinic, "2026-11-23T00:00:00+11:00", &draft);
    let rule = &found.rules[0];
    assert_eq!((found.rules.len(), rule.rule_id.as_str(), rule.tally.texts.added), (1, "reminder-24h", 1), "{found:#?}");
    let text = rule.items.iter().find(|item| item.kind == "sms").unwrap();
    assert_eq!((text.change, text.name.as_str(), text.at), (Change::Added, "reminder_24hr", at("2026-12-03T10:30:00+11:00")));
    assert_eq!(found.total.parts(), 1);
    let names =
        clinic.words(&format!("SELECT first_name AS value FROM contacts WHERE id = '{}'", text.contact_id.as_ref().unwrap()));
    assert_eq!(names, ["Jane"], "the simulated contact is the real one");
    assert_eq!(
        clinic.number("SELECT COUNT(*) AS value FROM sms_messages WHERE template = 'reminder_24hr'"),
        0,
        "nothing is written"
    );
}

fn a_window_begins_with_what_was_known_before(clinic: &Clinic) {
    live(clinic);
    // Only the last day of Jane's booking is in the window: it was made, moved and confirmed before.
    let draft = draft(clinic, "rules/reminders.yaml", "before: 2h, late: 45m", "before: 3h, late: 45m");
    let found = difference(clinic, "2026-12-04T06:00:00+11:00", &draft);
    let changed: Vec<_> = found.rules.iter().flat_map(|r| &r.items).map(|i| (i.change, i.name.as_str(), i.at)).collect();
    let eight = at("2026-12-04T08:30:00+11:00");
    assert_eq!(changed, [(Change::Changed, "reminder_2hr", eight - Millis::minutes(30))], "quiet hours end at eight");
}

fn people_from_before_the_replayed_log_are_known(clinic: &Clinic) {
    live(clinic);
    clinic.clock.set(at("2027-03-01T09:00:00+11:00"));
    clinic.wix(&Visit::new(&Patient::jane(), "visit-4", "2027-03-09T10:30:00+11:00").created());
    let in_force = clinic.rules().current().unwrap();
    let history = history(clinic, "2027-02-28T00:00:00+11:00");
    assert!(history.before.is_empty() && history.seeds.len() == 2, "the first weeks are not replayed");
    let done = AtomicUsize::new(0);
    let sides = rules(clinic, &in_force.ruleset);
    let replayed = replay(&history, sides, sides, &done).unwrap();
    let texts: Vec<_> = replayed.before.iter().filter(|h| h.kind == "sms").collect();
    assert_eq!(texts.len(), 1, "{texts:#?}");
    assert_eq!(texts[0].landed, Landed::Withheld("opted_out".into()), "her STOP of December is known");
    let jane = clinic.words("SELECT id AS value FROM contacts WHERE first_name = 'Jane'");
    assert_eq!(texts[0].contact_id.as_ref(), jane.first());
}
