//! `avatar rules`, `explain` and `sms preview`.

use super::clinic::Clinic;
use serde_json::{Value, json};

#[test]
fn the_shipped_rules_are_clean_without_any_database() {
    let clinic = Clinic::new();
    let said = clinic.run(&["rules", "check"]);
    assert_eq!((said.exit, said.err.as_str()), (Some(0), ""));
    assert!(said.out.starts_with("45 rules, 4 scripts, 13 templates in "), "{}", said.out);
    assert!(said.out.ends_with(" ms: 0 errors, 0 warnings\n"), "{}", said.out);
    assert!(!clinic.dir.path().join("data").exists(), "a check makes no database");
    assert_eq!(clinic.done(&["rules", "check", "--quiet"]), "");
}

#[test]
fn a_broken_rule_is_shown_with_its_place_and_ends_with_1() {
    let clinic = Clinic::new();
    clinic.edit("rules/bookings.yaml", "booking.status == \"pending\"", "booking.statu == \"pending\"");
    let full = clinic.run(&["rules", "check"]);
    assert_eq!(full.exit, Some(1));
    let (problem, summary) = full.out.split_once("\n\n").expect("a problem, then the summary");
    insta::assert_snapshot!(problem, @r#"
    error[R0303]: a booking has no field `statu`
      --> rules/bookings.yaml:30:17
       |
    30 |     if: booking.statu == "pending"
       |                 ^^^^^
       |
       = help: did you mean `status`?
    "#);
    assert!(
        summary.starts_with("9 rule files, 4 scripts, 13 templates") && summary.ends_with("1 error, 0 warnings\n"),
        "{summary}"
    );
    let concise = clinic.run(&["rules", "check", "--format", "concise", "-q"]);
    assert_eq!(concise.out, "rules/bookings.yaml:30:17: error[R0303] a booking has no field `statu`\n");
    let here = clinic.dir.path().to_str().expect("a path");
    let json = clinic.run(&["rules", "check", here, "--json"]);
    assert_eq!(json.exit, Some(1));
    let report: serde_json::Value = serde_json::from_str(&json.out).expect("one object");
    assert_eq!((&report["errors"], &report["diagnostics"][0]["line"]), (&1.into(), &30.into()));
}

#[test]
fn a_folder_that_is_not_there_cannot_be_checked() {
    let said = Clinic::new().refusal(&["rules", "check", "nowhere"]);
    assert!(said.starts_with("error: nowhere/rules: "), "{said}");
}

#[test]
fn rules_are_published_listed_shown_and_rolled_back() {
    let clinic = Clinic::open();
    assert_eq!(clinic.done(&["rules", "list"]).lines().count(), 45);
    clinic.edit("rules/bookings.yaml", "name: New booking", "name: Brand-new booking");
    let shown = clinic.done(&["rules", "show", "booking-confirmed"]);
    assert!(shown.starts_with("  - id: booking-confirmed\n    name: New booking\n"), "what is in force, not the draft: {shown}");
    assert!(!shown.contains("booking-rescheduled"), "only this rule: {shown}");
    let published = clinic.run(&["rules", "publish", "--message", "new name", "--yes"]);
    assert_eq!(published.out, "changed rules/bookings.yaml\nr2\n", "{}", published.err);
    assert!(published.err.contains("avatar rules rollback r1"), "{}", published.err);
    assert!(clinic.done(&["rules", "show", "booking-confirmed"]).contains("Brand-new"));
    let again = clinic.run(&["rules", "publish"]);
    assert_eq!((again.exit, again.err.as_str()), (Some(0), "nothing differs from r2\n"));
    let rolled_back = clinic.run(&["rules", "rollback", "r1"]);
    assert_eq!((rolled_back.exit, rolled_back.out.as_str()), (Some(0), "r1\n"));
    assert!(rolled_back.err.contains("the files differ"), "{}", rolled_back.err);
    assert_eq!(clinic.object(&["rules", "list", "--json"])["revision"], "r1");
}

#[test]
fn what_is_broken_is_not_published() {
    let clinic = Clinic::open();
    clinic.edit("sms_templates/reminder_24hr.hbs", "{{clinic.name}}", "{{clinic.nam}}");
    let said = clinic.run(&["rules", "publish", "--yes"]);
    assert_eq!(said.exit, Some(1));
    assert!(said.out.contains("--> sms_templates/reminder_24hr.hbs:"), "{}", said.out);
    assert!(said.err.ends_with("nothing was published; r1 stays in force\n"), "{}", said.err);
    assert_eq!(clinic.object(&["rules", "list", "--json"])["revision"], "r1");
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest() {
    let clinic = Clinic::open();
    insta::assert_snapshot!(clinic.refusal(&["rules", "show", "booking-confirmd"]), @r"
    error: there is no rule `booking-confirmd` in force
      = did you mean `booking-confirmed`?
    ");
    insta::assert_snapshot!(clinic.refusal(&["rules", "rollback", "r9"]), @r"
    error: there is no ruleset r9
      = the newest are: r1
    ");
    insta::assert_snapshot!(clinic.refusal(&["rules", "rollback", "latest"]), @r"
    error: `latest` is no revision
      = write it like r47
    ");
    insta::assert_snapshot!(clinic.refusal(&["sms", "preview", "reminder_24h"]), @r"
    error: there is no template `reminder_24h`
      = did you mean `reminder_24hr`?
    ");
}

#[test]
fn a_code_is_explained() {
    let clinic = Clinic::new();
    let text = clinic.done(&["explain", "s0303"]);
    assert!(text.starts_with("S0303: unknown field\n\n"), "{text}");
    assert_eq!(clinic.object(&["explain", "R0303", "--json"])["title"], "unknown field");
    assert!(clinic.refusal(&["explain", "X9999"]).contains("there is no code `X9999`"));
}

#[test]
fn a_template_is_previewed_from_the_files_and_counted() {
    let clinic = Clinic::new();
    let preview = clinic.object(&["sms", "preview", "reminder_24hr", "--json"]);
    assert!(preview["body"].as_str().is_some_and(|body| body.starts_with("Hi Sam, Avatar Imaging expects you ")), "{preview}");
    assert_eq!((&preview["encoding"], &preview["parts"]), (&"gsm7".into(), &1.into()));
    clinic.edit("sms_templates/reminder_24hr.hbs", "Hi ", "\u{1f44b} Hi ");
    let said = clinic.run(&["sms", "preview", "reminder_24hr"]);
    assert!(said.err.contains("ucs2, 2 segments; transactional"), "{}", said.err);
    assert!(said.err.contains("\u{1f44b} makes this 2 segments. Leave it out."), "{}", said.err);
    let preview = clinic.object(&["sms", "preview", "reminder_24hr", "--json"]);
    let wave = json!({ "character": "\u{1f44b}", "count": 1, "why": "alphabet", "instead": "" });
    assert_eq!((&preview["costly"], &preview["parts_plain"], &preview["replaced"]), (&json!([wave]), &1.into(), &Value::Null));
    // What a word processor writes is replaced without asking, and said.
    clinic.edit("sms_templates/reminder_24hr.hbs", "\u{1f44b} Hi ", "We\u{2019}re here. Hi ");
    let said = clinic.run(&["sms", "preview", "reminder_24hr"]);
    assert!(said.err.contains("\u{2019} replaced by plain characters, which saves 1 segment"), "{}", said.err);
    let preview = clinic.object(&["sms", "preview", "reminder_24hr", "--json"]);
    assert_eq!((&preview["costly"], &preview["parts_as_written"]), (&json!([]), &2.into()));
    assert_eq!(preview["replaced"][0]["instead"], "'", "{preview}");
}

#[test]
fn a_rule_is_set_off_by_hand_or_the_answer_says_why_not() {
    let clinic = Clinic::open();
    let rule = "rules:\n  - id: welcome\n    name: Welcome\n    about: By hand.\n    owner: reception\n    when: { manual: contact }\n    do: [ { note: hello } ]\n";
    std::fs::write(clinic.dir.path().join("rules/hand.yaml"), rule).expect("a file");
    clinic.run(&["rules", "publish", "--yes"]);
    let said = clinic.refusal(&["rules", "run", "welcom", "--contact", "x"]);
    assert!(said.contains("there is no rule `welcom` in force") && said.contains("did you mean `welcome`?"), "{said}");
    let said = clinic.refusal(&["rules", "run", "lead-created", "--contact", "x"]);
    assert!(said.contains("error: rule `lead-created` cannot be set off by hand: it has no `manual` trigger"), "{said}");
    assert!(said.contains("these can be: welcome"), "{said}");
    let said = clinic.refusal(&["rules", "run", "welcome", "--booking", "x"]);
    assert!(said.contains("rule `welcome` is set off for a contact") && said.contains("write `--contact ID`"), "{said}");
    let said = clinic.refusal(&["rules", "run", "welcome", "--contact", "x"]);
    assert!(said.contains("there is no contact with this id"), "{said}");
    assert_eq!(clinic.run(&["rules", "run", "welcome"]).exit, Some(2));
}
