//! Rule files that people edit while the clinic runs.

use crate::support::clinic::{Clinic, Installation, MONDAY_9AM, pause};
use crate::support::load::Dice;
use crate::support::wix::{Patient, Visit};
use avatar::domain::clock::ManualClock;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";
/// What people wait for at most after they have saved a file.
const IN_FORCE_MAX: Duration = Duration::from_secs(1);
/// A loaded machine may miss a file event: then the files are read again after 5 seconds.
const PATIENCE: Duration = Duration::from_secs(15);
const BOOKINGS: &str = "rules/bookings.yaml";
const TITLE: &str = "Welcome call: {{contact.first_name}}";

fn status(clinic: &Clinic) -> Value {
    clinic.get("/api/rules/status").json()
}

fn revision(clinic: &Clinic) -> String {
    status(clinic)["revision"].as_str().unwrap().to_owned()
}

/// Saves a file as an editor does: aside, then renamed.
fn save(installation: &Installation, name: &str, text: &str) {
    let aside = installation.file(".being-written");
    std::fs::write(&aside, text).unwrap();
    std::fs::rename(aside, installation.file(name)).unwrap();
}

fn edit(installation: &Installation, from: &str, to: &str) {
    let text = installation.read(BOOKINGS);
    assert!(text.contains(from), "{from}");
    save(installation, BOOKINGS, &text.replace(from, to));
}

fn book(clinic: &Clinic, number: usize) -> Visit {
    let patient =
        Patient::new(&format!("wix-{number}"), &format!("Kim{number}"), "Lee", &format!("04{:08}", 20_000_000 + number));
    let visit = Visit::new(&patient, &format!("visit-{number}"), NEXT_MONDAY);
    clinic.wix(&visit.created());
    visit
}

fn titles(clinic: &Clinic) -> Vec<String> {
    clinic.words("SELECT title AS value FROM tasks WHERE type = 'welcome_call' ORDER BY title DESC")
}

/// From the next start, saved changes wait for `publish`.
fn by_hand(installation: &Installation) {
    let settings = installation.read("config/default.yaml");
    assert!(settings.contains("reload: auto"));
    installation.write("config/default.yaml", &settings.replace("reload: auto", "reload: manual"));
}

/// Another process on the same installation, as a command is.
fn beside(clinic: &Clinic) -> Clinic {
    Clinic::node(Arc::clone(&clinic.installation), &clinic.clock, &[])
}

fn publish(clinic: &Clinic) -> i64 {
    clinic.runtime.block_on(clinic.rules().publish("stories", None)).unwrap()
}

const ANOTHER: &str = "
  - id: reminder-4d
    name: Reminder four days before
    about: For those who plan ahead.
    when: { date: booking.appointment_datetime, before: 96h, late: 4h }
    do:
      - sms: reminder_48hr
";
const ANOTHER_TIMER: &str = "reminder-4d Thu 11-26 10:30";

fn add_another(installation: &Installation) {
    let reminders = installation.read("rules/reminders.yaml");
    save(installation, "rules/reminders.yaml", &format!("{}{ANOTHER}", reminders.trim_end()));
}

#[test]
fn a_clean_edit_is_in_force_in_under_a_second() {
    let clinic = Clinic::sqlite();
    clinic.watch_rules();
    let mut text = TITLE.to_owned();
    let mut waits = Vec::new();
    for number in 2..=8 {
        let next = format!("Ring number {number}: {{{{contact.first_name}}}}");
        let started = Instant::now();
        edit(&clinic.installation, &text, &next);
        clinic.until(PATIENCE, "the edit is in force", |c| revision(c) == format!("r{number}"));
        waits.push(started.elapsed());
        text = next;
    }
    // The first edit may come before the watcher is there.
    waits.remove(0);
    waits.sort_unstable();
    assert!(waits[waits.len() / 2] < IN_FORCE_MAX, "{waits:?}");
    book(&clinic, 1);
    assert_eq!(titles(&clinic), ["Ring number 8: Kim1"]);
}

