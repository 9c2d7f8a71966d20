//! Mistakes that only show when all rules are looked at together; and that nothing else is taken for one.

use super::clinic::{catalogue, compile_files, report, shipped_catalogue, sources};
use avatar::engine::{compile, renamed};

fn rule(id: &str, rest: &str) -> String {
    let lines: Vec<String> = rest.lines().map(|line| format!("    {line}\n")).collect();
    format!("  - id: {id}\n{}", lines.concat())
}

fn rules(all: &[(&str, &str)]) -> String {
    format!("rules:\n{}", all.iter().map(|(id, rest)| rule(id, rest)).collect::<String>())
}

/// One rule with these conditions on a booking.
fn conditions(lines: &[&str]) -> String {
    let lines = lines.iter().map(|line| format!("      - {line}\n")).collect::<Vec<_>>().concat();
    report(&format!("rules:\n  - id: r\n    when: {{ event: booking_created }}\n    if:\n{lines}    do: [ {{ note: x }} ]\n"))
}

fn is_dead(lines: &[&str]) -> bool {
    let said = conditions(lines);
    assert!(said.is_empty() || said.contains("R0401"), "{lines:?}: {said}");
    !said.is_empty()
}

#[test]
fn conditions_that_exclude_each_other_are_found() {
    for dead in [
        &["booking.status == \"scheduled\"", "booking.status == \"confirmed\""][..],
        &["booking.status == \"scheduled\" and booking.status == \"confirmed\""],
        &["booking.status in [\"scheduled\", \"confirmed\"]", "booking.status == \"cancelled\""],
        &["booking.status == \"scheduled\"", "booking.status != \"scheduled\""],
        &["booking.urgency_level != \"routine\"", "booking.urgency_level != \"soon\"", "booking.urgency_level != \"urgent\""],
        &["booking.urgency_level !in [\"routine\", \"soon\", \"urgent\"]"],
        &["contact.opted_out", "not contact.opted_out"],
        &["contact.warmness > 40", "contact.warmness < 20"],
        &["contact.warmness > 40", "contact.warmness <= 40"],
        &["contact.warmness == 30", "contact.warmness > 40"],
        &["contact.warmness < -5 and contact.warmness > 5"],
        &["contact.last_visit_at == ()", "contact.last_visit_at != ()"],
        &["booking.created_at > now - 1.day", "booking.created_at < now - 2.days"],
        &["booking.created_at > booking.appointment_datetime", "booking.created_at < booking.appointment_datetime"],
        &["booking.status == \"pending\" or booking.status == \"declined\"", "booking.status == \"scheduled\""],
        &["not (booking.status == \"pending\" or contact.warmness > 5)", "contact.warmness > 50"],
        &["contact.current_pipeline == \"lead\"", "contact.current_stage == \"reminded\""],
        &["event.event_type == \"lead_created\""],
        &["false"],
    ] {
        assert!(is_dead(dead), "{dead:?}");
    }
}

#[test]
fn what_may_be_true_is_left_alone() {
    for alive in [
        &["booking.status != \"scheduled\"", "booking.status != \"confirmed\""][..],
        &["booking.status == \"scheduled\" or booking.status == \"confirmed\"", "booking.status == \"confirmed\""],
        &["contact.warmness >= 40", "contact.warmness <= 40"],
        &["contact.warmness > 40 or contact.warmness < 20", "contact.warmness != 30"],
        &["contact.current_stage != \"new_lead\"", "contact.current_stage != ()"],
        &["contact.source == \"google\"", "contact.first_source == \"facebook\""],
        &["booking.created_at > now - 2.days", "booking.created_at < now - 1.day"],
        &["booking.appointment_datetime > now + 1.day", "booking.appointment_datetime < now + 2.days"],
        &["contact.next_booking == () or contact.next_booking.status == \"pending\"", "contact.warmness > 1"],
        &["contact.next_booking?.status != \"pending\""],
        &["contact.name.to_lower() == \"ana\"", "contact.name == \"Ana\""],
        &["contact.current_pipeline == \"lead\"", "contact.current_stage == \"new_lead\""],
        &["event.event_type == \"booking_created\""],
        &["contact.warmness * 2 > 40", "contact.warmness < 21"],
        &["true"],
    ] {
        assert!(!is_dead(alive), "{alive:?}: {}", conditions(alive));
    }
}

