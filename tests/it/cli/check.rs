//! `avatar rules check` for machines and while one types; the process that checks candidates; what editors are fed with.

use super::clinic::Clinic;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const BROKEN: (&str, &str, &str) = ("rules/bookings.yaml", "booking.status == \"pending\"", "booking.statu == \"pending\"");

fn broken() -> Clinic {
    let clinic = Clinic::new();
    clinic.edit(BROKEN.0, BROKEN.1, BROKEN.2);
    clinic
}

#[test]
fn a_workflow_gets_an_annotation() {
    let said = broken().run(&["rules", "check", "--format", "github", "--quiet"]);
    assert_eq!(said.exit, Some(1));
    assert_eq!(
        said.out,
        "::error file=rules/bookings.yaml,line=30,col=17,endLine=30,endColumn=22,title=R0303::a booking has no field `statu`%0Adid you mean `status`?\n"
    );
}

#[test]
fn a_scanner_gets_sarif_with_rules_regions_and_help() {
    let said = broken().run(&["rules", "check", "--format", "sarif"]);
    assert_eq!(said.exit, Some(1));
    let report: serde_json::Value = serde_json::from_str(&said.out).expect("one object");
    let run = &report["runs"][0];
    assert_eq!((&report["version"], &run["results"][0]["ruleId"]), (&"2.1.0".into(), &"R0303".into()));
    let region = &run["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"], &region["endColumn"]), (&30.into(), &17.into(), &22.into()));
    let rule = &run["tool"]["driver"]["rules"][0];
    assert_eq!((&rule["id"], &run["results"][0]["ruleIndex"]), (&"R0303".into(), &0.into()));
    assert!(rule["help"]["markdown"].as_str().is_some_and(|text| text.contains("```yaml\nrules:")), "{rule}");
    let clean = Clinic::new().run(&["rules", "check", "--format", "sarif"]);
    assert_eq!(clean.exit, Some(0));
    let report: serde_json::Value = serde_json::from_str(&clean.out).expect("one object");
    assert_eq!(report["runs"][0]["results"], serde_json::json!([]));
}

#[test]
fn while_one_types_each_save_is_checked() {
    let clinic = Clinic::new();
    let mut command = clinic.command(&["rules", "check", "--watch", "--format", "concise"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("avatar starts");
    let mut summaries = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let mut next = || summaries.next().expect("a line").expect("text");
    let first = next();
    assert!(first.ends_with(": 0 errors, 0 warnings") && first.as_bytes()[2] == b':', "the time, then the summary: {first}");
    clinic.edit(BROKEN.0, BROKEN.1, BROKEN.2);
    assert!(next().ends_with(": 1 error, 0 warnings"));
    clinic.edit(BROKEN.0, BROKEN.2, BROKEN.1);
    assert!(next().ends_with(": 0 errors, 0 warnings"));
    let pipelines = clinic.dir.path().join("config/pipelines.yaml");
    let stages = std::fs::read_to_string(&pipelines).expect("stages");
    std::fs::write(&pipelines, stages.replace("at_risk", "in_danger")).expect("written");
    assert!(next().ends_with(": 1 error, 0 warnings"), "a rule names a stage that is no more");
    std::fs::write(&pipelines, "pipelines: 7").expect("written");
    assert!(next().starts_with("error: "), "settings are checked, too");
    assert!(next().starts_with("nothing was started"));
    std::fs::write(&pipelines, stages).expect("written");
    assert!(next().ends_with(": 0 errors, 0 warnings"));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    let output = child.wait_with_output().expect("avatar ends");
    assert_eq!(output.status.code(), Some(130));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told[0], "rules/bookings.yaml:30:17: error[R0303] a booking has no field `statu`");
    assert!(told[1].starts_with("rules/reminders.yaml:34:") && told[1].contains("at_risk") && told.len() == 2, "{told:?}");
}

#[test]
fn the_process_that_checks_refuses_what_is_no_request() {
    let clinic = Clinic::new();
    let said = clinic.run_with_input(&["rules", "check", "--child"], "{}");
    assert_eq!((said.exit, said.out.as_str()), (Some(2), ""));
    assert!(!clinic.done(&["rules", "check", "--help"]).contains("--child"), "it is for the program itself");
}

#[test]
fn a_rule_that_would_fail_at_run_time_is_not_published() {
    let clinic = Clinic::open();
    clinic.edit("rules/bookings.yaml", "contact.warmness: =warmness(contact, now)", "contact.warmness: =100 / contact.no_shows");
    let said = clinic.run(&["rules", "publish", "--yes"]);
    assert_eq!(said.exit, Some(1), "{}", said.err);
    assert!(
        said.out.contains("error[R0501]: `booking-confirmed` fails when it is tried out with everything there"),
        "{}",
        said.out
    );
    assert_eq!(clinic.object(&["rules", "list", "--json"])["revision"], "r1");
}

#[test]
fn a_code_is_explained_with_an_example() {
    let clinic = Clinic::new();
    let text = clinic.done(&["rules", "explain", "R0306"]);
    insta::assert_snapshot!(text, @r"
    R0306: these cannot be ordered

    Only numbers, times, durations and texts can be ordered, and only with their
    like.

    Wrong, in rules/example.yaml:

        rules:
          - id: example
            when: { event: booking_created }
            if: booking.appointment_datetime > 48
            do:
              - note: Seen

    Right:

        rules:
          - id: example
            when: { event: booking_created }
            if: booking.appointment_datetime > now + 48.hours
            do:
              - note: Seen
    ");
    assert_eq!(text, clinic.done(&["explain", "r0306"]));
    assert!(clinic.object(&["explain", "T0203", "--json"])["example"]["wrong"].as_str().is_some_and(|t| t.starts_with("{{!--")));
}

#[test]
fn editors_get_the_names_of_this_clinic() {
    let clinic = Clinic::new();
    clinic.edit("config/clinic.yaml", "task_types: []", "task_types: [parking_note]");
    let said = clinic.run(&["rules", "schema", "--out", "rules.schema.json"]);
    assert_eq!((said.exit, said.out.as_str(), said.err.as_str()), (Some(0), "", "wrote rules.schema.json\n"));
    let schema = std::fs::read_to_string(clinic.dir.path().join("rules.schema.json")).expect("the file");
    assert!(schema.contains("\"parking_note\"") && schema.contains("\"reminder_24hr\""), "{schema}");
    assert!(clinic.done(&["rules", "definitions"]).starts_with("module static;"));
    assert!(clinic.done(&["rules", "reference"]).starts_with("### Keys"));
}