#[test]
fn a_broken_edit_changes_nothing_and_says_where() {
    let clinic = Clinic::sqlite();
    clinic.watch_rules();
    edit(&clinic.installation, "=end_of_day(now)", "=end_of_dya(now)");
    clinic.until(PATIENCE, "the draft is refused", |c| status(c)["draft"]["clean"] == false);
    let shown = status(&clinic);
    let line = clinic.installation.read(BOOKINGS).lines().position(|l| l.contains("end_of_dya")).unwrap() + 1;
    let found = &shown["draft"]["diagnostics"][0];
    assert_eq!((found["file"].as_str(), found["line"].as_u64()), (Some(BOOKINGS), Some(line as u64)), "{shown}");
    assert!(found["column"].as_u64().unwrap() > 1 && found["severity"] == "error", "{shown}");
    assert!(found["help"].as_str().unwrap_or_default().contains("end_of_day"), "{shown}");
    assert_eq!(shown["revision"], "r1");
    book(&clinic, 1);
    assert_eq!(titles(&clinic), ["Welcome call: Kim1"], "the rules in force go on");
    edit(&clinic.installation, "=end_of_dya(now)", "=now.plus_business(1.hour)");
    clinic.until(PATIENCE, "the repaired draft is in force", |c| revision(c) == "r2");
    assert_eq!(status(&clinic)["draft"]["clean"], true);
}

#[test]
fn a_missing_template_and_a_broken_script_are_refused_too() {
    let clinic = Clinic::sqlite();
    clinic.watch_rules();
    let template = clinic.installation.file("sms_templates/booking_confirmation.hbs");
    let text = std::fs::read_to_string(&template).unwrap();
    std::fs::remove_file(&template).unwrap();
    clinic.until(PATIENCE, "the missing template is seen", |c| status(c)["draft"]["clean"] == false);
    assert_eq!(status(&clinic)["draft"]["diagnostics"][0]["file"], BOOKINGS);
    std::fs::write(&template, text).unwrap();
    clinic.until(PATIENCE, "the template is back", |c| status(c)["draft"]["clean"] == true);
    save(&clinic.installation, "rules/scripts/warmness.rhai", "fn warmness(contact, now) {\n  let x = ;\n}\n");
    clinic.until(PATIENCE, "the broken script is seen", |c| status(c)["draft"]["clean"] == false);
    let shown = status(&clinic);
    let findings = shown["draft"]["diagnostics"].as_array().unwrap();
    let found = findings.iter().find(|f| f["file"] == "rules/scripts/warmness.rhai").unwrap_or_else(|| panic!("{shown}"));
    assert_eq!((found["line"].as_u64(), found["severity"].as_str()), (Some(2), Some("error")), "{found}");
    assert_eq!(revision(&clinic), "r1");
    book(&clinic, 1);
    assert_eq!(clinic.installation.ledger().len(), 1, "the template in force is used");
}

