//! Mistakes in rules and their triggers.

use super::super::clinic::{report, report_of};

/// Two files with the same text.
fn twice(text: &str) -> String {
    report_of(&[("rules/a.yaml", text), ("rules/b.yaml", text)])
}

#[test]
fn unknown_key_of_a_rule() {
    let said =
        report("rules:\n  - id: r\n    when: { event: lead_created }\n    iff: contact.opted_out\n    do: [ { note: x } ]\n");
    assert_eq!(said, "4:5[3] R0106 a rule has no key `iff` | did you mean `if`?");
}

#[test]
fn key_that_is_not_available_yet() {
    let said = report("rules:\n  - id: r\n    when: { event: lead_created }\n    do:\n      - call: crm\n");
    assert_eq!(said, "5:9[4] R0107 `call` is not available yet");
}

#[test]
fn unknown_event() {
    let said = report("rules:\n  - id: r\n    when: { event: [lead_created, booking_canceled] }\n    do: [ { note: x } ]\n");
    assert_eq!(said, "3:35[16] R0201 there is no event `booking_canceled` | did you mean `booking_cancelled`?");
}

#[test]
fn two_kinds_in_one_trigger() {
    let said = report("rules:\n  - id: r\n    when: { event: lead_created, every: day }\n    do: [ { note: x } ]\n");
    assert_eq!(
        said,
        "3:11[1] R0113 a trigger is of one kind, and this one has `event` and `every` | write `when` as a list with one kind in each item"
    );
}

#[test]
fn a_trigger_of_no_kind() {
    let said = report("rules:\n  - id: r\n    when: { before: 4h }\n    do: [ { note: x } ]\n");
    assert_eq!(
        said,
        "3:11[1] R0113 this trigger does not say what it waits for | begin with one of: event, date, every, cron, holds, manual, webhook"
    );
}

#[test]
fn nothing_to_do() {
    let said = report("rules:\n  - id: r\n    when: { event: lead_created }\n");
    assert_eq!(said, "2:5[1] R0108 a rule needs `do`");
}

#[test]
fn the_same_id_twice() {
    let said = twice("rules:\n  - id: r\n    when: { event: lead_created }\n    do: [ { note: x } ]\n");
    assert_eq!(said, "2:9[1] R0206 two rules are called `r`; the first is at rules/a.yaml:2");
}

#[test]
fn the_same_key_twice() {
    let said = report(
        "rules:\n  - id: r\n    when: { event: lead_created }\n    if: contact.opted_out\n    if: contact.is_existing_patient\n    do: [ { note: x } ]\n",
    );
    assert_eq!(said, "5:5[2] R0105 `if` is here twice; the first is on line 4");
}

#[test]
fn rules_is_a_map() {
    let said = report("rules:\n  id: r\n  when: { event: lead_created }\n");
    assert_eq!(said, "2:3[1] R0109 `rules` is a list, not a map | begin each rule with `- id: name`");
}

#[test]
fn a_date_that_is_none() {
    let said = report("rules:\n  - id: r\n    when: { date: booking.appointment_date, before: 48h }\n    do: [ { note: x } ]\n");
    assert_eq!(
        said,
        "3:19[24] R0208 `booking.appointment_date` is not a time field of contact or booking | did you mean `booking.appointment_datetime`?"
    );
}

