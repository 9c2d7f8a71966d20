//! Keys of the language that this version does not have are called by their name, not mistaken for typos.

use super::clinic::{report, rule_do};

fn not_available(key: &str, said: &str) {
    assert!(said.contains(&format!("R0107 `{key}` is not available yet")), "{key}: {said}");
    assert!(!said.contains("R0106"), "{key} is taken for a typo: {said}");
}

#[test]
fn keys_of_rules() {
    for (key, value) in [("rollout", "10%"), ("expect", "{ at_least: 1, in: 7d }"), ("on_error", "{ retry: 2 }")] {
        let text =
            format!("rules:\n  - id: r\n    when: {{ event: lead_created }}\n    {key}: {value}\n    do: [ {{ note: x }} ]\n");
        not_available(key, &report(&text));
    }
}

#[test]
fn kinds_of_steps() {
    not_available("call", &report(&rule_do("lead_created", "call: crm")));
}
