//! Files, keys and shapes.

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
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: A short note
",
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
        r"rules:
  - id: example
    name: New booking
    when: { event: booking_created }
    do:
      - note: Seen
",
    ),
    of_rules(
        names::TOO_DEEP,
        r"about: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
rules: []
",
        r"about: Plain text
rules: []
",
    ),
    of_rules(
        names::YAML_FEATURE,
        r"rules:
  - id: example
    when: { event: booking_created }
    if: !contact.opted_out
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_created }
    if: not contact.opted_out
    do:
      - note: Seen
",
    ),
    of_rules(
        names::DUPLICATE_KEY,
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.warmness > 40
    if: not contact.opted_out
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_created }
    if:
      - contact.warmness > 40
      - not contact.opted_out
    do:
      - note: Seen
",
    ),
    of_rules(
        names::UNKNOWN_KEY,
        r"rules:
  - id: example
    when: { event: booking_created }
    iff: contact.warmness > 40
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
        names::NOT_AVAILABLE,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - call: my_connector
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Told the other system
",
    ),
    of_rules(
        names::MISSING_KEY,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call }
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - task: { type: lead_call, title: Call, due: =now + 2.hours }
",
    ),
    of_rules(
        names::WRONG_SHAPE,
        r"rules:
  - id: example
    when: { event: booking_created }
    do: Call the patient
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Seen
",
    ),
    of_rules(
        names::BAD_VALUE,
        r"rules:
  - id: example
    when: { date: booking.appointment_datetime, before: 2 days }
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { date: booking.appointment_datetime, before: 2d }
    do:
      - note: Seen
",
    ),
    of_rules(
        names::TOO_MANY,
        r"rules:
  - id: example
    when: { event: [lead_created, …and so on] }
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: [lead_created, booking_created] }
    do:
      - note: Seen
",
    ),
    of_rules(
        names::ONE_ACTION,
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Booked
        sms: reminder_2hr
",
        r"rules:
  - id: example
    when: { event: booking_created }
    do:
      - note: Booked
      - sms: reminder_2hr
",
    ),
    of_rules(
        names::ONE_TRIGGER,
        r"rules:
  - id: example
    when: { event: lead_created, every: day }
    do:
      - note: Seen
",
        r#"rules:
  - id: example
    when:
      - { event: lead_created }
      - { every: day, at: "09:00", each: contact }
    do:
      - note: Seen
"#,
    ),
];
