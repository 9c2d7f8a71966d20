//! Which booking a step is about, and whose tasks it closes.

use super::clinic::report;
use super::flow::{on, rules, told};
use super::host::workbench::{facts, monday};
use avatar::engine::evaluate::evaluate;
use avatar::engine::facts::Facts;
use avatar::engine::plan::{Action, PlannedStep, RuleRun, TasksOf};

/// `path booking` of each step that is about another booking than the rule's.
fn about(run: &RuleRun) -> Vec<String> {
    let about = |step: &PlannedStep| Some(format!("{} {}", step.path, step.booking_id.as_ref()?));
    run.steps.iter().filter_map(about).collect()
}

#[test]
fn steps_of_an_each_over_bookings_are_about_the_item() {
    let rules = rules(
        r#"rules:
  - id: r
    when: { event: lead_created }
    do:
      - each:
          in: =contact.bookings
          as: visit
          do:
            - note: "{{booking.date}} {{visit.date}}"
            - run: other
      - each:
          in: =contact.touchpoints
          as: touch
          do: [ { note: "{{touch.kind}}" } ]
      - close_tasks: { type: any }
  - id: other
    when: { manual: booking }
    do:
      - close_tasks: { type: any }
"#,
    );
    let facts = facts("lead_created");
    let of_contact = Facts { booking: None, ..facts.clone() };
    let run = &evaluate(&rules, &of_contact, monday())[0];
    assert_eq!(told(run)[0], "do/0/each/0/do/0 note Fri 4 Dec Fri 4 Dec");
    assert_eq!(about(run), ["do/0/each/0/do/0 b1", "do/0/each/0/do/1/run/do/0 b1"], "{run:#?}");
    let closed = run.steps.iter().filter_map(|step| match &step.action {
        Some(Action::CloseTasks { of, .. }) => Some(*of),
        _ => None,
    });
    assert_eq!(closed.collect::<Vec<_>>(), [TasksOf::Booking, TasksOf::Contact]);
}

/// In a rule about a booking, `booking` inside of an `each` over bookings could be either: it has to be said which.
#[test]
fn two_bookings_are_not_taken_for_one_another() {
    let each = |condition: &str| {
        report(&on(
            "booking_cancelled",
            &format!(
                "    vars: {{ gone: =booking.id }}\n    do:\n      - each:\n          in: =contact.bookings\n          as: visit\n          do:\n            - sms: booking_confirmation\n              if: {condition}\n"
            ),
        ))
    };
    assert_eq!(each("visit.id != gone"), "");
    let told = each("visit.id != booking.id");
    assert!(
        told.contains("R0211 `booking` could be two here: the rule's own, and `visit`, which these steps are about"),
        "{told}"
    );
    assert!(told.contains("write `visit`; what you need of the rule's own booking, keep in `vars`"), "{told}");
}

#[test]
fn of_booking_needs_a_booking_that_is_there() {
    let close =
        |rest: &str| report(&on("sms_received", &format!("    do:\n      - close_tasks: {{ type: any, of: booking }}\n{rest}")));
    assert_eq!(close("        if: booking != ()\n"), "");
    let told = close("");
    assert!(told.contains("`booking` may be missing, so there may be no tasks of it"), "{told}");
    assert!(told.contains("or write `of: contact`"), "{told}");
}
