//! Rule files: keys, names and expressions.

use super::{Example, of_rules};
use crate::engine::diagnostic::names;

pub(super) const EXAMPLES: &[Example] = &[
    of_rules(
        names::FILE_TOO_LARGE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: "…and so on"
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: A short note
"#,
    ),
    of_rules(
        names::YAML_SYNTAX,
        r#"rules:
  - id: example
    when: { event: booking_created }
    name: "New" booking
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    name: New booking
    when: { event: booking_created }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::TOO_DEEP,
        r#"about: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
rules: []
"#,
        r#"about: Plain text
rules: []
"#,
    ),
    of_rules(
        names::YAML_FEATURE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: !contact.opted_out
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: not contact.opted_out
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::DUPLICATE_KEY,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness > 40
    if: not contact.opted_out
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if:
      - contact.warmness > 40
      - not contact.opted_out
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::UNKNOWN_KEY,
        r#"rules:
  - id: example
    when: { event: booking_created }
    iff: contact.warmness > 40
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness > 40
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::NOT_AVAILABLE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - call: my_connector
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Told the other system
"#,
    ),
    of_rules(
        names::MISSING_KEY,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call }
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now + 2.hours }
"#,
    ),
    of_rules(
        names::WRONG_SHAPE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do: Call the patient
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::BAD_VALUE,
        r#"rules:
  - id: example
    when: { date: booking.appointment_datetime, before: 2 days }
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { date: booking.appointment_datetime, before: 2d }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::TOO_MANY,
        r#"rules:
  - id: example
    when: { event: [lead_created, …and so on] }
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: [lead_created, booking_created] }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::ONE_ACTION,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Booked
        sms: reminder_2hr
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Booked
      - sms: reminder_2hr
"#,
    ),
    of_rules(
        names::ONE_TRIGGER,
        r#"rules:
  - id: example
    when: { event: lead_created, every: day }
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when:
      - { event: lead_created }
      - { every: day, at: "09:00", each: contact }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::UNKNOWN_EVENT,
        r#"rules:
  - id: example
    when: { event: booking_canceled }
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_cancelled }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::UNKNOWN_STAGE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - move: { pipeline: lead, stage: new }
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - move: { pipeline: lead, stage: new_lead }
"#,
    ),
    of_rules(
        names::UNKNOWN_TEMPLATE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - sms: reminder_2h
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - sms: reminder_2hr
"#,
    ),
    of_rules(
        names::UNKNOWN_TASK_TYPE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: welcome, title: Call, due: =now }
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: welcome_call, title: Call, due: =now }
"#,
    ),
    of_rules(
        names::UNKNOWN_TEAM,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: welcome_call, title: Call, due: =now, assign: receptions }
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: welcome_call, title: Call, due: =now, assign: reception }
"#,
    ),
    of_rules(
        names::DUPLICATE_RULE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Seen
  - id: example
    when: { event: lead_created }
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Seen
  - id: another-example
    when: { event: lead_created }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::NOT_SETTABLE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - set: { contact.opted_out: true }
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - set: { contact.warmness: 0 }
"#,
    ),
    of_rules(
        names::NOT_A_DATE,
        r#"rules:
  - id: example
    when: { date: booking.status, before: 2h }
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { date: booking.appointment_datetime, before: 2h }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::BAD_LIMIT,
        r#"rules:
  - id: example
    when: { event: booking_created }
    limit: { max: 0, in: 7d }
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    limit: { max: 1, in: 7d }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::BAD_SCHEDULE,
        r#"rules:
  - id: example
    when: { every: fortnight, each: contact }
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { every: monday, at: "09:00", each: contact }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::NO_RECORD,
        r#"rules:
  - id: example
    when: { event: lead_created }
    do:
      - sms: reminder_2hr
"#,
        r#"rules:
  - id: example
    when: { event: lead_created }
    do:
      - sms: lead_ack
"#,
    ),
    of_rules(
        names::EXPR_SYNTAX,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness > 40 AND booking.has_referral
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness > 40 and booking.has_referral
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::UNKNOWN_VARIABLE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: warmness > 40
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness > 40
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::UNKNOWN_FIELD,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: booking.has_referal
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: booking.has_referral
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::UNKNOWN_VALUE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: booking.status == "canceled"
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: booking.status == "cancelled"
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::IMPOSSIBLE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness == "40"
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness == 40
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::ORDERING,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: booking.appointment_datetime > 48
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: booking.appointment_datetime > now + 48.hours
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::MAYBE_MISSING,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.last_visit_at > now - 90.days
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.last_visit_at != () and contact.last_visit_at > now - 90.days
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::NOT_BOOLEAN,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness > 0
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::UNKNOWN_FUNCTION,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =end_of_dai(now) }
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =end_of_day(now) }
"#,
    ),
    of_rules(
        names::ARGUMENTS,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now.plus_business(2) }
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now.plus_business(2.hours) }
"#,
    ),
    of_rules(
        names::WRONG_RESULT,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: tomorrow }
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now + 1.day }
"#,
    ),
    of_rules(
        names::NOT_IN,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: not booking.status in ["cancelled", "declined"]
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: not (booking.status in ["cancelled", "declined"])
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::SINGLE_EQUALS,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: booking.status = "scheduled"
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: booking.status == "scheduled"
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::OPERATOR,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now + 2 }
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now + 2.hours }
"#,
    ),
    of_rules(
        names::NEVER_MISSING,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.first_name != ()
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    if: contact.first_name != "there"
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::MERGE,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: "Call {{contact.first_name"
"#,
        r#"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: "Call {{contact.first_name}}"
"#,
    ),
];
