//! Names of events, stages, templates and the like.

use super::{Example, of_rules};
use crate::engine::diagnostic::names;

pub(super) const EXAMPLES: &[Example] = &[
    of_rules(
        names::UNKNOWN_EVENT,
        r"rules:
  - id: example
    when: { event: booking_canceled }
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_cancelled }
    do:
      - note: Seen
",
    ),
    of_rules(
        names::UNKNOWN_STAGE,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - move: { pipeline: lead, stage: new }
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - move: { pipeline: lead, stage: new_lead }
",
    ),
    of_rules(
        names::UNKNOWN_TEMPLATE,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - sms: reminder_2h
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - sms: reminder_2hr
",
    ),
    of_rules(
        names::UNKNOWN_TASK_TYPE,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: welcome, title: Call, due: =now }
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: welcome_call, title: Call, due: =now }
",
    ),
    of_rules(
        names::UNKNOWN_TEAM,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: welcome_call, title: Call, due: =now, assign: receptions }
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: welcome_call, title: Call, due: =now, assign: reception }
",
    ),
    of_rules(
        names::DUPLICATE_RULE,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Seen
  - id: example
    when: { event: lead_created }
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Seen
  - id: another-example
    when: { event: lead_created }
    do:
      - note: Seen
",
    ),
    of_rules(
        names::NOT_SETTABLE,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - set: { contact.opted_out: true }
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - set: { contact.warmness: 0 }
",
    ),
    of_rules(
        names::NOT_A_DATE,
        r"rules:
  - id: example
    when: { date: booking.status, before: 2h }
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { date: booking.appointment_datetime, before: 2h }
    do:
      - note: Seen
",
    ),
    of_rules(
        names::BAD_LIMIT,
        r"rules:
  - id: example
    when: { event: booking_created }
    limit: { max: 0, in: 7d }
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_created }
    limit: { max: 1, in: 7d }
    do:
      - note: Seen
",
    ),
    of_rules(
        names::BAD_SCHEDULE,
        r"rules:
  - id: example
    when: { every: fortnight, each: contact }
    do:
      - note: Seen
",
        r#"rules:
  - id: example
    when: { every: monday, at: "09:00", each: contact }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::NO_RECORD,
        r"rules:
  - id: example
    when: { event: lead_created }
    do:
      - sms: reminder_2hr
",
        r"rules:
  - id: example
    when: { event: lead_created }
    do:
      - sms: lead_ack
",
    ),
];