#[test]
fn a_dead_rule_is_shown_at_its_second_condition() {
    let said = report(&rules(&[(
        "r",
        "when: { date: booking.appointment_datetime, before: 24h }\nwhile: booking.status in [\"scheduled\", \"confirmed\"]\n\
         if: booking.status == \"cancelled\"\ndo: [ { note: x } ]",
    )]));
    assert_eq!(
        said,
        "5:9[29] R0401 this rule can never fire: line 4 leaves no value of `booking.status` that this condition allows | \
         change one of the two conditions"
    );
}

#[test]
fn a_dead_step_is_found_in_a_rule_that_lives() {
    let said = report(&rules(&[(
        "r",
        "when: { event: sms_received }\nif: message.intent in [\"yes\", \"no\"]\ndo:\n  - note: a\n    if: message.intent == \"stop\"\n  - note: b\n    if: message.intent == \"no\"",
    )]));
    assert!(said.starts_with("7:13[24] R0402 this step can never run: line 4 leaves no value of `message.intent`"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn two_rules_that_write_the_same_are_found_unless_they_exclude_each_other() {
    let two = |first: &str, second: &str| {
        report(&rules(&[
            ("first", &format!("when: {{ event: booking_created }}\n{first}")),
            ("second", &format!("when: {{ event: [booking_created, booking_updated] }}\n{second}")),
        ]))
    };
    let texts = two("do: [ { sms: lead_ack } ]", "do: [ { sms: recall_due } ]");
    assert_eq!(
        texts,
        "7:18[10] R0405 `first` (rules/test.yaml:2) also texts the contact on `booking_created`, and both rules may fire | \
         make their conditions exclude each other, or join the two rules; otherwise the later one has the last word"
    );
    let moves =
        two("do: [ { move: { pipeline: lead, stage: contacted } } ]", "do: [ { move: { pipeline: lead, stage: dormant } } ]");
    assert!(moves.contains("also moves the contact in `lead`"), "{moves}");
    let sets = two("do: [ { set: { contact.warmness: 10 } } ]", "do: [ { set: { contact.warmness: =contact.warmness + 1 } } ]");
    assert!(sets.contains("also sets `contact.warmness`"), "{sets}");
    for fine in [
        two("do: [ { move: { pipeline: lead, stage: contacted } } ]", "do: [ { move: { pipeline: lead, stage: contacted } } ]"),
        two("do: [ { set: { contact.warmness: 10 } } ]", "do: [ { set: { contact.interest: x } } ]"),
        two("if: contact.opted_out\ndo: [ { sms: lead_ack } ]", "if: not contact.opted_out\ndo: [ { sms: recall_due } ]"),
        two("do: [ { sms: lead_ack, if: contact.opted_out } ]", "if: not contact.opted_out\ndo: [ { sms: recall_due } ]"),
        two(
            "if: booking.status in [\"pending\", \"declined\"]\ndo: [ { sms: lead_ack } ]",
            "if: booking.status == \"scheduled\" or booking.status == \"confirmed\"\ndo: [ { sms: recall_due } ]",
        ),
        two("enabled: false\ndo: [ { sms: lead_ack } ]", "do: [ { sms: recall_due } ]"),
    ] {
        assert_eq!(fine, "");
    }
}

#[test]
fn a_rule_for_the_unhandled_and_one_at_another_time_are_no_rivals() {
    let said = report(&rules(&[
        ("a", "when: { event: lead_created }\ndo: [ { sms: lead_ack } ]"),
        ("b", "when: { event: lead_created, unhandled: true }\ndo: [ { sms: recall_due } ]"),
        ("c", "when: { date: booking.appointment_datetime, before: 48h }\ndo: [ { sms: reminder_48hr } ]"),
        ("d", "when: { date: booking.appointment_datetime, before: 24h }\ndo: [ { sms: reminder_24hr } ]"),
    ]));
    assert_eq!(said, "");
    let said = report(&rules(&[
        ("c", "when: { date: booking.appointment_datetime, before: 48h }\ndo: [ { sms: reminder_48hr } ]"),
        ("d", "when: { date: booking.appointment_datetime, before: 2d }\ndo: [ { sms: reminder_24hr } ]"),
    ]));
    assert!(said.contains("R0405 `c` (rules/test.yaml:2) also texts the contact at the same time"), "{said}");
}

#[test]
fn rules_that_set_each_other_off_are_found() {
    let there_and_back = report(&rules(&[
        (
            "to-a",
            "when: { event: stage_changed }\nif: contact.current_stage == \"contacted\"\ndo: [ { move: { pipeline: lead, stage: dormant } } ]",
        ),
        (
            "to-b",
            "when: { event: stage_changed }\nif: contact.current_stage == \"dormant\"\ndo: [ { move: { pipeline: lead, stage: contacted } } ]",
        ),
    ]));
    assert!(
        there_and_back.contains("R0404 these rules set each other off: to-a → to-b → to-a (through stage_changed)"),
        "{there_and_back}"
    );
    let onwards = report(&rules(&[
        (
            "to-a",
            "when: { event: stage_changed }\nif: contact.current_stage == \"contacted\"\ndo: [ { move: { pipeline: lead, stage: dormant } } ]",
        ),
        (
            "to-b",
            "when: { event: stage_changed }\nif: contact.current_stage == \"new_lead\"\ndo: [ { move: { pipeline: lead, stage: contacted } } ]",
        ),
    ]));
    assert_eq!(onwards, "", "each stage is left once");
    let settles =
        report(&rules(&[("a", "when: { event: stage_changed }\ndo: [ { move: { pipeline: lead, stage: contacted } } ]")]));
    assert_eq!(settles, "", "a move to where the contact is makes no event");
}

#[test]
fn moves_that_the_pipelines_do_not_have_are_found() {
    let said = |text: &str| {
        let compiled = compile(&sources(&[("rules/test.yaml", text)]), &shipped_catalogue());
        compiled
            .diagnostics
            .iter()
            .map(|d| format!("{}:{} {} {}", d.line, d.column, d.code, d.message))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let moving = |condition: &str, to: &str| {
        said(&rules(&[(
            "r",
            &format!("when: {{ event: lead_created }}\nif: {condition}\ndo: [ {{ move: {{ pipeline: lead, stage: {to} }} }} ]"),
        )]))
    };
    assert_eq!(
        moving("contact.current_stage in [\"engaged\", \"qualified\"]", "no_response"),
        "5:44 R0406 `engaged` or `qualified` cannot go to `no_response`: the move would always be refused"
    );
    assert_eq!(moving("contact.current_stage in [\"engaged\", \"new_lead\"]", "no_response"), "", "one of them can");
    assert_eq!(
        moving("contact.current_stage == \"lost\"", "new_lead"),
        "",
        "from a stage that names no successors all moves are allowed"
    );
    assert_eq!(moving("contact.current_stage == \"contacted\"", "no_response"), "", "another pipeline has a `contacted`, too");
    assert_eq!(moving("contact.current_stage != \"engaged\"", "no_response"), "");
}

#[test]
fn texts_are_counted_with_a_typical_name() {
    let text = |header: &str, length: usize| {
        let body = format!("{header}\nHi {{{{contact.first_name}}}}{{{{clinic.name}}}}{}\n", "x".repeat(length));
        super::clinic::report_of(&[("sms_templates/long.hbs", &body)])
    };
    let head = "{{!-- category: transactional, staff: true --}}";
    // Hi Charlotte + Harbour Imaging: 12 and 15 characters; with the longest name 23 and 15.
    assert_eq!(text(head, 122), "");
    assert!(text(head, 123).contains("T0203 this text takes 1 part for a typical contact (150 characters), 2 at worst"));
    let long = text(head, 134);
    assert!(long.starts_with("2:1["), "{long}");
    assert!(long.contains("T0203 this text takes 2 parts for a typical contact (161 characters), 2 at worst"), "{long}");
    assert!(long.ends_with("write `parts: 2` into the first line"), "{long}");
    assert_eq!(text("{{!-- category: transactional, staff: true, parts: 2 --}}", 134), "");
    assert!(text("{{!-- category: transactional, staff: true, parts: 9 --}}", 1).contains("T0102 `parts` is 1 to 6, not `9`"));
}

#[test]
fn only_the_longer_branch_of_a_text_counts() {
    let branch = "y".repeat(100);
    let body = format!(
        "{{{{!-- category: transactional, staff: true --}}}}\n{{{{clinic.name}}}} {{{{#if contact.opted_out}}}}{branch}{{{{else}}}}{branch}{{{{/if}}}}\n"
    );
    assert_eq!(super::clinic::report_of(&[("sms_templates/long.hbs", &body)]), "");
}

#[test]
fn a_text_may_be_private_when_the_patient_has_agreed() {
    let body = |header: &str| {
        format!(
            "{{{{!-- category: transactional, staff: true{header} --}}}}\nYour {{{{booking.service_name}}}}. {{{{clinic.name}}}}\n"
        )
    };
    let said = super::clinic::report_of(&[("sms_templates/private.hbs", &body(""))]);
    assert!(said.starts_with("2:8[20] T0204 `booking.service_name` must not stand in a text"), "{said}");
    assert_eq!(super::clinic::report_of(&[("sms_templates/private.hbs", &body(", privacy: standard"))]), "");
    let tested = "{{!-- category: transactional, staff: true --}}\n{{#if booking.service_name}}Hi{{/if}} {{clinic.name}}\n";
    assert_eq!(super::clinic::report_of(&[("sms_templates/private.hbs", tested)]), "", "a test shows nothing");
}

#[test]
fn a_renamed_rule_is_recognised_by_its_body() {
    let ruleset = |text: &str| compile_files(&[("rules/test.yaml", text)]).ruleset.expect("it compiles");
    let body = "when: { event: lead_created }\ndo: [ { note: x } ]";
    let before = ruleset(&rules(&[("old-name", body), ("other", "when: { event: lead_created }\ndo: [ { note: y } ]")]));
    let hints = renamed(&before, &ruleset(&rules(&[("new-name", &format!("name: New\n{body}"))])));
    assert_eq!(hints.len(), 1, "{hints:?}");
    assert_eq!((hints[0].code.as_str(), hints[0].line), ("R0409", 2));
    assert!(hints[0].help.as_ref().is_some_and(|h| h.contains("was: old-name")));
    let told = ruleset(&rules(&[("new-name", &format!("was: old-name\n{body}"))]));
    assert!(renamed(&before, &told).is_empty(), "it says so already");
    assert!(renamed(&before, &ruleset(&rules(&[("new-name", "when: { event: lead_created }\ndo: [ { note: z } ]")]))).is_empty());
    assert!(renamed(&before, &before).is_empty());
}

#[test]
fn a_stage_that_nothing_leads_to_is_found() {
    let mut here = catalogue();
    let mut pipelines = avatar::domain::pipeline::Pipelines::clone(&here.pipelines);
    for stage in &mut pipelines.pipelines[0].stages {
        stage.next = vec!["contacted".to_owned()];
    }
    here.pipelines = std::sync::Arc::new(pipelines);
    let codes = |to: &str| {
        let text =
            rules(&[("r", &format!("when: {{ event: lead_created }}\ndo: [ {{ move: {{ pipeline: lead, stage: {to} }} }} ]"))]);
        let compiled = compile(&sources(&[("rules/test.yaml", &text)]), &here);
        compiled.diagnostics.into_iter().map(|d| d.code).collect::<Vec<_>>()
    };
    assert_eq!(codes("dormant"), ["R0407"]);
    assert!(codes("contacted").is_empty() && codes("new_lead").is_empty(), "the first stage is where contacts come in");
}
