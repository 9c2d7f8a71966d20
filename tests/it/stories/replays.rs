//! The past once more, in memory: the simulation does what the clinic did, and a draft's difference is told.

use super::waits::only;
use crate::support::clinic::{Clinic, at};
use crate::support::wix::{Patient, Visit};
use avatar::automation::by_hand::{Subject, run_rule};
use avatar::automation::replay::{Change, Difference, History, Replayed, compare, load, replay};
use avatar::automation::simulate::{Happening, Landed, Rules};
use avatar::domain::time::Millis;
use avatar::engine::{Compiled, Ruleset, Sources, compile};
use serde_json::{Value, json};
use std::sync::atomic::AtomicUsize;

on_both_engines!(
    the_simulation_does_what_the_clinic_did,
    the_rules_in_force_against_themselves_make_no_difference,
    a_draft_is_told_as_texts_and_tasks,
    a_window_begins_with_what_was_known_before,
    people_from_before_the_replayed_log_are_known,
    late_tasks_are_told_in_a_replay_as_they_were,
    a_rule_about_late_tasks_that_is_new_hears_only_of_the_window,
    a_replay_is_asked_for_over_the_api_one_at_a_time,
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
    let alerts = "SELECT COUNT(*) AS value FROM tasks WHERE run_id IS NOT NULL AND type = 'alert'";
    assert_eq!(done("alert"), clinic.number(alerts), "late tasks and reports");
    let late = "SELECT COUNT(*) AS value FROM automation_runs WHERE rule_id = 'task-overdue' AND outcome = 'fired'";
    assert!(clinic.number(late) > 0, "some task was late");
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

/// Who is told of late tasks, and of tasks that are done.
const LATE: &str = r#"rules:
  - id: call
    when: { event: lead_created }
    do: [ { task: { type: lead_call, title: "Call {{contact.first_name}}", due: =now + 1.hours } } ]
  - id: monday
    owner: manager
    when: { every: monday, at: "10:00" }
    do: [ { alert: Look } ]
  - id: late
    when: { event: task_overdue }
    if: contact != ()
    do: [ { task: { type: confirm_call, title: "Late: {{task.title}}", due: =now + 4.hours } } ]
  - id: later
    when: { event: task_overdue }
    if: contact != () and task.type == "confirm_call"
    do: [ { note: "later: {{task.title}}" } ]
  - id: report-late
    owner: manager
    when: { event: task_overdue }
    if: contact == () and task.title == "Look"
    do: [ { alert: "Nobody has looked" } ]
  - id: done
    when: { event: task_completed }
    do: [ { note: "done: {{task.title}}" } ]
  - id: by-hand
    when: { manual: contact }
    do: [ { note: by hand } ]
"#;

/// These rules and no others.
fn rules_only(clinic: &Clinic, rules: &str) {
    for name in ["attendance", "recalls", "upkeep"] {
        let _ = std::fs::remove_file(clinic.installation.file(&format!("rules/{name}.yaml")));
    }
    only(clinic, rules);
}

/// Two leads in a week: of one nobody takes care, of the other somebody does in time.
fn late_leads(clinic: &Clinic) {
    rules_only(clinic, LATE);
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    clinic.advance("2026-11-23T18:00:00+11:00");
    clinic.advance("2026-11-24T09:00:00+11:00");
    clinic.manychat(&Patient::new("m2", "Omar", "Haddad", "0491570156"), "new_lead", "MRI please", None);
    clinic.advance("2026-11-24T09:30:00+11:00");
    let task = clinic.words("SELECT id AS value FROM tasks WHERE title = 'Call Omar'").remove(0);
    assert_eq!(clinic.complete(&task).status, 200);
    // Events of one millisecond have no order in the log.
    clinic.advance("2026-11-24T09:31:00+11:00");
    let contact = clinic.words("SELECT id AS value FROM contacts WHERE first_name = 'Omar'").remove(0);
    let in_force = clinic.rules().current().unwrap();
    let asked = run_rule(&clinic.automation.store, &in_force, "by-hand", Subject::Contact(contact), clinic.now());
    clinic.runtime.block_on(asked).unwrap();
    clinic.advance("2026-11-24T18:00:00+11:00");
}

/// `rule day time`, of everything that was done.
fn steps(clinic: &Clinic, happened: &[Happening]) -> Vec<String> {
    let when = |h: &Happening| h.at.local(clinic.automation.clinic.calendar.tz).format("%a %H:%M").to_string();
    happened.iter().filter(|h| h.landed == Landed::Done).map(|h| format!("{} {}", h.rule_id, when(h))).collect()
}

fn late_tasks_are_told_in_a_replay_as_they_were(clinic: &Clinic) {
    late_leads(clinic);
    let in_force = clinic.rules().current().unwrap();
    let replayed = replayed(clinic, "2026-11-22T00:00:00+11:00", &in_force.ruleset, &in_force.ruleset);
    let expected = [
        "call Mon 09:00",
        "monday Mon 10:00",
        "late Mon 10:00",
        "report-late Mon 10:30",
        "later Mon 14:00",
        "call Tue 09:00",
        "done Tue 09:30",
        "by-hand Tue 09:31",
    ];
    assert_eq!(steps(clinic, &replayed.before), expected);
    let mut titles = clinic.words("SELECT title AS value FROM tasks UNION ALL SELECT body AS value FROM notes");
    titles.sort();
    let real = ["Call Jane", "Call Omar", "Late: Call Jane", "Look", "Nobody has looked", "by hand", "done: Call Omar"];
    assert_eq!(titles, [real.as_slice(), &["later: Late: Call Jane"]].concat(), "so it was");
    for since in ["2026-11-22T00:00:00+11:00", "2026-11-24T00:00:00+11:00"] {
        assert!(difference(clinic, since, &in_force.ruleset).is_empty(), "{since}");
    }
}

fn a_rule_about_late_tasks_that_is_new_hears_only_of_the_window(clinic: &Clinic) {
    late_leads(clinic);
    let all = clinic.rules().current().unwrap();
    let call = LATE.split_once("  - id: monday").unwrap().0;
    rules_only(clinic, call);
    let in_force = clinic.rules().current().unwrap();
    let of_late = |since: &str| {
        let mut steps = steps(clinic, &replayed(clinic, since, &in_force.ruleset, &all.ruleset).after);
        steps.retain(|step| step.starts_with("late"));
        steps
    };
    assert_eq!(of_late("2026-11-22T00:00:00+11:00"), ["late Mon 10:00", "later Mon 14:00"]);
    assert_eq!(of_late("2026-11-24T00:00:00+11:00"), [""; 0], "Monday's task was late before the window");
}

fn a_replay_is_asked_for_over_the_api_one_at_a_time(clinic: &Clinic) {
    live(clinic);
    let ask = |body: Value| clinic.post_api("/api/rules/replay", &body);
    let nothing = ask(json!({})).json();
    assert_eq!((&nothing["before"], &nothing["rules"]), (&json!("r1"), &json!([])), "the files are what is in force");
    let reminders = clinic.installation.read("rules/reminders.yaml");
    let draft = reminders.replace(
        "    if: booking.status == \"scheduled\"\n    do:\n      - sms: reminder_24hr",
        "    do:\n      - sms: reminder_24hr",
    );
    clinic.installation.write("rules/reminders.yaml", &draft);
    let told = ask(json!({ "since": "14d" })).json();
    assert_eq!(told["total"]["texts"], json!({ "added": 1, "removed": 0, "changed": 0 }), "{told}");
    let rule = &told["rules"][0];
    assert_eq!((&rule["rule_id"], &rule["state"], &rule["items_total"]), (&json!("reminder-24h"), &json!("changed"), &json!(2)));
    let item = rule["items"].as_array().unwrap().iter().find(|item| item["kind"] == "sms").unwrap();
    assert_eq!((&item["name"], &item["at"]), (&json!("reminder_24hr"), &json!("2026-12-03T10:30:00+11:00")));
    assert_eq!(ask(json!({ "since": "14d", "rule": "reminder-48h" })).json()["rules"], json!([]));
    assert_eq!(ask(json!({ "since": "14d", "against": "r1" })).json()["before"], "r1");
    for (body, status) in [
        (json!({ "since": "soon" }), 422),
        (json!({ "since": "60d" }), 422),
        (json!({ "colour": 1 }), 422),
        (json!({ "against": "47x" }), 422),
        (json!({ "against": "r47" }), 404),
        (json!({ "rule": "nobody" }), 404),
    ] {
        assert_eq!(ask(body.clone()).status, status, "{body}");
    }
    let running = clinic.rules().begin_replay().unwrap();
    let busy = ask(json!({}));
    assert_eq!((busy.status, busy.header("retry-after").is_some()), (429, true), "{busy:?}");
    drop(running);
    assert_eq!(ask(json!({})).status, 200);
    clinic.installation.write("rules/reminders.yaml", "rules: [");
    assert_eq!(ask(json!({})).status, 409);
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM rulesets"), 1, "nothing was put in force");
}
