//! Conditions and values.

use super::{Example, of_rules};
use crate::engine::diagnostic::names;

pub(super) const EXAMPLES: &[Example] = &[
    of_rules(
        names::EXPR_SYNTAX,
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness > 40 AND booking.has_referral
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness > 40 and booking.has_referral
    do:
      - note: Seen
",
    ),
    of_rules(
        names::UNKNOWN_VARIABLE,
        r"rules:
  - id: example
    when: { event: booking_created }
    if: warmness > 40
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness > 40
    do:
      - note: Seen
",
    ),
    of_rules(
        names::UNKNOWN_FIELD,
        r"rules:
  - id: example
    when: { event: booking_created }
    if: booking.has_referal
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_created }
    if: booking.has_referral
    do:
      - note: Seen
",
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
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness == 40
    do:
      - note: Seen
",
    ),
    of_rules(
        names::ORDERING,
        r"rules:
  - id: example
    when: { event: booking_created }
    if: booking.appointment_datetime > 48
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_created }
    if: booking.appointment_datetime > now + 48.hours
    do:
      - note: Seen
",
    ),
    of_rules(
        names::MAYBE_MISSING,
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.last_visit_at > now - 90.days
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.last_visit_at != () and contact.last_visit_at > now - 90.days
    do:
      - note: Seen
",
    ),
    of_rules(
        names::NOT_BOOLEAN,
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness > 0
    do:
      - note: Seen
",
    ),
    of_rules(
        names::UNKNOWN_FUNCTION,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =end_of_dai(now) }
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =end_of_day(now) }
",
    ),
    of_rules(
        names::ARGUMENTS,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now.plus_business(2) }
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now.plus_business(2.hours) }
",
    ),
    of_rules(
        names::WRONG_RESULT,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: tomorrow }
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now + 1.day }
",
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
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now + 2 }
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now + 2.hours }
",
    ),
    of_rules(
        names::NEVER_MISSING,
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.first_name != ()
    do:
      - note: Seen
",
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
