//! Keys of the language that this version does not have are called by their name, not mistaken for typos.

use super::clinic::{report, rule_do};

fn not_available(key: &str, said: &str) {
    assert!(said.contains(&format!("R0107 `{key}` is not available yet")), "{key}: {said}");
    assert!(!said.contains("R0106"), "{key} is taken for a typo: {said}");
}

#[test]
fn kinds_of_steps() {
    not_available("call", &report(&rule_do("lead_created", "call: crm")));
}
