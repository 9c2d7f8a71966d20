//! `avatar db backup`, `restore`, `vacuum`, and `avatar contact`.

use super::clinic::Clinic;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_copy_is_made_looked_at_and_put_back() {
    let clinic = Clinic::open();
    clinic.done(&["events", "send", "lead_created"]);
    assert!(clinic.run(&["doctor", "--only", "backup"]).out.contains("there is none yet"));
    let copy = clinic.object(&["db", "backup", "--json"]);
    let path = copy["path"].as_str().expect("a path").to_owned();
    assert!(path.contains("data/backups/avatar-"), "{path}");
    assert_eq!(copy["rows"]["event_log"], 1);
    let folder = clinic.dir.path().join("data/backups");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&clinic.dir.path().join("data"))), (0o700, 0o700));
    assert!(clinic.done(&["doctor", "--only", "backup"]).contains("✓ backup"));

    clinic.done(&["events", "send", "lead_created"]);
    assert!(clinic.refusal(&["db", "restore", &path]).contains("--replace"));
    clinic.done(&["db", "restore", &path, "--replace"]);
    clinic.done(&["check"]);
    let events = clinic.done(&["events", "list"]);
    assert_eq!(events.lines().filter(|line| line.contains("lead_created")).count(), 1, "{events}");
    let mut kept = std::fs::read_dir(clinic.dir.path().join("data"))
        .expect("data/")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert!(kept.any(|name| name.starts_with("avatar.db.before-")));
    assert_eq!(clinic.done(&["jobs", "resume", "sms"]), "resumed sms");
    assert!(clinic.refusal(&["jobs", "resume", "smss"]).contains("automation, sms"));
}

#[test]
fn a_copy_goes_where_it_is_told_and_nowhere_twice() {
    let clinic = Clinic::open();
    assert_eq!(clinic.done(&["db", "backup", "mine.db"]), "mine.db");
    assert!(clinic.refusal(&["db", "backup", "mine.db"]).contains("already"));
    assert!(clinic.refusal(&["db", "restore", "rules/leads.yaml", "--replace"]).contains("no sound copy"));
    clinic.done(&["db", "vacuum"]);
    clinic.done(&["check"]);
}

#[test]
fn a_person_is_shown_and_erased_from_the_command_line() {
    let clinic = Clinic::open();
    let said = clinic.refusal(&["contact", "export", "Nobody Atall"]);
    assert!(said.contains("there is no such contact"), "{said}");
    let said = clinic.refusal(&["contact", "erase", "Nobody Atall", "--reason", "request 17"]);
    assert!(said.contains("there is no such contact"), "{said}");
}
