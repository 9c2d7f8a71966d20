//! Waits, branches, and rules that know of one another.

use super::{Example, of_rules};
use crate::engine::diagnostic::names;

pub(super) const EXAMPLES: &[Example] = &[
    of_rules(
        names::UNKNOWN_RULE,
        r"rules:
  - id: greet
    when: { event: lead_created }
    do:
      - note: Hello
  - id: example
    when: { event: manychat_message }
    do:
      - run: greeet
",
        r"rules:
  - id: greet
    when: { event: lead_created }
    do:
      - note: Hello
  - id: example
    when: { event: manychat_message }
    do:
      - run: greet
",
    ),
    of_rules(
        names::RUN_CYCLE,
        r"rules:
  - id: example
    when: { event: lead_created }
    do:
      - run: example
",
        r"rules:
  - id: example
    when: { event: lead_created }
    do:
      - note: Seen
",
    ),
    of_rules(
        names::BAD_WAIT,
        r"rules:
  - id: example
    when: { event: lead_created }
    do:
      - wait: 400d
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: lead_created }
    do:
      - wait: 40d
      - note: Seen
",
    ),
    of_rules(
        names::BAD_HOLDS,
        r"rules:
  - id: example
    when: { holds: 'contact.created_at < now - 4.hours', for: 4h }
    do:
      - note: Seen
",
        r#"rules:
  - id: example
    when: { holds: 'contact.current_stage == "new_lead"', for: 4h }
    do:
      - note: Seen
"#,
    ),
    of_rules(
        names::BAD_EMIT,
        r"rules:
  - id: example
    when: { event: lead_created }
    do:
      - emit: booking_confirmed
",
        r"rules:
  - id: example
    when: { event: lead_created }
    do:
      - emit: welcomed
  - id: listener
    when: { event: welcomed }
    do:
      - note: Seen
",
    ),
    of_rules(
        names::UNKNOWN_SOURCE,
        r"rules:
  - id: example
    when: { webhook: manichat }
    do:
      - alert: Something came
",
        r"rules:
  - id: example
    when: { webhook: manychat }
    do:
      - alert: Something came
",
    ),
    of_rules(
        names::BAD_NAME,
        r"rules:
  - id: example
    when: { event: lead_created }
    do:
      - tag: Very Important
",
        r"rules:
  - id: example
    when: { event: lead_created }
    do:
      - tag: very_important
",
    ),
];