#[test]
fn a_day_without_a_time() {
    let said = report("rules:\n  - id: r\n    when: { date: contact.recall_due_on, before: 2d }\n    do: [ { note: x } ]\n");
    assert_eq!(said, r#"3:19[21] R0108 `contact.recall_due_on` is a day, so the trigger needs `at` | write `at: "09:30"`"#);
}

#[test]
fn a_duration_with_a_word() {
    let said = report(
        "rules:\n  - id: r\n    when: { date: booking.appointment_datetime, before: 48 hours }\n    do: [ { note: x } ]\n",
    );
    assert_eq!(said, "3:57[8] R0110 `before` is a duration, and `48 hours` is none | write it as `30m`, `4h`, `2d` or `1w`");
}

#[test]
fn a_time_of_day_that_is_none() {
    let said = report("rules:\n  - id: r\n    when: { every: day, at: \"25:00\", each: contact }\n    do: [ { note: x } ]\n");
    assert_eq!(said, r#"3:29[7] R0110 `at` is a time of day, and `25:00` is none | write it as "09:30", from 00:00 to 23:59"#);
}

#[test]
fn an_interval_that_is_too_short() {
    let said = report("rules:\n  - id: r\n    when: { every: 0m, each: contact }\n    do: [ { note: x } ]\n");
    assert_eq!(said, "3:20[2] R0210 the shortest interval is one minute");
}

#[test]
fn a_weekday_typo() {
    let said = report("rules:\n  - id: r\n    when: { every: munday, each: contact }\n    do: [ { note: x } ]\n");
    assert_eq!(said, "3:20[6] R0210 `every` cannot be `munday` | did you mean `monday`?");
}

#[test]
fn a_cron_expression_that_is_none() {
    let said = report("rules:\n  - id: r\n    when: { cron: \"61 9 * * *\", each: contact }\n    do: [ { note: x } ]\n");
    assert_eq!(
        said,
        r#"3:19[12] R0210 `61 9 * * *` is not a cron expression: Component error: Number out of bounds. | for example `"0 9 * * 1-5"`: at 9:00 from Monday to Friday"#
    );
}

#[test]
fn a_time_zone_that_is_none() {
    let said =
        report("rules:\n  - id: r\n    when: { cron: \"0 9 * * *\", tz: Sydney, each: contact }\n    do: [ { note: x } ]\n");
    assert_eq!(said, "3:36[6] R0210 `Sydney` is not a time zone | write a name such as `Australia/Sydney`");
}

#[test]
fn a_step_that_needs_a_contact_on_a_schedule_without_one() {
    let said = report("rules:\n  - id: r\n    when: { every: day }\n    do:\n      - sms: lead_ack\n");
    assert_eq!(said, "5:9[3] R0211 `sms` needs a contact, and this rule has none: it listens to a schedule without `each` | a schedule has one with `each: contact` or `each: booking`
5:14[8] R0211 the text reads `contact.first_name`, and there is no `contact` here | this rule listens to a schedule without `each`");
}

#[test]
fn an_event_in_the_while_of_a_date() {
    let said = report(
        "rules:\n  - id: r\n    when: { date: booking.appointment_datetime, before: 4h }\n    while: event.source == 'wix'\n    if: event.source == 'timer'\n    do: [ { note: x } ]\n",
    );
    assert_eq!(
        said,
        "4:12[5] R0302 there is no `event` here | this rule listens to the date booking.appointment_datetime; available here: booking, clinic, contact, now"
    );
}

#[test]
fn a_limit_of_nothing() {
    let said =
        report("rules:\n  - id: r\n    when: { event: lead_created }\n    limit: { max: 0, in: 7d }\n    do: [ { note: x } ]\n");
    assert_eq!(said, "4:19[1] R0209 `max` is a whole number of at least 1, not `0`");
}

#[test]
fn a_variable_used_before_its_time() {
    let said = report(
        "rules:\n  - id: r\n    when: { event: lead_created }\n    vars: { score: '=warmness(contact, now)' }\n    if: score > 40\n    do: [ { note: x } ]\n",
    );
    assert_eq!(
        said,
        "5:9[5] R0302 `score` has no value yet: `vars` are worked out after the rule's `if` | use it in the `if` of a step"
    );
}

#[test]
fn a_value_that_is_neither_yes_nor_no() {
    let said = report("rules:\n  - id: r\n    enabled: yes\n    when: { event: lead_created }\n    do: [ { note: x } ]\n");
    assert_eq!(said, "3:14[3] R0110 `enabled` is `true` or `false`, not `yes`");
}

#[test]
fn text_after_a_closing_quote() {
    let said = report(
        "rules:\n  - id: r\n    when: { event: lead_created }\n    if: \"google\" == contact.source\n    do: [ { note: x } ]\n",
    );
    assert_eq!(
        said,
        r#"4:18[1] R0102 YAML: invalid trailing content after double-quoted scalar | quotes must be around the whole value: use 'single quotes' outside and "double quotes" inside"#
    );
}

#[test]
fn a_colon_inside_a_plain_value() {
    let said =
        report("rules:\n  - id: r\n    name: Leads: new ones\n    when: { event: lead_created }\n    do: [ { note: x } ]\n");
    assert_eq!(
        said,
        "3:16[1] R0102 YAML: mapping values are not allowed in this context | check the indentation; a value with `: ` in it needs quotes"
    );
}
