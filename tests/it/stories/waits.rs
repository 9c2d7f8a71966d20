//! Rules that wait, and conditions that hold: over restarts, edits and changes of the record.

use crate::support::clinic::{Clinic, Installation, MONDAY_9AM, at};
use crate::support::wix::{Patient, Visit};
use avatar::automation::run::{Worked, run_events};
use avatar::automation::timers;
use avatar::automation::why::{Story, why};
use avatar::domain::clock::ManualClock;
use avatar::domain::time::Millis;
use avatar::jobs::kinds;
use avatar::store::jobs::ClaimRequest;
use avatar::store::{Tx, jobs, tasks, waiting, workers};
use std::sync::Arc;

on_both_engines!(
    a_text_after_a_wait_is_planned_when_the_wait_ends,
    the_awaited_event_comes_before_its_limit_or_it_does_not,
    a_wait_ends_at_once_when_its_rule_no_longer_holds,
    a_run_keeps_the_steps_it_began_with_and_obeys_the_rules_in_force,
    what_happens_when_an_earlier_run_still_waits,
    a_wait_ends_once_however_often_it_is_worked,
    a_state_that_lasts_sets_off_its_rule_in_opening_hours,
    a_state_of_a_booking_is_looked_at_for_each_booking,
    waits_that_are_over_are_forgotten,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";

/// These rules, and no others, in force at once.
pub fn only(clinic: &Clinic, rules: &str) {
    for name in ["attendance", "bookings", "reminders", "cancellations", "leads", "sms_replies", "texting"] {
        let file = clinic.installation.file(&format!("rules/{name}.yaml"));
        if file.exists() {
            std::fs::remove_file(file).unwrap();
        }
    }
    clinic.installation.write("rules/story.yaml", rules);
    clinic.runtime.block_on(clinic.rules().publish("stories", None)).unwrap_or_else(|e| panic!("{e:?}"));
    clinic.advance_a_little();
}

trait ALittle {
    fn advance_a_little(&self);
}

impl ALittle for Clinic {
    /// Past the time in which what was in flight is looked at again.
    fn advance_a_little(&self) {
        let later = self.now() + Millis::seconds(6);
        self.advance(&later.to_rfc3339());
    }
}

/// `rule state: reason`, oldest first.
fn waits(clinic: &Clinic) -> Vec<String> {
    clinic.words(
        "SELECT rule_id || ' ' || state || COALESCE(': ' || reason, '') AS value FROM waiting_runs ORDER BY created_at, id",
    )
}

pub fn notes(clinic: &Clinic) -> Vec<String> {
    clinic.lines("SELECT body AS value, created_at AS at FROM notes ORDER BY created_at, body")
}

fn first_event(clinic: &Clinic, event_type: &str) -> String {
    clinic.words(&format!("SELECT id AS value FROM event_log WHERE event_type = '{event_type}' ORDER BY id")).remove(0)
}

/// `event: rule outcome, line`, with what followed indented; ids and times left out.
fn story(clinic: &Clinic, event: &str) -> String {
    fn tell(story: &Story, depth: usize, lines: &mut Vec<String>) {
        let indent = "  ".repeat(depth);
        let reason = story.event.status_reason.as_ref().map(|r| format!(" ({r})")).unwrap_or_default();
        lines.push(format!("{indent}{}{reason}", story.event.event_type));
        for rule in &story.rules {
            let is_id = |word: &str| word.len() >= 36 && word.matches('-').count() == 4;
            let words = rule.line.split(' ').map(|word| if is_id(word) { "ID" } else { word });
            let line = words.collect::<Vec<_>>().join(" ");
            lines.push(format!("{indent}  {} {}: {line}", rule.run.rule_id, rule.run.outcome.as_str()));
        }
        story.followed_by.iter().for_each(|next| tell(next, depth + 1, lines));
    }
    let told = clinic.runtime.block_on(why(&clinic.automation.store, clinic.rules(), event)).unwrap().expect("a story");
    let mut lines = Vec::new();
    tell(&told, 0, &mut lines);
    lines.join("\n")
}

const CALM: &str = r#"rules:
  - id: calm
    when: { event: booking_confirmed }
    while: booking.status in ["scheduled", "confirmed"]
    vars: { began: =now }
    do:
      - note: "before"
      - wait: 2h
      - note: "after, began {{began.hour}}:{{began.minute}}"
      - sms: booking_confirmation
"#;

fn a_text_after_a_wait_is_planned_when_the_wait_ends(clinic: &Clinic) {
    only(clinic, CALM);
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    assert_eq!(notes(clinic), ["before Mon 11-23 09:00"]);
    clinic.advance("2026-11-23T11:00:00+11:00");
    assert_eq!((notes(clinic).len(), clinic.texts()), (1, vec![]), "nothing is planned before");
    clinic.advance("2026-11-23T11:00:10+11:00");
    assert_eq!(notes(clinic)[1], "after, began 9:0 Mon 11-23 11:00");
    assert_eq!(clinic.texts(), ["booking_confirmation accepted Mon 11-23 11:00"]);
    assert_eq!(waits(clinic), ["calm resumed"]);
    assert_eq!(clinic.words("SELECT memory AS value FROM waiting_runs"), [""], "nothing is kept that is not needed");
    let event = first_event(clinic, "booking_created");
    // The same on both databases.
    insta::allow_duplicates! {
        insta::assert_snapshot!(story(clinic, &event), @r"
    booking_created
      booking_confirmed
        calm fired: note, waits until Mon 23 Nov 2026 11:00: went on with event ID
        wait_due
          calm fired: goes on with run ID note, text booking_confirmation (accepted)
    ");
    }
    clinic.advance("2026-11-24T11:00:00+11:00");
    assert_eq!(notes(clinic).len(), 2);
}

const RECALL: &str = r#"rules:
  - id: chase
    when: { event: lead_created }
    do:
      - wait: { event: booking_created, for: 7d }
      - choose:
          - if: waited == "event"
            do: [ { note: "booked" } ]
          - do:
              - note: "not booked"
              - wait: 1d
              - note: "a day later"
      - note: "end"
"#;

fn the_awaited_event_comes_before_its_limit_or_it_does_not(clinic: &Clinic) {
    only(clinic, RECALL);
    let (jane, kim) = (Patient::jane(), Patient::new("wix-kim", "Kim", "Lee", "0491570156"));
    clinic.manychat(&jane, "new_lead", "MRI please", None);
    clinic.manychat(&kim, "new_lead", "X-ray please", None);
    assert_eq!(waits(clinic), ["chase waiting", "chase waiting"]);
    clinic.advance("2026-11-24T10:00:00+11:00");
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    assert_eq!(notes(clinic), ["booked Tue 11-24 10:00", "end Tue 11-24 10:00"]);
    let event = first_event(clinic, "booking_created");
    let told = story(clinic, &event);
    assert!(told.contains("\n  wait_over\n    chase fired: goes on with run ID note, note"), "{told}");
    clinic.advance("2026-11-30T09:05:00+11:00");
    assert_eq!(notes(clinic)[2..], ["not booked Mon 11-30 09:00"]);
    clinic.advance("2026-12-02T09:00:00+11:00");
    assert_eq!(notes(clinic)[3..], ["a day later Tue 12-01 09:00", "end Tue 12-01 09:00"]);
    clinic.wix(&Visit::new(&kim, "xray", "2026-12-08T10:30:00+11:00").created());
    assert_eq!((notes(clinic).len(), waits(clinic).len()), (5, 3), "nobody waits any more");
}

fn a_wait_ends_at_once_when_its_rule_no_longer_holds(clinic: &Clinic) {
    only(clinic, CALM);
    let mut visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    clinic.advance("2026-11-23T10:00:00+11:00");
    assert_eq!(waits(clinic), ["calm waiting"]);
    assert_eq!(clinic.post_wix(&visit.cancelled()).status, 200);
    clinic.work_only_automation();
    let ended = "booking.status was cancelled, needs booking.status in [\"scheduled\", \"confirmed\"]";
    assert_eq!(waits(clinic), [format!("calm ended: {ended}")]);
    let event = first_event(clinic, "booking_created");
    assert!(story(clinic, &event).contains(&format!("ended, {ended}")), "{}", story(clinic, &event));
    clinic.advance("2026-11-24T10:00:00+11:00");
    assert_eq!((notes(clinic).len(), clinic.texts()), (1, vec![]));
}

/// Edits reach runs that begin later; switching the rule off reaches all of them.
fn a_run_keeps_the_steps_it_began_with_and_obeys_the_rules_in_force(clinic: &Clinic) {
    let (jane, kim) = (Patient::jane(), Patient::new("wix-kim", "Kim", "Lee", "0491570156"));
    only(clinic, CALM);
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    only(clinic, &CALM.replace("note: \"after", "note: \"otherwise").replace("wait: 2h", "wait: 3h"));
    clinic.wix(&Visit::new(&kim, "xray", NEXT_MONDAY).created());
    clinic.advance("2026-11-23T11:30:00+11:00");
    assert_eq!(notes(clinic)[2..], ["after, began 9:0 Mon 11-23 11:00"]);
    let revisions =
        clinic.words("SELECT DISTINCT CAST(revision AS TEXT) AS value FROM automation_runs WHERE resumes IS NOT NULL");
    assert_eq!(revisions, ["2"], "the steps are those of the ruleset it began with");
    only(clinic, &CALM.replace("    when:", "    enabled: false\n    when:"));
    assert_eq!(waits(clinic), ["calm resumed", "calm ended: the rule is switched off"]);
    clinic.advance("2026-11-23T15:00:00+11:00");
    assert_eq!(notes(clinic).len(), 3);
    only(clinic, CALM);
    clinic.wix(&Visit::new(&jane, "ct", NEXT_MONDAY).created());
    only(clinic, &CALM.replace("id: calm", "id: other"));
    assert_eq!(waits(clinic)[2..], ["calm ended: the rule is no more"]);
}

fn lead_rule(if_running: &str) -> String {
    format!(
        "rules:\n  - id: lead\n    when: {{ event: sms_received }}\n    if_running: {if_running}\n    do:\n      - note: \"began {{{{message.body}}}}\"\n      - wait: 2h\n      - note: \"ended {{{{message.body}}}}\"\n"
    )
}

fn what_happens_when_an_earlier_run_still_waits(clinic: &Clinic) {
    let mut told = String::new();
    for (day, if_running) in ["skip", "restart", "queue", "parallel"].into_iter().enumerate() {
        let jane = Patient::new(&format!("w{day}"), "Jane", "Nguyen", &format!("049157015{day}"));
        let from = notes(clinic).len();
        let (waited, runs) = (waits(clinic).len(), clinic.count("automation_runs"));
        only(clinic, &lead_rule(if_running));
        let morning = |time: &str| format!("2026-11-{:02}T{time}:00+11:00", 24 + day);
        clinic.advance(&morning("09:00"));
        clinic.reply(&jane, "one");
        clinic.advance(&morning("10:00"));
        clinic.reply(&jane, "second");
        clinic.advance(&morning("20:00"));
        told.push_str(&format!("{if_running}: {:#?} {:?}", &notes(clinic)[from..], &waits(clinic)[waited..]));
        let skipped = clinic.number(&format!(
            "SELECT COUNT(*) AS value FROM automation_skips WHERE skips LIKE '%\"w\":\"running\"%' AND revision = {}",
            2 + day
        ));
        told.push_str(&format!(" {skipped} skipped beside {}\n", clinic.count("automation_runs") - runs));
    }
    insta::assert_snapshot!("what_happens_when_an_earlier_run_still_waits", told);
}

/// Two nodes find the same wait due, and the same event is worked twice.
fn a_wait_ends_once_however_often_it_is_worked(clinic: &Clinic) {
    only(clinic, CALM);
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    let due = at("2026-11-23T11:00:06+11:00");
    clinic.clock.set(due);
    let fire = || clinic.runtime.block_on(timers::fire_due(&clinic.automation.store, due)).unwrap();
    assert_eq!((fire(), fire()), (1, 0));
    assert_eq!(waits(clinic), ["calm due"]);
    let store = &clinic.automation.store;
    let claim = move |tx: &mut Tx<'_>| {
        let worker = workers::register(tx, "story", 1, Millis::MINUTE, due)?;
        jobs::claim(tx, worker, &ClaimRequest { queue: kinds::AUTOMATION, limit: 8, turn: 0 }, due)
    };
    let claimed = store.write_now(claim).unwrap();
    let work = || clinic.runtime.block_on(run_events(&clinic.automation, claimed.clone()));
    assert!(matches!(work().as_slice(), [(_, Worked::Completed)]));
    assert!(!matches!(work().as_slice(), [(_, Worked::Completed)]), "the job is gone");
    clinic.advance("2026-11-23T12:00:00+11:00");
    assert_eq!((notes(clinic).len(), clinic.texts().len()), (2, 1));
}

#[test]
fn a_wait_survives_a_restart() {
    let installation = Installation::sqlite();
    let clinic = Clinic::open(Arc::clone(&installation), MONDAY_9AM);
    only(&clinic, CALM);
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    drop(clinic.shut_down());
    let clock = ManualClock::at(at("2026-11-23T14:00:00+11:00"));
    let clinic = Clinic::node(installation, &clock, &[]);
    clinic.settle();
    assert_eq!(notes(&clinic)[1..], ["after, began 9:0 Mon 11-23 14:00"]);
    clinic.check();
}

const NO_ANSWER: &str = r#"rules:
  - id: lead
    when: { event: lead_created }
    do: [ { tag: unanswered } ]
  - id: reached
    when: { event: manychat_message }
    do:
      - untag: unanswered
        if: '"unanswered" in contact.tags'
      - tag: unanswered
        if: not ("unanswered" in contact.tags)
  - id: silent
    when: { holds: '"unanswered" in contact.tags', for: 4h, hours: business }
    do: [ { note: silent } ]
"#;

fn a_state_that_lasts_sets_off_its_rule_in_opening_hours(clinic: &Clinic) {
    only(clinic, NO_ANSWER);
    let jane = Patient::jane();
    let silent = |clinic: &Clinic| clinic.timers().into_iter().filter(|t| t.starts_with("silent")).collect::<Vec<_>>();
    clinic.advance("2026-11-23T16:00:00+11:00");
    clinic.manychat(&jane, "new_lead", "MRI please", None);
    assert_eq!(silent(clinic), ["silent Tue 11-24 10:00"], "the clinic closes at six and opens at eight");
    clinic.advance("2026-11-23T17:00:00+11:00");
    only(
        clinic,
        &NO_ANSWER
            .replace("[ { note: silent } ]", "[ { note: \"no answer\" } ]")
            .replace(" in contact.tags', for", "  in contact.tags', for"),
    );
    assert_eq!(silent(clinic), ["silent Tue 11-24 10:00"], "an edit of something else keeps the time");
    clinic.advance("2026-11-24T09:00:00+11:00");
    clinic.manychat(&jane, "message", "Hello?", None);
    assert_eq!(silent(clinic), Vec::<String>::new());
    clinic.advance("2026-11-24T09:30:00+11:00");
    clinic.manychat(&jane, "message", "Are you there?", None);
    assert_eq!(silent(clinic), ["silent Tue 11-24 13:30"], "it begins again");
    clinic.advance("2026-11-24T18:00:00+11:00");
    assert_eq!(notes(clinic), ["no answer Tue 11-24 13:30"]);
    clinic.advance("2026-11-26T18:00:00+11:00");
    assert_eq!((notes(clinic).len(), silent(clinic)), (1, vec![]), "once, as long as it holds");
    clinic.manychat(&jane, "message", "Now then", None);
    clinic.advance("2026-11-26T19:00:00+11:00");
    clinic.manychat(&jane, "message", "Well?", None);
    assert_eq!(silent(clinic), ["silent Fri 11-27 12:00"], "it was over, and begins anew");
    only(clinic, &NO_ANSWER.replace("for: 4h", "for: 2h"));
    assert_eq!(silent(clinic), ["silent Fri 11-27 10:00"], "another time is another timer");
    only(clinic, &NO_ANSWER.replace("when: { holds", "enabled: false\n    when: { holds"));
    assert_eq!(silent(clinic), Vec::<String>::new());
}

fn a_state_of_a_booking_is_looked_at_for_each_booking(clinic: &Clinic) {
    only(
        clinic,
        r#"rules:
  - id: referral
    when: { holds: booking.referral_status == "missing" and contact.warmness < 90, for: 2d }
    while: booking.status == "scheduled"
    do: [ { note: "{{booking.date}} {{trigger}}" } ]
"#,
    );
    let jane = Patient::jane();
    let mut mri = Visit::new(&jane, "mri", NEXT_MONDAY);
    clinic.wix(&mri.created());
    clinic.advance("2026-11-24T09:00:00+11:00");
    clinic.wix(&Visit::new(&jane, "xray", "2026-12-07T10:30:00+11:00").created());
    assert_eq!(clinic.timers(), ["referral Wed 11-25 09:00", "referral Thu 11-26 09:00"]);
    clinic.wix(&mri.cancelled());
    assert_eq!(clinic.timers(), ["referral Thu 11-26 09:00"]);
    clinic.advance("2026-11-30T09:00:00+11:00");
    assert_eq!(notes(clinic), ["Mon 7 Dec holds Thu 11-26 09:00"]);
}

/// What is over is forgotten in the end; what waits is not.
fn waits_that_are_over_are_forgotten(clinic: &Clinic) {
    only(clinic, &CALM.replace("wait: 2h", "wait: 200d"));
    let mut visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    clinic.wix(&Visit::new(&Patient::jane(), "xray", NEXT_MONDAY).created());
    clinic.wix(&visit.cancelled());
    let store = &clinic.automation.store;
    let prune = |before| store.write_now(move |tx| waiting::prune(tx, before, 10)).unwrap();
    assert_eq!((prune(clinic.now()), waits(clinic).len()), (0, 2));
    assert_eq!(prune(clinic.now() + Millis::SECOND), 1);
    assert_eq!(waits(clinic), ["calm waiting"]);
    let told = store.write_now(move |tx| tasks::prune_overdue_told(tx, at(NEXT_MONDAY), 10)).unwrap();
    assert_eq!(told, 0);
}
