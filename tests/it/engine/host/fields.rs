//! The host and the schema agree on every field.

use super::workbench::{at, call_task, clinic, facts, message, monday, ruleset, scan};
use avatar::domain::contact::Contact;
use avatar::domain::task::{Task, TaskOutcome};
use avatar::domain::time::Timestamp;
use avatar::engine::facts::Facts;
use avatar::engine::schema::{RECORDS, Type};
use avatar::engine::script::View;
use rhai::Dynamic;
use std::sync::Arc;

/// Facts in which nothing is missing.
fn full_facts() -> Facts {
    let mut facts = message("Yes!", "yes");
    let soon = Some(monday());
    let old = facts.contact.take().expect("a contact");
    let mut contact = (*old).clone();
    contact.contact = Contact {
        opted_out_at: soon,
        first_source: Some("google".to_owned()),
        interest: Some("MRI".to_owned()),
        stage_entered_at: soon,
        assigned_to: Some("reception".to_owned()),
        last_inbound_at: soon,
        last_outbound_at: soon,
        last_visit_at: soon,
        recall_due_on: soon,
        ..contact.contact
    };
    for touchpoint in contact.touchpoints.iter_mut().map(Arc::make_mut) {
        touchpoint.source = Some("google".to_owned());
        touchpoint.medium = Some("cpc".to_owned());
        touchpoint.campaign = Some("spring".to_owned());
    }
    let mut booking = scan();
    booking.end_datetime = soon;
    booking.resource_name = Some("Room 1".to_owned());
    booking.payment_status = Some("PAID".to_owned());
    booking.patient_confirmed_at = soon;
    facts.contact = Some(Arc::new(contact));
    facts.booking = Some(Arc::new(booking));
    facts.task =
        Some(Arc::new(Task { outcome: Some(TaskOutcome::Spoke), completed_by: Some("staff:1".to_owned()), ..call_task() }));
    facts.event.occurred_at = soon;
    facts
}

pub fn is_of(value: &Dynamic, ty: Type) -> bool {
    match ty {
        Type::Bool => value.is_bool(),
        Type::Int => value.is_int(),
        Type::Float => value.is_float(),
        Type::Text => value.is_string(),
        Type::Enum(allowed) => value.as_immutable_string_ref().is_ok_and(|text| allowed.contains(&text.as_str())),
        Type::Time => value.is::<Timestamp>(),
        Type::Duration => value.is::<avatar::domain::time::Millis>(),
        Type::Record(name) => value.type_name().to_lowercase().contains(name),
        Type::List(_) | Type::Texts | Type::Steps => value.is_array(),
        Type::TextMap => value.type_name().contains("DataRecord"),
    }
}

#[test]
fn every_field_of_the_schema_can_be_read_and_has_its_type() {
    let view = View::of_facts(&clinic(), &full_facts(), monday());
    let rules = ruleset(Vec::new());
    let mut scope = rules.host.scope(&view);
    let mut checked = 0;
    for record in RECORDS {
        for field in record.fields {
            let path = match record.name {
                "touchpoint" => format!("contact.touchpoints[0].{}", field.name),
                name => format!("{name}.{}", field.name),
            };
            let expr = super::workbench::expr(&path);
            let value = rules.host.eval(&expr, &mut scope).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(is_of(&value, field.ty), "{path} should be {:?}, is {}", field.ty, value.type_name());
            if record.name != "touchpoint" {
                let read = view.read(&path).unwrap_or_else(|| panic!("{path} cannot be read by templates"));
                assert!(is_of(&read, field.ty), "{path} reads as {}", read.type_name());
            }
            checked += 1;
        }
    }
    assert_eq!(checked, RECORDS.iter().map(|record| record.fields.len()).sum::<usize>());
}

#[test]
fn what_is_optional_is_missing_when_it_is_not_known_and_nothing_else_is() {
    let mut bare = message("", "other");
    let contact = Contact { id: "c1".to_owned(), created_at: monday(), ..Contact::default() };
    bare.contact = Some(Arc::new(avatar::engine::facts::ContactFacts { contact, ..Default::default() }));
    let mut booking = scan();
    booking.service_name = Some(String::new());
    booking.location = None;
    bare.booking = Some(Arc::new(booking));
    let mut task = call_task();
    task.assigned_to = None;
    bare.task = Some(Arc::new(task));
    let view = View::of_facts(&clinic(), &bare, monday());
    for record in RECORDS.iter().filter(|record| record.name != "touchpoint") {
        for field in record.fields {
            let value = view.read(&format!("{}.{}", record.name, field.name)).expect("a field");
            assert_eq!(value.is_unit(), field.optional, "{}.{}", record.name, field.name);
        }
    }
}

#[test]
fn a_booking_says_its_time_on_the_clock_of_its_own_site() {
    let mut facts = facts("booking_created");
    let mut booking = scan();
    booking.timezone = "Australia/Perth".to_owned();
    booking.appointment_datetime = at("2026-12-04T00:05:00+11:00");
    facts.booking = Some(Arc::new(booking));
    let view = View::of_facts(&clinic(), &facts, monday());
    let read = |path: &str| view.read(path).expect("a field").to_string();
    assert_eq!(read("booking.date"), "Thu 3 Dec");
    assert_eq!(read("booking.time"), "9:05 pm");
    assert_eq!(read("booking.day"), "Thursday");
}

#[test]
fn a_contact_without_a_name_is_greeted_all_the_same() {
    let mut facts = facts("booking_created");
    facts.contact = Some(super::workbench::contact_facts(Contact::default()));
    let view = View::of_facts(&clinic(), &facts, monday());
    assert_eq!(view.read("contact.first_name").expect("a field").to_string(), "there");
}

#[test]
fn records_cannot_be_written() {
    let rules = ruleset(Vec::new());
    let view = View::of_facts(&clinic(), &full_facts(), monday());
    let mut scope = rules.host.scope(&view);
    for script in ["contact.warmness = 100", "now = now + 1.days", "contact = ()", "contact.touchpoints[0] = ()"] {
        let engine = super::workbench::engine(rhai::OptimizationLevel::None);
        let Ok(ast) = engine.compile(script) else { continue };
        let expr = avatar::engine::ruleset::Expr { ast, ..super::workbench::expr("true") };
        // A change of a copy is allowed to go unnoticed, a change of the record is not.
        let _ = rules.host.eval(&expr, &mut scope);
        assert_eq!(view.read("contact.warmness").expect("a field").as_int(), Ok(42), "{script}");
        assert!(scope.get("now").is_some_and(|now| now.clone_cast::<Timestamp>() == monday()), "{script}");
        assert!(scope.get("contact").is_some_and(|contact| !contact.is_unit()), "{script}");
    }
}
