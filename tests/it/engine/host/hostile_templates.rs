//! Templates that a text has no use for: refused when they are parsed, so that none of them is ever rendered.

use super::workbench::*;
use avatar::alloc;
use avatar::engine::template::{guard, render_sms};

const PEAK_BYTES_MAX: i64 = 32 * 1024 * 1024;

const REFUSED: &[&str] = &[
    "{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}",
    "{{#*inline \"a\"}}x{{/inline}}",
    "{{> other}}",
    "{{> (lookup . \"name\")}}",
    "{{#> layout}}x{{/layout}}",
    "{{> @partial-block}}",
    "{{*decorator}}",
    "{{#*decorator x}}y{{/decorator}}",
    "{{#each contact.touchpoints}}{{kind}}{{/each}}",
    "{{#each contact}}{{this}}{{/each}}",
    "{{#with contact}}{{phone}}{{/with}}",
    "{{lookup contact \"phone\"}}",
    "{{#if (lookup contact \"phone\")}}x{{/if}}",
    "{{@root.contact.phone}}",
    "{{@index}}",
    "{{../contact.phone}}",
    "{{contact.[phone]}}",
    "{{this}}",
    "{{log contact.phone}}",
    "{{#if (len contact.touchpoints)}}x{{/if}}",
    "{{raw contact}}",
    "{{{{raw}}}}{{contact.phone}}{{{{/raw}}}}",
    "{{#unknown contact}}x{{/unknown}}",
    "{{#if contact.phone as |p|}}{{p}}{{/if}}",
    "{{#if contact.phone includeZero=true}}x{{/if}}",
    "{{#if [1,2,3]}}x{{/if}}",
    "{{#if {\"a\":1}}}x{{/if}}",
    "{{#if contact.phone}}never closed",
    "{{contact.phone",
    "{{/if}}",
    "{{contact..phone}}",
    "{{contact/phone}}",
];

fn generated() -> Vec<String> {
    let nest = |open: &str, close: &str, times: usize| format!("{}x{}", open.repeat(times), close.repeat(times));
    vec![
        "x".repeat(guard::SOURCE_BYTES_MAX + 1),
        nest("{{#if contact.id}}", "{{/if}}", 9),
        nest("{{#if contact.id}}", "{{/if}}", 78),
        "{{#if contact.id}}".repeat(110),
        format!("{{{{#if {}}}}}x{{{{/if}}}}", nest("(not ", ")", 5).replace('x', "contact.id")),
        format!("{{{{#if {}}}}}x{{{{/if}}}}", nest("(not ", ")", 300).replace('x', "contact.id")),
        format!("{{{{#if {}}}}}x{{{{/if}}}}", "(not ".repeat(380)),
        format!("{{{{#if {}}}}}x{{{{/if}}}}", nest("[", "]", 900)),
        "{{".repeat(1_000),
        "{{#".repeat(600),
        "{{{{".repeat(400),
        "{{!".repeat(600),
        format!("{{{{{}}}}}", "a.".repeat(900)),
        format!("{}{}", "{{#if contact.id}}a{{else if contact.id}}", "b{{else if contact.id}}".repeat(40) + "{{/if}}"),
    ]
}

#[test]
fn every_hostile_template_is_refused_before_it_is_rendered() {
    let corpus: Vec<String> = REFUSED.iter().map(ToString::to_string).chain(generated()).collect();
    assert!(corpus.len() >= 20);
    on_script_thread(move || {
        for source in corpus {
            alloc::reset_peak();
            let before = alloc::live_bytes();
            assert!(guard::parse(&source).is_err(), "{}", source.chars().take(80).collect::<String>());
            let rules = ruleset_with(Vec::new(), &[template("text", &source)], "");
            assert!(render_sms(&rules, "text", &facts("booking_created"), monday()).is_err(), "{source}");
            assert!(alloc::peak_bytes() - before < PEAK_BYTES_MAX);
        }
    });
}

#[test]
fn a_text_that_grows_too_long_is_stopped() {
    let source = "{{message.body}}".repeat(100);
    let rules = ruleset_with(Vec::new(), &[template("text", &source)], "");
    let error = render_sms(&rules, "text", &message(&"x".repeat(1_500), "other"), monday()).expect_err("too long");
    assert_eq!(error.message, "the text is longer than 1600 characters");
}

#[test]
fn the_guard_finds_every_field_that_a_template_reads() {
    let source = "{{~#if (and contact.opted_out (not (eq booking.status \"x\")))~}} {{contact.first_name}} {{else}}{{{clinic.name}}}{{/if}}{{! contact.phone }}";
    let reads = guard::parse(source).map(|guarded| guarded.reads).expect("a fair template");
    assert_eq!(reads, ["booking.status", "clinic.name", "contact.first_name", "contact.opted_out"]);
}
