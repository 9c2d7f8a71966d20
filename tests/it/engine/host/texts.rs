//! Texts as patients get them.

use super::workbench::*;
use avatar::engine::facts::Facts;
use avatar::engine::script::ScriptError;
use avatar::engine::template::{RenderedSms, render_sms};
use std::sync::Arc;

fn render(source: &str, facts: &Facts) -> Result<RenderedSms, ScriptError> {
    render_sms(&ruleset_with(Vec::new(), &[template("text", source)], ""), "text", facts, monday())
}

fn body(source: &str, facts: &Facts) -> String {
    render(source, facts).map_or_else(|error| error.to_string(), |text| text.body)
}

#[test]
fn a_pasted_template_costs_one_plain_part() {
    let facts = facts("booking_created");
    let text = render("Hi {{contact.first_name}}, we’ll see you {{booking.day}} {{booking.date}} – {{booking.time}}…\n", &facts)
        .expect("a text");
    assert_eq!(text.body, "Hi Ana, we'll see you Friday Fri 4 Dec - 10:30 am...");
    assert_eq!((text.encoding, text.parts, text.immediate), ("gsm7", 1, false));
}

#[test]
fn a_name_outside_gsm7_is_kept_and_counted() {
    let mut facts = facts("booking_created");
    let mut contact = ana();
    contact.first_name = "Nguyễn".to_owned();
    facts.contact = Some(contact_facts(contact));
    let text =
        render("Hi {{contact.first_name}}, your appointment is on {{booking.date}}. Please come ten minutes early.", &facts)
            .expect("a text");
    assert_eq!((text.encoding, text.parts), ("ucs2", 2));
    assert!(text.body.contains("Nguyễn"));
}

#[test]
fn missing_values_leave_no_trace_and_conditions_see_them() {
    let mut facts = facts("booking_created");
    let mut booking = scan();
    booking.location = None;
    facts.booking = Some(Arc::new(booking));
    assert_eq!(body("At {{clinic.name}}{{#if booking.location}} in {{booking.location}}{{/if}}.", &facts), "At Harbour Imaging.");
    assert_eq!(body("Room {{booking.resource_name}}!", &facts), "Room !");
    facts.booking = None;
    let source = "{{#if booking}}See you {{booking.time}}{{else}}Call {{clinic.phone}}{{/if}}";
    assert_eq!(body(source, &facts), "Call 02 5550 1234");
    facts.booking = Some(Arc::new(scan()));
    assert_eq!(body(source, &facts), "See you 10:30 am");
    assert_eq!(body("{{#unless (eq booking.status \"confirmed\")}}Reply YES{{/unless}}", &facts), "Reply YES");
    assert_eq!(body("{{#if (and (not contact.opted_out) (gt contact.warmness 40))}}warm{{/if}}", &facts), "warm");
}

#[test]
fn what_a_patient_wrote_is_never_taken_for_a_template() {
    let facts = message("{{contact.phone}} {{#if x}} <b>&", "other");
    assert_eq!(body("You wrote: {{message.body}}", &facts), "You wrote: {{contact.phone}} {{#if x}} <b>&");
}

#[test]
fn errors_name_the_template_and_what_is_wrong() {
    let facts = message(&"long ".repeat(400), "other");
    for (source, message) in [
        ("Hi {{contact.nickname}}", "there is no field contact.nickname"),
        ("Hi {{lead.name}}", "there is no field lead.name"),
        ("  \n ", "the text is empty"),
        ("{{message.body}}", "message.body is longer than 1600 characters"),
    ] {
        let error = render(source, &facts).expect_err(source);
        assert_eq!((&*error.file, error.message.as_str()), ("sms_templates/text.hbs", message));
    }
    let missing = render_sms(&ruleset(Vec::new()), "nothing", &facts, monday()).expect_err("no template");
    assert_eq!(missing.to_string(), "sms_templates/nothing.hbs:1:1: there is no such template");
}
