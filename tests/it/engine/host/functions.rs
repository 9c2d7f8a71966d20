//! What the functions and operators of expressions answer.

use super::fields::is_of;
use super::workbench::{clinic, expr, facts, monday, ruleset};
use avatar::engine::functions::{FUNCTIONS, PROPERTIES};
use avatar::engine::schema::Type;
use avatar::engine::script::{ScriptError, View, for_trace};

/// The value as a trace shows it, or the error's message.
fn answer(text: &str) -> Result<String, ScriptError> {
    let rules = ruleset(Vec::new());
    let view = View::of_facts(&clinic(), &facts("booking_created"), monday());
    let value = rules.host.eval(&expr(text), &mut rules.host.scope(&view))?;
    Ok(for_trace(&view.clinic.calendar, &value))
}

#[test]
fn expressions_answer_as_a_reader_expects() {
    for (text, expected) in [
        ("clamp(170, 0, 100)", "100"),
        ("clamp(-3, 0, 100)", "0"),
        ("min(3, 7)", "3"),
        ("max(3.5, 7.0)", "7.0"),
        ("abs(-4)", "4"),
        ("round(2.5)", "3"),
        ("round(100.0 * (1.0 - exp(-60.0 / 60.0)))", "63"),
        ("pow(0.5, 2.0)", "0.25"),
        ("to_float(3) / 2.0", "1.5"),
        ("min_time(now, now + 1.hour) == now", "true"),
        ("max_time(now, now + 1.hour) == now", "false"),
        ("end_of_day(now)", "2026-11-23 18:00"),
        ("now.plus_business(10.hours)", "2026-11-24 09:00"),
        ("now.plus_days(1).at(\"09:30\")", "2026-11-24 09:30"),
        ("now.hour", "9"),
        ("now.minute", "0"),
        ("now.weekday", "monday"),
        ("now.date", "2026-11-23"),
        ("now.year * 10000 + now.month * 100 + now.day", "20261123"),
        ("(now - booking.created_at).days > 18.9", "true"),
        ("90.minutes", "1h 30m"),
        ("1.week - 2.days", "5d"),
        ("90.minutes.hours", "1.5"),
        ("-(2.hours)", "-2h"),
        ("2.hours * 3 == 6.hours and 6.hours / 3 == 2.hours", "true"),
        ("1.day >= 24.hours and 1.day <= 24.hours and 1.day != 25.hours", "true"),
        ("now < now + 1.minute and now > now - 1.minute and now >= now and now <= now", "true"),
        ("\"Yes please\".to_lower().contains(\"please\")", "true"),
        ("\"  Yes \".trim().len()", "3"),
        ("\"yes\".starts_with(\"y\") and \"yes\".ends_with(\"s\")", "true"),
        ("\"yes\".to_upper()", "YES"),
        ("booking.status in [\"scheduled\", \"confirmed\"]", "true"),
        ("not (3 in [1, 2]) and 2.hours in [1.hour, 2.hours]", "true"),
        ("contact.touchpoints.len() == 2 and contact.touchpoints.len == 2", "true"),
        ("[].is_empty() and not contact.touchpoints.is_empty()", "true"),
        ("contact.next_booking == () or contact.next_booking.status == \"scheduled\"", "true"),
        ("booking.patient_confirmed_at == ()", "true"),
        ("event.data.campaign", "spring"),
        ("event.data.nothing == ()", "true"),
        ("if contact.warmness > 40 { \"warm\" } else { \"cold\" }", "warm"),
        ("`${contact.first_name} at ${now.hour}`", "Ana at 9"),
        ("clinic.is_open", "true"),
    ] {
        assert_eq!(answer(text).unwrap_or_else(|error| error.to_string()), expected, "{text}");
    }
}

/// An expression of the type, not a literal where a field can stand.
fn sample(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "contact.opted_out",
        Type::Int => "contact.warmness",
        Type::Float => "0.5",
        Type::Text => "\"09:30\"",
        Type::Time => "booking.appointment_datetime",
        Type::Duration => "2.hours",
        Type::Record("contact") => "contact",
        Type::List("touchpoint") => "contact.touchpoints",
        other => panic!("no sample of {other:?}"),
    }
}

#[test]
fn every_function_and_property_of_the_table_works_and_gives_its_type() {
    let rules = ruleset(Vec::new());
    let view = View::of_facts(&clinic(), &facts("booking_created"), monday());
    let mut scope = rules.host.scope(&view);
    let mut check = |text: String, ty: Type| {
        let value = rules.host.eval(&expr(&text), &mut scope).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(is_of(&value, ty), "{text} should be {ty:?}, is {}", value.type_name());
    };
    for function in FUNCTIONS {
        let params: Vec<&str> = function.params.iter().map(|ty| sample(*ty)).collect();
        check(format!("{}({})", function.name, params.join(", ")), function.result);
        if let [receiver, rest @ ..] = params.as_slice() {
            check(format!("({receiver}).{}({})", function.name, rest.join(", ")), function.result);
        }
    }
    for property in PROPERTIES {
        check(format!("({}).{}", sample(property.of), property.name), property.result);
    }
}

#[test]
fn a_day_is_a_day_even_when_the_clocks_change() {
    let rules = ruleset(Vec::new());
    let saturday = super::workbench::at("2026-10-03T09:00:00+10:00");
    let view = View::of_facts(&clinic(), &facts("booking_created"), saturday);
    let mut scope = rules.host.scope(&view);
    let mut show = |text: &str| for_trace(&view.clinic.calendar, &rules.host.eval(&expr(text), &mut scope).expect("a value"));
    assert_eq!(show("now.plus_days(1)"), "2026-10-04 09:00");
    assert_eq!(show("now + 1.day"), "2026-10-04 10:00");
    assert_eq!(show("now.plus_days(1).at(\"02:30\")"), "2026-10-04 03:00");
}

#[test]
fn wrong_values_are_errors_with_a_place_and_never_a_panic() {
    for text in [
        "1 / 0",
        "9223372036854775807 + 1",
        "9223372036854775807.weeks",
        "2.hours * 9223372036854775807",
        "2.hours / 0",
        "round(pow(10.0, 40.0))",
        "pow(10.0, 400.0)",
        "exp(1000.0)",
        "now.at(\"25:00\")",
        "now.plus_days(9223372036854775807)",
        "abs(-9223372036854775807 - 1)",
        "contact.nickname",
        "unknown_function(1)",
        "lead.name",
        "contact < contact",
        "sleep(10)",
        "now.tag = 5",
    ] {
        if super::workbench::expr_at(text, rhai::OptimizationLevel::None).is_err() {
            continue;
        }
        let error = answer(text).expect_err(text);
        assert_eq!((&*error.file, error.line), (super::workbench::FILE, 10), "{text}");
        assert!(error.column >= 5, "{text}");
        assert!(!error.message.contains("(line"), "{text}: {}", error.message);
    }
}
