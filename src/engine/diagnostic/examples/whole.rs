//! Rules together.

use super::{Example, of_rules};
use crate::engine::diagnostic::names;

pub(super) const EXAMPLES: &[Example] = &[
    of_rules(
        names::NEVER_FIRES,
        r#"rules:
  - id: example
    when: { date: booking.appointment_datetime, before: 24h }
    while: booking.status in ["scheduled", "confirmed"]
    if: booking.status == "cancelled"
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { date: booking.appointment_datetime, before: 24h }
    while: booking.status in ["scheduled", "confirmed"]
    if: booking.status == "scheduled"
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::NEVER_RUNS,
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness >= 40
    do:
      - note: Cold
        if: contact.warmness < 20
",
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness >= 40
    do:
      - note: Hot
        if: contact.warmness >= 70
",
    ),
    of_rules(
        names::RULE_CYCLE,
        r"rules:
  - id: example
    when: { event: sms_delivered }
    do:
      - sms: lead_ack
",
        r"rules:
  - id: example
    when: { event: sms_delivered }
    do:
      - note: Arrived
",
    ),
    of_rules(
        names::WRITERS,
        r#"rules:
  - id: confirm
    when: { event: booking_created }
    do:
      - sms: reminder_2hr
  - id: prepare
    when: { event: booking_created }
    if: booking.urgency_level == "urgent"
    do:
      - sms: lead_ack
"#,
        r#"rules:
  - id: confirm
    when: { event: booking_created }
    if: booking.urgency_level != "urgent"
    do:
      - sms: reminder_2hr
  - id: prepare
    when: { event: booking_created }
    if: booking.urgency_level == "urgent"
    do:
      - sms: lead_ack
"#,
    ),
    of_rules(
        names::NO_TRANSITION,
        r#"rules:
  - id: example
    when: { event: lead_created }
    if:
      - contact.current_pipeline == "lead"
      - contact.current_stage == "engaged"
    do:
      - move: { pipeline: lead, stage: contacted }
"#,
        r#"rules:
  - id: example
    when: { event: lead_created }
    if:
      - contact.current_pipeline == "lead"
      - contact.current_stage == "engaged"
    do:
      - move: { pipeline: lead, stage: qualified }
"#,
    ),
    of_rules(
        names::IDLE_LIMIT,
        r#"rules:
  - id: example
    when: { every: monday, at: "09:00", each: contact }
    limit: { max: 1, in: 12h }
    do:
      - note: Seen
"#,
        r#"rules:
  - id: example
    when: { every: monday, at: "09:00", each: contact }
    limit: { max: 1, in: 30d }
    do:
      - note: Seen
"#,
    ),
];
