//! Mistakes in conditions.

use super::super::clinic::{report, rule_if};

/// Line 4, column 9 is where the condition begins.
fn condition(event: &str, text: &str) -> String {
    report(&rule_if(event, text))
}

#[test]
fn enum_typo() {
    let said = condition("booking_created", r#"booking.status == "canceled""#);
    assert_eq!(
        said,
        r#"4:27[10] R0304 "canceled" is not a value of `booking.status` | did you mean "cancelled"? it can be: pending, scheduled, confirmed, checked_in, completed, no_show, cancelled, declined, waitlisted"#
    );
}

#[test]
fn enum_typo_in_a_list() {
    let said = condition("booking_created", r#"booking.status in ["scheduled", "confirmd"]"#);
    assert_eq!(
        said,
        r#"4:41[10] R0304 "confirmd" is not a value of `booking.status` | did you mean "confirmed"? it can be: pending, scheduled, confirmed, checked_in, completed, no_show, cancelled, declined, waitlisted"#
    );
}

#[test]
fn enum_typo_with_single_quotes_in_a_quoted_scalar() {
    let said = condition("booking_created", r#""booking.urgency_level != 'urgnt'""#);
    assert_eq!(
        said,
        r#"4:35[7] R0304 "urgnt" is not a value of `booking.urgency_level` | did you mean "urgent"? it can be: routine, soon, urgent"#
    );
}

#[test]
fn stage_typo() {
    let said = condition("lead_created", r#"contact.current_stage == "new_leed""#);
    assert_eq!(
        said,
        r#"4:34[10] R0304 "new_leed" is not a value of `contact.current_stage` | did you mean "new_lead"? it can be: new_lead, contacted, no_response, dormant, booking_confirmed, reminded, cancelled, no_show"#
    );
}

#[test]
fn pipeline_typo() {
    let said = condition("lead_created", r#"contact.current_pipeline == "leads""#);
    assert_eq!(
        said,
        r#"4:37[7] R0304 "leads" is not a value of `contact.current_pipeline` | did you mean "lead"? it can be: lead, pre_appointment"#
    );
}

#[test]
fn a_record_that_the_event_does_not_bring() {
    let said = condition("lead_created", "booking.has_referral");
    assert_eq!(
        said,
        "4:9[7] R0302 there is no `booking` here | this rule listens to lead_created; available here: clinic, contact, event, now, trigger"
    );
}

#[test]
fn a_misspelt_record() {
    let said = condition("lead_created", "contct.opted_out");
    assert_eq!(said, "4:9[6] R0302 `contct` is not a name that can be read here | did you mean `contact`?");
}

#[test]
fn text_without_quotes() {
    let said = condition("lead_created", "contact.source == manychat");
    assert_eq!(
        said,
        "4:27[8] R0302 `manychat` is not a name that can be read here | text needs quotes; names available here: clinic, contact, event, now, trigger"
    );
}

#[test]
fn unknown_field() {
    let said = condition("booking_created", "not booking.has_referal");
    assert_eq!(said, "4:21[11] R0303 a booking has no field `has_referal` | did you mean `has_referral`?");
}

#[test]
fn unknown_field_of_a_nested_record() {
    let said = condition("booking_created", r#"contact.next_booking != () and contact.next_booking.statsu == "pending""#);
    assert_eq!(said, "4:61[6] R0303 a booking has no field `statsu` | did you mean `status`?");
}

#[test]
fn a_number_compared_with_text() {
    let said = condition("lead_created", r#"contact.warmness == "18""#);
    assert_eq!(said, "4:26[2] R0305 a whole number is never equal to text | write `18` without quotes");
}

#[test]
fn a_flag_compared_with_text() {
    let said = condition("lead_created", r#"contact.opted_out == "true""#);
    assert_eq!(said, "4:27[2] R0305 true or false is never equal to text | write `true` without quotes");
}

#[test]
fn order_of_a_number_and_a_text() {
    let said = condition("lead_created", r#"contact.warmness > "18""#);
    assert_eq!(said, "4:26[1] R0306 a whole number and text have no order | write `18` without quotes");
}

#[test]
fn order_of_a_time_and_a_number() {
    let said = condition("booking_created", "booking.appointment_datetime < 24");
    assert_eq!(
        said,
        "4:38[1] R0306 a time and a whole number have no order | a number needs its unit: `24.hours`, or `24.minutes`, `24.days`"
    );
}

#[test]
fn order_of_a_time_and_a_duration() {
    let said = condition("lead_created", "contact.created_at > 2.days");
    assert_eq!(
        said,
        "4:28[1] R0306 a time and a duration have no order | a duration is the difference of two times: `now - contact.created_at > 2.days`"
    );
}

#[test]
fn maybe_missing_in_an_order() {
    let said = condition("lead_created", "contact.last_visit_at > now - 30.days");
    assert_eq!(
        said,
        "4:9[21] R0307 `contact.last_visit_at` may be missing (a time), and the comparison would then silently be false | test it first: `contact.last_visit_at != () and …`, or an `if` line of its own before this one"
    );
}

#[test]
fn maybe_missing_on_the_wrong_side_of_or() {
    let said = condition("lead_created", "contact.last_visit_at != () or contact.last_visit_at > now");
    assert_eq!(
        said,
        "4:40[21] R0307 `contact.last_visit_at` may be missing (a time), and the comparison would then silently be false | test it first: `contact.last_visit_at != () and …`, or an `if` line of its own before this one"
    );
}

#[test]
fn a_record_that_may_be_missing() {
    let said = condition("sms_received", r#"booking.status == "scheduled""#);
    assert_eq!(
        said,
        "4:9[7] R0307 `booking` may be missing (a booking), so it has no fields then | test it first: `booking != () and …`, or an `if` line of its own before this one"
    );
}

#[test]
fn a_condition_that_is_text() {
    let said = condition("lead_created", "contact.source");
    assert_eq!(
        said,
        r#"4:9[14] R0308 a condition is true or false, and this is text | compare it with something, such as `== "yes"` or `> 0`"#
    );
}

#[test]
fn a_condition_that_is_a_number_in_and() {
    let said = condition("lead_created", "contact.warmness and contact.opted_out");
    assert_eq!(
        said,
        r#"4:9[16] R0308 a condition is true or false, and this is a whole number | compare it with something, such as `== "yes"` or `> 0`"#
    );
}

#[test]
fn not_in() {
    let said = condition("lead_created", r#"not contact.source in ["google", "wix"]"#);
    assert_eq!(said, "4:9[3] R0312 `not x in [...]` means `(not x) in [...]` | write `not (x in [...])` or `x !in [...]`");
}

#[test]
fn one_equals_sign() {
    let said = condition("lead_created", r#"contact.source = "google""#);
    assert_eq!(said, "4:24[1] R0313 `=` does not compare | write `==`");
}

#[test]
fn a_leading_equals_sign() {
    let said = condition("lead_created", "=contact.opted_out");
    assert_eq!(said, "4:9[1] R0301 a condition does not begin with `=` | leave the `=` out");
}

#[test]
fn unknown_function() {
    let said = condition("lead_created", "warmnes(contact, now) > 5");
    assert_eq!(said, "4:9[7] R0309 there is no function `warmnes` | did you mean `warmness`?");
}

#[test]
fn too_few_arguments() {
    let said = condition("lead_created", "warmness(contact) > 5");
    assert_eq!(said, "4:9[8] R0310 `warmness` takes 2 values, not 1");
}

#[test]
fn swapped_arguments() {
    let said = condition("lead_created", "warmness(now, contact) > 5");
    assert_eq!(
        said,
        "4:18[3] R0310 `warmness` needs a contact here, and this is a time
4:23[7] R0310 `warmness` needs a time here, and this is a contact"
    );
}

#[test]
fn a_record_that_may_be_missing_as_an_argument() {
    let said = condition("task_created", "warmness(contact, now) > 5");
    assert_eq!(
        said,
        "4:18[7] R0307 `contact` may be missing (a contact), and `warmness` needs it | test it first: `contact != () and …`, or an `if` line of its own before this one"
    );
}

#[test]
fn optional_parameters_take_what_may_be_missing() {
    let said = condition("sms_received", r#"task_priority("x", contact, booking) > 5"#);
    assert_eq!(said, "");
}

#[test]
fn missing_proved_by_an_earlier_part() {
    let said =
        condition("sms_received", r#"booking != () and booking.service_name != () and booking.service_name.contains("MRI")"#);
    assert_eq!(said, "");
}

#[test]
fn missing_proved_by_a_comparison_with_nothing() {
    let said = condition("lead_created", "contact.last_visit_at == () or contact.last_visit_at < now");
    assert_eq!(said, "");
}

#[test]
fn missing_with_a_stand_in() {
    let said = condition("lead_created", "(contact.last_visit_at ?? contact.created_at) < now");
    assert_eq!(said, "");
}

#[test]
fn missing_not_proved_by_a_stand_in_that_may_be_missing() {
    let said = condition("lead_created", "(contact.last_visit_at ?? contact.last_touch_at) < now");
    assert_eq!(
        said,
        "4:10[1] R0307 this may be missing (a time), and the comparison would then silently be false | give a stand-in that is always there: `… ?? value`"
    );
}

#[test]
fn missing_with_a_safe_dot() {
    let said = condition("sms_received", r#"booking?.status == "scheduled""#);
    assert_eq!(said, "");
}

#[test]
fn words_in_an_if_expression() {
    let said = condition("sms_received", "(if message.intent == 'yess' { 1 } else { 2 }) > 1");
    assert_eq!(
        said,
        r#"4:31[6] R0304 "yess" is not a value of `message.intent` | did you mean "yes"? it can be: stop, start, yes, no, cancel, reschedule, help, other"#
    );
}

#[test]
fn words_in_a_switch() {
    let said = condition("sms_received", r#"'switch message.intent { "yes" => true, "nope" => false, _ => false }'"#);
    assert_eq!(
        said,
        r#"4:49[6] R0304 "nope" is not a value of `message.intent` | it can be: stop, start, yes, no, cancel, reschedule, help, other"#
    );
}

#[test]
fn a_method_with_a_wrong_argument() {
    let said = condition("lead_created", "now.plus_business(4) > now");
    assert_eq!(
        said,
        "4:27[1] R0310 `plus_business` needs a duration here, and this is a whole number | a number needs its unit: `2.hours`, `1.days`"
    );
}

#[test]
fn time_plus_number() {
    let said = condition("lead_created", "now + 4 > contact.created_at");
    assert_eq!(
        said,
        "4:13[1] R0314 `+` does not work with a time and a whole number | a number needs its unit: `4.hours`, or `4.minutes`, `4.days`"
    );
}

#[test]
fn text_joined_with_a_number() {
    let said = condition("lead_created", r#"contact.name + contact.warmness == "x""#);
    assert_eq!(
        said,
        "4:22[1] R0314 text can only be joined with text, and this is a whole number | write it inside of the text: `… ${contact.warmness} …` between backticks"
    );
}

#[test]
fn looking_into_a_text_that_may_be_missing() {
    let said = condition("lead_created", r#"("MRI" in contact.interest)"#);
    assert_eq!(
        said,
        "4:19[16] R0307 `contact.interest` may be missing (text), so there is nothing to look into then | test it first: `contact.interest != () and …`, or an `if` line of its own before this one"
    );
}

#[test]
fn a_number_in_a_range() {
    let said = condition("lead_created", "contact.warmness in 0..5");
    assert_eq!(said, "4:30[2] R0314 `in` needs a list, and this is a range | write `x >= 0 and x < 5`");
}

#[test]
fn two_records_compared() {
    let said = condition("booking_created", "contact.next_booking == booking");
    assert_eq!(said, "4:30[2] R0305 records and lists cannot be compared | compare a field of theirs: `a.id == b.id`");
}

#[test]
fn unit_typo() {
    let said = condition("lead_created", "contact.created_at < now - 4.hour_s");
    assert_eq!(said, "4:38[6] R0303 a whole number has no field `hour_s` | did you mean `hours`?");
}

#[test]
fn a_field_of_text() {
    let said = condition("lead_created", "contact.source.lenght > 3");
    assert_eq!(said, "4:24[6] R0303 text has no field `lenght` | it has: len");
}

#[test]
fn never_missing() {
    let said = condition("lead_created", "contact.first_name != ()");
    assert_eq!(said, "4:9[18] R0315 `contact.first_name` is never missing");
}

#[test]
fn capital_and() {
    let said = condition("lead_created", "contact.opted_out AND contact.is_existing_patient");
    assert_eq!(said, "4:27[3] R0301 `AND` does not belong here | write `and`");
}

#[test]
fn unclosed_bracket() {
    let said = condition("lead_created", "(contact.opted_out and contact.is_existing_patient");
    assert_eq!(said, "4:59[1] R0301 `)` is missing for a matching ( in this expression");
}

#[test]
fn unclosed_quote() {
    let said = condition("lead_created", r#"contact.source == "google"#);
    assert_eq!(said, "4:27[7] R0301 a quote is not closed");
}

#[test]
fn trailing_and() {
    let said = condition("lead_created", "contact.opted_out and");
    assert_eq!(said, "4:30[1] R0301 the expression ends too early");
}

#[test]
fn eval() {
    let said = condition("lead_created", r#"eval("true")"#);
    assert_eq!(said, "4:9[4] R0301 `eval` is not available");
}

#[test]
fn closure() {
    let said = condition("lead_created", r#""|x| x > 5""#);
    assert_eq!(said, "4:10[1] R0317 anonymous functions (`|x| …`) are not available");
}

#[test]
fn null() {
    let said = condition("lead_created", "contact.phone == null");
    assert_eq!(said, "4:26[4] R0301 `null` is not available in expressions | a missing value is `()`");
}

#[test]
fn yaml_tag() {
    let said = condition("lead_created", "!contact.opted_out");
    assert_eq!(
        said,
        "4:9[18] R0104 YAML read `!contact.opted_out` as a tag, because the value starts with `!` | write `not ...` instead of `!...`"
    );
}

#[test]
fn assignment_to_a_field() {
    let said = condition("lead_created", "contact.warmness += 5");
    assert_eq!(said, "4:26[2] R0301 `+=` does not belong here");
}
