//! Keys of the language that this version does not have are called by their name, not mistaken for typos.

use super::clinic::{report, rule_do};

fn not_available(key: &str, said: &str) {
    assert!(said.contains(&format!("R0107 `{key}` is not available yet")), "{key}: {said}");
    assert!(!said.contains("R0106"), "{key} is taken for a typo: {said}");
}

#[test]
fn keys_of_rules() {
    let text = "rules:\n  - id: r\n    when: { event: lead_created }\n    if_running: restart\n    do: [ { note: x } ]\n";
    not_available("if_running", &report(text));
}

#[test]
fn kinds_of_triggers() {
    for (key, trigger) in [
        ("holds", "{ holds: contact.opted_out, for: 4h, hours: business }"),
        ("webhook", "{ webhook: form }"),
        ("manual", "{ manual: contact }"),
        ("as", "{ event: lead_created, as: lead }"),
    ] {
        let text = format!("rules:\n  - id: r\n    when: {trigger}\n    do: [ {{ note: x }} ]\n");
        not_available(key, &report(&text));
    }
}

#[test]
fn kinds_of_steps() {
    for (key, value) in [
        ("wait", "2h"),
        ("choose", "[ { if: true, do: [] } ]"),
        ("plan", "=steps(contact)"),
        ("emit", "lead_lost"),
        ("alert", "Look here"),
        ("tag", "vip"),
        ("untag", "vip"),
        ("call", "crm"),
        ("stop", "true"),
    ] {
        not_available(key, &report(&rule_do("lead_created", &format!("{key}: {value}"))));
    }
}
