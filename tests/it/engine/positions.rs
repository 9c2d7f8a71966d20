//! The column of an error inside a value, however YAML lets it be written. The mistake is always the word `wrong`.

use super::clinic::report;

/// Checks that the only problem is reported exactly where `wrong` stands.
fn points_at_the_mistake(condition: &str) {
    let text = format!("rules:\n  - id: r\n    when: {{ event: lead_created }}\n{condition}    do:\n      - note: x\n");
    let (line, column) = text
        .lines()
        .enumerate()
        .find_map(|(n, l)| l.find("wrong").map(|at| (n + 1, l[..at].chars().count() + 1)))
        .unwrap_or_default();
    let said = report(&text);
    assert!(said.starts_with(&format!("{line}:{column}[5] R0302 `wrong`")), "{condition}\n{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn in_a_plain_value() {
    points_at_the_mistake("    if: contact.opted_out and wrong\n");
    points_at_the_mistake("    if:    contact.source == \"é漢\" and wrong   # comment\n");
    points_at_the_mistake("    if: [ contact.opted_out, wrong ]\n");
}

#[test]
fn in_a_plain_value_of_several_lines() {
    points_at_the_mistake("    if: contact.opted_out\n      and contact.is_existing_patient\n        and wrong\n");
    points_at_the_mistake("    if:\n      contact.opted_out\n\n      and wrong\n");
}

#[test]
fn in_quotes() {
    points_at_the_mistake("    if: \"contact.source == 'x' and wrong\"\n");
    points_at_the_mistake("    if: \"contact.source == \\\"x\\\" and wrong\"\n");
    points_at_the_mistake("    if: \"contact.source == '\\u00e9' and wrong\"\n");
    points_at_the_mistake("    if: 'contact.source == \"x\" and wrong'\n");
    points_at_the_mistake("    if: 'contact.source == ''x'' and wrong'\n");
    points_at_the_mistake("    if: \"contact.opted_out\n      and wrong\"\n");
    points_at_the_mistake("    if: \"contact.opted_out \\\n      and wrong\"\n");
}

#[test]
fn in_blocks() {
    points_at_the_mistake("    if: |\n      contact.opted_out\n      and wrong\n");
    points_at_the_mistake("    if: |\n      contact.opted_out\n        and\n\n        wrong\n");
    points_at_the_mistake("    if: >-\n      contact.opted_out\n      and wrong\n");
    points_at_the_mistake("    if:\n      - |-\n        wrong\n");
}

#[test]
fn in_merge_fields_of_a_long_text() {
    let text = "rules:\n  - id: r\n    when: { event: lead_created }\n    do:\n      - note: |\n          Hello {{contact.first_name}},\n          \
                you are {{wrong}}.\n";
    assert!(report(text).starts_with("7:21[5] R0302 `wrong`"), "{}", report(text));
}

#[test]
fn with_windows_line_ends_and_a_byte_order_mark() {
    let text = "\u{feff}rules:\r\n  - id: r\r\n    when: { event: lead_created }\r\n    if: contact.opted_out\r\n      and wrong\r\n    \
                do: [ { note: x } ]\r\n";
    assert!(report(text).starts_with("5:11[5] R0302 `wrong`"), "{}", report(text));
    let text = "\u{feff}rulez: []\r\n";
    assert!(report(text).starts_with("1:1[5] R0106"), "{}", report(text));
}