/// Fifty edits, some of them broken, while bookings come in: every run used a ruleset that was published as a whole, and did
/// what exactly that ruleset says.
#[test]
fn edits_under_load_are_all_or_nothing() {
    let clinic = Clinic::sqlite();
    clinic.watch_rules();
    let original = clinic.installation.read(BOOKINGS);
    let is_over = Arc::new(AtomicBool::new(false));
    let editor = {
        let (installation, is_over) = (Arc::clone(&clinic.installation), Arc::clone(&is_over));
        std::thread::spawn(move || {
            let mut dice = Dice(0x5eed_0005);
            for number in 0..50 {
                let text = original.replace(TITLE, &format!("Ring {number}: {{{{contact.first_name}}}}"));
                let text = if number % 3 == 2 { text.replace("end_of_day", "end_of_dya") } else { text };
                save(&installation, BOOKINGS, &text);
                pause(Duration::from_millis(60 + dice.roll(400)));
            }
            is_over.store(true, Ordering::SeqCst);
        })
    };
    let mut number = 0;
    while !is_over.load(Ordering::SeqCst) {
        number += 1;
        book(&clinic, number);
    }
    editor.join().unwrap();
    let published: BTreeMap<String, String> = clinic
        .words("SELECT CAST(number AS TEXT) || '|' || files AS value FROM rulesets")
        .into_iter()
        .map(|line| line.split_once('|').map(|(n, files)| (format!("r{n}"), files.to_owned())).unwrap())
        .collect();
    assert!(published.len() > 5, "{} rulesets", published.len());
    let unknown =
        "SELECT CAST(revision AS TEXT) AS value FROM automation_runs WHERE revision NOT IN (SELECT number FROM rulesets)";
    assert_eq!(clinic.words(unknown), Vec::<String>::new());
    let mixed = "SELECT event_id AS value FROM automation_runs GROUP BY event_id HAVING COUNT(DISTINCT revision) > 1";
    assert_eq!(clinic.words(mixed), Vec::<String>::new());
    let tasks = clinic.words(
        "SELECT title || '|r' || CAST(r.revision AS TEXT) AS value FROM tasks JOIN automation_runs r ON r.id = run_id \
         WHERE type = 'welcome_call'",
    );
    assert_eq!(tasks.len(), number, "one task for each booking");
    for task in tasks {
        let (title, revision) = task.split_once('|').unwrap();
        let words = title.split_once(": ").unwrap().0;
        assert!(published[revision].contains(&format!("\\\"{words}: {{{{contact")), "{task}");
        assert!(!published[revision].contains("end_of_dya"), "a broken ruleset was published as {revision}");
    }
    clinic.check();
}

#[test]
fn a_restart_with_broken_files_goes_on_with_what_was_in_force() {
    let clinic = Clinic::sqlite();
    book(&clinic, 1);
    let installation = clinic.shut_down();
    edit(&installation, "=end_of_day(now)", "=end_of_dya(now)");
    let clinic = Clinic::open(installation, MONDAY_9AM);
    let shown = status(&clinic);
    assert_eq!((shown["revision"].as_str(), &shown["draft"]["clean"]), (Some("r1"), &Value::Bool(false)), "{shown}");
    book(&clinic, 2);
    assert_eq!(titles(&clinic), ["Welcome call: Kim2", "Welcome call: Kim1"]);
}

#[test]
fn a_manual_reload_waits_for_publish() {
    let installation = Installation::sqlite();
    by_hand(&installation);
    let clinic = Clinic::open(installation, MONDAY_9AM);
    clinic.watch_rules();
    let before = clinic.rules().draft().hash;
    edit(&clinic.installation, "Welcome call:", "Ring");
    clinic.until(PATIENCE, "the draft is seen", |c| c.rules().draft().hash != before);
    assert_eq!((revision(&clinic).as_str(), &status(&clinic)["draft"]["clean"]), ("r1", &Value::Bool(true)));
    book(&clinic, 1);
    assert_eq!(titles(&clinic), ["Welcome call: Kim1"]);
    let number = clinic.runtime.block_on(clinic.rules().publish("stories", None)).unwrap();
    assert_eq!((number, revision(&clinic).as_str()), (2, "r2"));
    book(&clinic, 2);
    assert_eq!(titles(&clinic), ["Welcome call: Kim1", "Ring Kim2"]);
}

/// A second node with files of its own follows what the first one publishes; two nodes that watch the same files publish once.
#[test]
fn other_nodes_follow() {
    let Some(installation) = Installation::postgres() else { return };
    let clock = ManualClock::at(crate::support::clinic::at(MONDAY_9AM));
    let first = Clinic::node(Arc::clone(&installation), &clock, &[]);
    let beside = Clinic::node(Arc::clone(&installation), &clock, &[]);
    let elsewhere = Installation::with(tempfile::tempdir().unwrap(), installation.url.clone());
    let far = Clinic::node(elsewhere, &clock, &[]);
    for node in [&first, &beside, &far] {
        node.watch_rules();
    }
    edit(&installation, "Welcome call:", "Ring");
    for node in [&first, &beside, &far] {
        node.until(PATIENCE, "the node follows", |c| revision(c) == "r2");
    }
    book(&far, 1);
    assert_eq!(titles(&far), ["Ring Kim1"]);
    pause(IN_FORCE_MAX);
    assert_eq!(first.count("rulesets"), 2, "published by one of the nodes that saw the edit");
}

