//! `avatar db`, `token`, `user`, `jobs`, `check` and `doctor`.

use super::clinic::Clinic;

#[test]
fn without_a_database_every_command_says_how_to_make_one() {
    let clinic = Clinic::new();
    let commands: &[&[&str]] = &[
        &["token", "create", "--name", "x", "--role", "ops"],
        &["user", "add", "a@example.com", "--name", "A", "--role", "ops"],
        &["rules", "list"],
        &["rules", "publish"],
        &["why", "0"],
        &["events", "list"],
        &["jobs", "list"],
        &["check"],
        &["db", "status"],
    ];
    for arguments in commands {
        let said = clinic.refusal(arguments);
        assert!(said.contains("there is no database") && said.contains("avatar db migrate"), "{arguments:?}: {said}");
    }
    assert!(!clinic.dir.path().join("data").exists(), "asking makes no database");
}

#[test]
fn a_database_is_migrated_once() {
    let clinic = Clinic::new();
    let first = clinic.object(&["db", "migrate", "--json"]);
    let applied = first["applied"].as_array().map_or(0, Vec::len);
    assert!(applied > 0, "{first}");
    assert_eq!(clinic.done(&["db", "migrate"]), "", "nothing is left");
    let status = clinic.object(&["db", "status", "--json"]);
    assert_eq!((&status["pending"], status["migrations"].as_array().map_or(0, Vec::len)), (&0.into(), applied));
}

#[test]
fn a_database_of_which_migrations_are_missing_is_not_worked_on() {
    let clinic = Clinic::new();
    std::fs::create_dir(clinic.dir.path().join("data")).expect("data/");
    std::fs::write(clinic.dir.path().join("data/avatar.db"), "").expect("an empty database");
    let said = clinic.refusal(&["jobs", "list"]);
    assert!(said.contains("migrations") && said.contains("avatar db migrate"), "{said}");
    assert_eq!(clinic.run(&["db", "status"]).exit, Some(1), "there is something to apply");
}

#[test]
fn a_key_stands_alone_on_stdout() {
    let clinic = Clinic::open();
    let said = clinic.run(&["token", "create", "--name", "reports", "--role", "manager"]);
    let key = said.out.strip_suffix('\n').expect("one line");
    assert!(key.starts_with("avatar_") && !key.contains(char::is_whitespace), "{key}");
    assert!(!said.err.contains(key) && said.err.contains("Authorization: Bearer"), "{}", said.err);
    assert!(clinic.refusal(&["token", "create", "--name", "x", "--role", "boss"]).contains("front_desk, ops, manager, admin"));
}

#[test]
fn a_member_of_staff_is_added_with_a_password_from_stdin() {
    let clinic = Clinic::open();
    let add = ["user", "add", "ana@example.com", "--name", "Ana", "--role", "ops", "--password-stdin"];
    let short = clinic.run_with_input(&add, "hunter2\n");
    assert_eq!((short.exit, short.out.as_str()), (Some(2), ""));
    assert!(short.err.contains("at least 15 characters") && !short.err.contains("hunter2"), "{}", short.err);
    let added = clinic.run_with_input(&add, "correct horse battery\n");
    assert_eq!((added.exit, added.out.trim_end().len()), (Some(0), 36), "an id: {}{}", added.out, added.err);
    let again = clinic.run_with_input(&add, "correct horse battery\n");
    assert_eq!((again.exit, again.err.as_str()), (Some(2), "error: somebody has this email address already\n"));
}

#[test]
fn jobs_are_listed_and_only_dead_ones_can_be_chosen() {
    let clinic = Clinic::open();
    let event = clinic.done(&["events", "send", "lead_created", "-q"]);
    let listed = clinic.done(&["jobs", "list", "--queue", "automation", "--json", "-q"]);
    let job: serde_json::Value = serde_json::from_str(&listed).expect("one job");
    assert_eq!((&job["kind"], &job["state"], &job["event_id"]), (&"run_event".into(), &"ready".into(), &event.as_str().into()));
    let id = job["id"].to_string();
    let shown = clinic.done(&["jobs", "show", &id]);
    assert!(shown.contains("kind         run_event") && shown.contains(&event), "{shown}");
    assert!(clinic.refusal(&["jobs", "discard", &id]).contains("only those that failed for good"));
    assert!(clinic.refusal(&["jobs", "show", "99"]).contains("there is no job 99"));
    assert!(clinic.refusal(&["jobs", "list", "--state", "deed"]).contains("did you mean `dead`?"));
    assert_eq!(clinic.done(&["jobs", "retry", "--all"]), "0 retried");
    assert_eq!(clinic.done(&["jobs", "discard", "--error", "timeout"]), "0 discarded");
    assert_eq!(clinic.run(&["jobs", "retry"]).exit, Some(2), "something must be chosen");
}

#[test]
fn doctor_finds_what_is_missing_and_says_what_to_do() {
    let clinic = Clinic::new();
    let said = clinic.run(&["doctor", "--only", "database"]);
    assert_eq!(said.exit, Some(1));
    insta::assert_snapshot!(said.out, @r"
    ✗ database    there is no database sqlite://data/avatar.db
                  make it with `avatar db migrate`
    ");
    clinic.done(&["db", "migrate"]);
    clinic.done(&["rules", "publish"]);
    insta::assert_snapshot!(clinic.done(&["doctor", "--only", "rules"]), @"✓ rules       r1 in force, 45 rules, draft is identical");
    clinic.edit("rules/bookings.yaml", "booking.status == \"pending\"", "booking.statu == \"pending\"");
    let report = clinic.run(&["doctor", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report.out).expect("one object");
    let state = |part: &str| {
        let all = report["findings"].as_array().expect("findings");
        all.iter().find(|f| f["part"] == part).map(|f| f["state"].clone()).unwrap_or_default()
    };
    assert_eq!(
        (state("database"), state("rules"), state("workers")),
        ("good".into(), "problem".into(), "problem".into()),
        "a job waits, nobody works"
    );
    assert!(clinic.refusal(&["doctor", "--only", "slms"]).contains("did you mean `sms`?"));
}

#[test]
fn a_broken_invariant_is_named_with_its_rows() {
    use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
    let clinic = Clinic::open();
    assert_eq!(clinic.run(&["check"]).exit, Some(0));
    let event = clinic.done(&["events", "send", "lead_created", "-q"]);
    let file = clinic.dir.path().join("data/avatar.db");
    let mut database = SqliteConnection::establish(file.to_str().expect("a path")).expect("the database");
    sql_query("DELETE FROM jobs WHERE kind = 'run_event'").execute(&mut database).expect("a lost job");
    let said = clinic.run(&["check"]);
    assert_eq!(said.exit, Some(1));
    assert_eq!(
        said.out,
        format!("✗ accepted_event_has_a_job: an accepted event is waiting, but no job will work on it\n    {event}\n")
    );
}
