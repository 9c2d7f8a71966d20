//! What a rule file alone does not show: other files, the rules of before, and a trial run belong to it.

use super::{Example, PIPELINES, RULES, SCRIPT, of_rules};
use crate::engine::diagnostic::names;

pub(super) const EXAMPLES: &[Example] = &[
    of_rules(
        names::UNHEARD,
        r"rules:
  - id: example
    when: { event: booking_no_show }
    do:
      - emit: patient_missed
",
        r"rules:
  - id: example
    when: { event: booking_no_show }
    do:
      - emit: patient_missed
  - id: listener
    when: { event: patient_missed }
    do:
      - note: Did not come
",
    ),
    Example::of(
        PIPELINES,
        names::NO_WAY_IN,
        r"pipelines:
  - name: lead
    label: Leads
    stages:
      - { name: new_lead, label: New lead, next: [contacted] }
      - { name: contacted, label: Contacted, terminal: true }
      - { name: dormant, label: Dormant, terminal: true }
",
        r"pipelines:
  - name: lead
    label: Leads
    stages:
      - { name: new_lead, label: New lead, next: [contacted, dormant] }
      - { name: contacted, label: Contacted, terminal: true }
      - { name: dormant, label: Dormant, terminal: true }
",
    )
    .with(
        RULES,
        r"rules:
  - id: example
    when: { every: day, each: contact }
    if: contact.last_touch_at == ()
    do:
      - move: { pipeline: lead, stage: dormant }
",
    ),
    of_rules(
        names::RENAMED,
        r"rules:
  - id: lead-called
    when: { event: lead_created }
    do:
      - note: A lead
",
        r"rules:
  - id: lead-called
    was: lead-created
    when: { event: lead_created }
    do:
      - note: A lead
",
    )
    .after(
        r"rules:
  - id: lead-created
    when: { event: lead_created }
    do:
      - note: A lead
",
    ),
    of_rules(
        names::FAILS_WHEN_RUN,
        r"rules:
  - id: example
    when: { event: booking_created }
    if: per_visit(contact.warmness, contact.no_shows) > 10
    do:
      - note: Seen
",
        r"rules:
  - id: example
    when: { event: booking_created }
    if: contact.no_shows > 0 and per_visit(contact.warmness, contact.no_shows) > 10
    do:
      - note: Seen
",
    )
    .with(
        SCRIPT,
        r"/// per_visit(score: int, visits: int) -> int
/// A score for each visit.
fn per_visit(score, visits) { score / visits }
",
    ),
];