#[test]
fn timers_follow_the_rules() {
    let clinic = Clinic::sqlite();
    clinic.watch_rules();
    let visit = book(&clinic, 1);
    book(&clinic, 2);
    assert_eq!(clinic.timers().len(), 10);
    let reminders = clinic.installation.read("rules/reminders.yaml");
    add_another(&clinic.installation);
    clinic.until(PATIENCE, "the new rule is in force", |c| revision(c) == "r2");
    clinic.settle();
    assert_eq!(clinic.timers().iter().filter(|t| *t == ANOTHER_TIMER).count(), 2, "{:?}", clinic.timers());
    let without = reminders[..reminders.find("  - id: reminder-2h").unwrap()].to_owned();
    save(&clinic.installation, "rules/reminders.yaml", &without);
    clinic.until(PATIENCE, "the old rule is gone", |c| revision(c) == "r3");
    clinic.settle();
    let mut kinds = clinic.timers();
    kinds.dedup();
    let reminders = ["reminder-48h Sat 11-28 10:30", "reminder-24h Sun 11-29 10:30", "unconfirmed-call Sun 11-29 14:30"];
    assert_eq!(
        (&kinds[..3], &kinds[3..]),
        (&reminders.map(str::to_owned)[..], &["attendance-check Mon 11-30 11:00".to_owned()][..])
    );
    drop(visit);
    clinic.check();
}

/// The job may be claimed before the node has looked for a new ruleset.
#[test]
fn timers_are_derived_with_what_another_process_published() {
    let clinic = Clinic::sqlite();
    by_hand(&clinic.installation);
    let desk = beside(&clinic);
    book(&clinic, 1);
    add_another(&clinic.installation);
    assert_eq!(publish(&desk), 2);
    assert_eq!(revision(&clinic), "r1", "it has not looked yet");
    clinic.settle();
    assert!(clinic.timers().iter().any(|t| t == ANOTHER_TIMER), "{:?}", clinic.timers());
    desk.runtime.block_on(desk.rules().rollback(1, "stories", None)).unwrap();
    clinic.settle();
    assert!(!clinic.timers().iter().any(|t| t == ANOTHER_TIMER), "{:?}", clinic.timers());
}

#[test]
fn what_was_decided_with_the_old_rules_meanwhile_gets_its_timers_too() {
    let clinic = Clinic::sqlite();
    by_hand(&clinic.installation);
    let desk = beside(&clinic);
    add_another(&clinic.installation);
    publish(&desk);
    desk.settle();
    let patient = Patient::new("wix-1", "Kim1", "Lee", "0420000001");
    assert_eq!(clinic.post_wix(&Visit::new(&patient, "visit-1", NEXT_MONDAY).created()).status, 200);
    clinic.work_only_automation();
    assert_eq!((revision(&clinic).as_str(), clinic.timers().len()), ("r1", 5), "decided before the node has followed");
    clinic.advance("2026-11-23T09:00:05+11:00");
    assert!(clinic.timers().iter().any(|t| t == ANOTHER_TIMER), "{:?}", clinic.timers());
}

#[test]
fn an_empty_folder_ends_no_rules_by_itself() {
    let clinic = Clinic::sqlite();
    clinic.watch_rules();
    for entry in std::fs::read_dir(clinic.installation.file("rules")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::remove_file(path).unwrap();
        }
    }
    clinic.until(PATIENCE, "the empty folder is seen", |c| c.rules().draft().rules == 0);
    assert!(clinic.rules().draft().clean, "{:?}", clinic.rules().draft());
    pause(IN_FORCE_MAX);
    assert_eq!(revision(&clinic), "r1");
    let clinic = Clinic::open(clinic.shut_down(), MONDAY_9AM);
    assert_eq!(revision(&clinic), "r1", "nor at a start");
    book(&clinic, 1);
    assert_eq!(titles(&clinic), ["Welcome call: Kim1"]);
    assert_eq!(publish(&clinic), 2, "whoever means it says so");
    assert!(clinic.rules().current().unwrap().ruleset.rules.is_empty());
}

