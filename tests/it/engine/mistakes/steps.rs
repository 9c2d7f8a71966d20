//! Mistakes in steps.

use super::super::clinic::{report, rule_do};

/// Line 5, column 9 is where the step begins.
fn step(event: &str, text: &str) -> String {
    report(&rule_do(event, text))
}

#[test]
fn unknown_step() {
    let said = step("lead_created", "smss: lead_ack");
    assert_eq!(said, "5:9[4] R0106 a step has no key `smss` | did you mean `sms`?");
}

#[test]
fn step_that_is_not_available_yet() {
    let said = step("lead_created", "call: crm");
    assert_eq!(said, "5:9[4] R0107 `call` is not available yet");
}

#[test]
fn two_actions_in_one_step() {
    let said = step("lead_created", "{ sms: lead_ack, note: Hello }");
    assert_eq!(
        said,
        "5:26[4] R0112 a step does one thing, and this one also has `note` | begin a step of its own with `- `; the keys of a step must be indented below it"
    );
}

#[test]
fn a_step_that_does_nothing() {
    let said = step("lead_created", "if: contact.opted_out");
    assert!(said.starts_with("5:9[1] R0112 this step does nothing | a step has one of: move, sms, task, "), "{said}");
}

#[test]
fn unknown_template() {
    let said = step("lead_created", "sms: lead_akc");
    assert_eq!(said, "5:14[8] R0203 there is no template `lead_akc` | did you mean `lead_ack`?");
}

#[test]
fn template_reads_what_is_not_there() {
    let said = step("lead_created", "sms: booking_confirmation");
    assert_eq!(
        said,
        "5:14[20] R0211 the text reads `booking.date`, and there is no `booking` here | this rule listens to lead_created"
    );
}

#[test]
fn template_reads_what_may_be_missing() {
    let said = step("sms_received", "sms: booking_confirmation");
    assert_eq!(
        said,
        "5:14[20] R0211 the text reads `booking.date`, and `booking` may be missing | add `if: booking != ()` to the rule or the step, or `{{#if booking}}` to the text"
    );
}

#[test]
fn unknown_stage() {
    let said = step("lead_created", "move: { pipeline: lead, stage: new_led }");
    assert_eq!(said, "5:40[7] R0202 pipeline `lead` has no stage `new_led` | did you mean `new_lead`?");
}

#[test]
fn unknown_pipeline() {
    let said = step("lead_created", "move: { pipeline: leed, stage: new_lead }");
    assert_eq!(said, "5:27[4] R0202 there is no pipeline `leed` | did you mean `lead`?");
}

#[test]
fn move_without_stage() {
    let said = step("lead_created", "move: { pipeline: lead }");
    assert_eq!(said, "5:15[1] R0108 `move` needs `stage`");
}

#[test]
fn unknown_task_type() {
    let said = step("lead_created", "task: { type: lead_cal, title: Call, due: =now }");
    assert_eq!(said, "5:23[8] R0204 there is no task type `lead_cal` | did you mean `lead_call`?");
}

#[test]
fn unknown_team() {
    let said = step("lead_created", "task: { type: lead_call, title: Call, due: =now, assign: receptoin }");
    assert_eq!(said, "5:66[9] R0205 there is no team `receptoin` | did you mean `reception`?");
}

#[test]
fn unknown_key_of_a_task() {
    let said = step("lead_created", "task: { type: lead_call, title: Call, due: =now, titel: x }");
    assert_eq!(said, "5:58[5] R0106 `task` has no key `titel` | did you mean `title`?");
}

#[test]
fn due_is_a_duration() {
    let said = step("lead_created", "task: { type: lead_call, title: Call, due: =2.hours }");
    assert_eq!(said, "5:53[7] R0311 `due` is a time, and this is a duration | add the duration to a time: `now + 2.hours`");
}

#[test]
fn due_without_equals_sign() {
    let said = step("lead_created", "task: { type: lead_call, title: Call, due: now + 2.hours }");
    assert_eq!(
        said,
        "5:52[13] R0311 `due` is a time, and `now + 2.hours` is none | an expression begins with `=`: `=now + 2.hours`"
    );
}

#[test]
fn priority_is_text() {
    let said = step("lead_created", "task: { type: lead_call, title: Call, due: =now, priority: high }");
    assert_eq!(said, "5:68[4] R0311 `priority` is a whole number, and `high` is none");
}

#[test]
fn priority_is_a_fraction() {
    let said = step("lead_created", "task: { type: lead_call, title: Call, due: =now, priority: =contact.warmness * 0.5 }");
    assert_eq!(said, "5:69[22] R0311 `priority` is a whole number, and this is a number | round it: `round(…)`");
}

#[test]
fn priority_out_of_range() {
    let said = step("lead_created", "task: { type: lead_call, title: Call, due: =now, priority: 500 }");
    assert_eq!(said, "5:68[3] R0311 `priority` is 0 to 100, not 500");
}