#[test]
fn a_folder_that_is_being_copied_is_never_half_in_force() {
    let clinic = Clinic::sqlite();
    clinic.watch_rules();
    edit(&clinic.installation, "Welcome call:", "Ring");
    clinic.until(PATIENCE, "the watcher is there", |c| revision(c) == "r2");
    let reminders = clinic.installation.read("rules/reminders.yaml");
    std::fs::remove_file(clinic.installation.file("rules/reminders.yaml")).unwrap();
    edit(&clinic.installation, "Ring", "Call");
    // Longer than saves that belong together take, shorter than a folder must stand still.
    pause(Duration::from_millis(90));
    save(&clinic.installation, "rules/reminders.yaml", &reminders);
    clinic.until(PATIENCE, "all of it is in force", |c| revision(c) == "r3");
    book(&clinic, 1);
    assert_eq!((titles(&clinic), clinic.timers().len()), (vec!["Call Kim1".to_owned()], 5));
}

#[test]
fn a_start_takes_back_no_rollback() {
    let clinic = Clinic::sqlite();
    edit(&clinic.installation, "Welcome call:", "Ring");
    assert_eq!(publish(&clinic), 2);
    clinic.runtime.block_on(clinic.rules().rollback(1, "stories", None)).unwrap();
    let clinic = Clinic::open(clinic.shut_down(), MONDAY_9AM);
    assert_eq!(revision(&clinic), "r1", "the files are still those of r2");
    clinic.watch_rules();
    edit(&clinic.installation, "Ring", "Call");
    clinic.until(PATIENCE, "an edit goes in force", |c| revision(c) == "r3");
    let installation = clinic.shut_down();
    edit(&installation, "Call", "Phone");
    let clinic = Clinic::open(installation, MONDAY_9AM);
    assert_eq!(revision(&clinic), "r4", "nobody has seen these files before");
    clinic.watch_rules();
    edit(&clinic.installation, "Phone", "Call");
    clinic.until(PATIENCE, "an edit may go back", |c| revision(c) == "r5");
}

/// As if a newer program had published it: this one does not understand what is in force.
fn spoil(clinic: &Clinic) {
    clinic.words(
        "INSERT INTO rulesets (hash, files, published_by, published_at) SELECT 'newer', REPLACE(files, 'end_of_day', \
         'end_of_dya'), 'newer', published_at FROM rulesets WHERE number = 1 RETURNING hash AS value",
    );
    clinic.words(
        "UPDATE system_values SET value = (SELECT MAX(number) FROM rulesets) WHERE key = 'ruleset_in_force' RETURNING value",
    );
}

#[test]
fn what_this_program_does_not_understand_is_replaced_by_a_publish() {
    for manual in [true, false] {
        let clinic = Clinic::sqlite();
        spoil(&clinic);
        assert_eq!(publish(&clinic), 3, "good files, the same as before");
        spoil(&clinic);
        let installation = clinic.shut_down();
        if manual {
            by_hand(&installation);
        }
        let clinic = Clinic::open(installation, MONDAY_9AM);
        assert_eq!(revision(&clinic), "r5", "a start with good files");
        book(&clinic, 1);
        assert_eq!(titles(&clinic), ["Welcome call: Kim1"]);
    }
}

#[test]
fn what_this_program_does_not_understand_is_tried_again_once_a_minute() {
    let clinic = Clinic::sqlite();
    spoil(&clinic);
    let follow = || clinic.runtime.block_on(clinic.rules().follow());
    assert!(follow().is_err());
    // Only who compiles it again could notice.
    clinic
        .words("UPDATE rulesets SET files = REPLACE(files, 'end_of_dya', 'end_of_day') WHERE number = 2 RETURNING hash AS value");
    assert!(follow().is_err());
    clinic.advance("2026-11-23T09:00:59+11:00");
    assert!(follow().is_err());
    assert_eq!(revision(&clinic), "r1", "what was understood goes on");
    clinic.advance("2026-11-23T09:01:00+11:00");
    follow().unwrap();
    assert_eq!(revision(&clinic), "r2");
}