#[test]
fn comma_trap() {
    let said = step("lead_created", "task: { type: lead_call, title: Call, due: =min_time(now, now + 2.hours) }");
    assert_eq!(said, "5:65[1] R0301 the expression is cut off: inside { } a comma ends the value | put quotes around the expression, or write the keys on lines of their own
5:67[14] R0106 `task` has no key `now + 2.hours)` | inside { } a comma ends the value: put quotes around it, or write the keys on lines of their own");
}

#[test]
fn merge_field_typo() {
    let said = step("lead_created", r#"note: "Hello {{contact.firstname}}, welcome""#);
    assert_eq!(said, "5:32[9] R0303 a contact has no field `firstname` | did you mean `first_name`?");
}

#[test]
fn merge_field_of_a_record() {
    let said = step("lead_created", r#"note: "Hello {{contact}}""#);
    assert_eq!(said, "5:24[7] R0311 a contact cannot stand in a text | name one of its fields");
}

#[test]
fn unclosed_merge_field() {
    let said = step("lead_created", r#"note: "Hello {{contact.first_name}""#);
    assert_eq!(said, "5:22[2] R0316 `{{` without `}}` | write `{{contact.first_name}}`");
}

#[test]
fn merge_field_without_quotes() {
    let said = step("lead_created", "note: {{contact.first_name}}");
    assert_eq!(
        said,
        "5:15[1] R0109 `note` is a single value, not a map | text that begins with `{` needs quotes around it
5:16[1] R0109 a key is text, not a list or a map | text that begins with `{` or `[` needs quotes"
    );
}

#[test]
fn set_an_unknown_field() {
    let said = step("lead_created", "set: { contact.warmnes: 5 }");
    assert_eq!(said, "5:16[15] R0207 there is no field `contact.warmnes` | did you mean `contact.warmness`?");
}

#[test]
fn set_what_the_program_keeps() {
    let said = step("lead_created", "set: { contact.opted_out: true }");
    assert_eq!(
        said,
        "5:16[17] R0207 `contact.opted_out` cannot be set by a rule | these can: contact.is_existing_patient, contact.marketing_consent, contact.sms_consent, contact.first_source, contact.interest, contact.warmness, contact.assigned_to, contact.recall_due_on, booking.status, booking.urgency_level, booking.referral_status"
    );
}

#[test]
fn set_a_stage() {
    let said = step("lead_created", "set: { contact.current_stage: dormant }");
    assert_eq!(said, "5:16[21] R0207 `contact.current_stage` cannot be set | use the step `move`");
}

#[test]
fn set_a_value_of_the_wrong_type() {
    let said = step("lead_created", "set: { contact.warmness: =contact.first_name }");
    assert_eq!(said, "5:35[18] R0311 `contact.warmness` is a whole number, and this is text");
}

#[test]
fn set_a_word_that_is_none() {
    let said = step("booking_created", "set: { booking.status: noshow }");
    assert_eq!(
        said,
        "5:32[6] R0311 `noshow` is not a value of `booking.status` | did you mean `no_show`? it can be: pending, scheduled, confirmed, checked_in, completed, no_show, cancelled, declined, waitlisted"
    );
}

#[test]
fn set_a_word_out_of_an_expression() {
    let said =
        step("booking_created", r#"set: { booking.urgency_level: "=if contact.warmness > 5 { 'urgent' } else { 'soonish' }" }"#);
    assert_eq!(said, r#"5:85[9] R0304 "soonish" is not a value of `booking.urgency_level` | it can be: routine, soon, urgent"#);
}

#[test]
fn set_a_word_that_is_none_by_an_expression() {
    let said = step("booking_created", r#"set: { "booking.status": "='noshow'" }"#);
    assert_eq!(said, r#"5:36[8] R0304 "noshow" is not a value of `booking.status` | did you mean `no_show`?"#);
}

#[test]
fn set_a_warmness_out_of_range() {
    let said = step("lead_created", "set: { contact.warmness: 170 }");
    assert_eq!(said, "5:34[3] R0311 `contact.warmness` is 0 to 100, not 170");
}

#[test]
fn set_text_to_a_number() {
    let said = step("lead_created", "set: { contact.warmness: warm }");
    assert_eq!(said, "5:34[4] R0311 `contact.warmness` is a whole number, and `warm` is none");
}

#[test]
fn set_a_field_to_nothing_that_is_always_there() {
    let said = step("lead_created", "set: { contact.warmness: null }");
    assert_eq!(said, "5:34[4] R0311 `contact.warmness` is a whole number, and `null` is none");
}

#[test]
fn set_a_field_to_nothing() {
    let said = step("lead_created", "set: { contact.interest: null, contact.recall_due_on: =now + 365.days }");
    assert_eq!(said, "");
}

#[test]
fn set_a_time_without_an_expression() {
    let said = step("lead_created", "set: { contact.recall_due_on: 2026-12-01 }");
    assert_eq!(
        said,
        "5:39[10] R0311 `contact.recall_due_on` is a time, and `2026-12-01` is none | a time is an expression, such as `=now + 2.days`"
    );
}

#[test]
fn set_a_field_of_a_record_that_may_be_missing() {
    let said = step("sms_received", "set: { booking.status: confirmed }");
    assert_eq!(
        said,
        "5:16[14] R0211 `booking` may be missing, so `booking.status` cannot be set | add `if: booking != ()` to the rule or the step"
    );
}

#[test]
fn cancel_something_else() {
    let said = step("lead_created", "cancel: tasks");
    assert_eq!(said, "5:17[5] R0110 `cancel` withdraws texts: `sms`, or `{ sms: template }`; it cannot cancel `tasks`");
}
