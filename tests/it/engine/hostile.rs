//! Files that try to hurt: every one ends in an error, soon, and with a place.

use super::clinic::{compile_files, report, report_of};
use std::fmt::Write;
use std::time::Instant;

/// Shown with `--nocapture`; a slow machine fails no test.
#[expect(clippy::print_stdout, reason = "a figure for people, not a result")]
fn took(what: &str, start: Instant) {
    println!("{what}: {:?}", start.elapsed());
}

#[test]
fn anchors_aliases_and_merge_keys_are_refused_with_their_place() {
    let rule = "rules:\n  - id: r\n    when: { event: lead_created }\n";
    let said = report(&format!("{rule}    about: &text Leads\n    do: [ {{ note: x }} ]\n"));
    assert!(said.starts_with("4:12[11] R0104 anchors (`&name`) are not used in rule files | "), "{said}");
    let said = report(&format!("{rule}    <<: {{ enabled: true }}\n    do: [ {{ note: x }} ]\n"));
    assert!(said.starts_with("4:5[2] R0104 merge keys (`<<`) are not used in rule files | "), "{said}");
    let said = report(&format!("about: &a x\n{rule}    name: *a\n    do: [ {{ note: x }} ]\n"));
    assert!(said.contains("\n5:11[2] R0104 aliases (`*name`) are not used in rule files | "), "{said}");
}

#[test]
fn an_alias_bomb_is_refused_at_its_first_anchor() {
    let mut text = "a: &a [x, x, x]\n".to_owned();
    for (one, two) in ('a'..'t').zip('b'..'u') {
        writeln!(text, "{two}: &{two} [*{one}, *{one}, *{one}, *{one}, *{one}]").expect("text grows");
    }
    let said = report(&text);
    assert!(said.contains("1:4[4] R0104 anchors"));
    assert!(said.contains("2:8[2] R0104 aliases"));
}

#[test]
fn ten_thousand_levels_are_refused_before_anything_is_built() {
    for text in ["[".repeat(10_000), "{a: ".repeat(10_000), "- ".repeat(10_000), format!("rules: {}", "[".repeat(10_000))] {
        let start = Instant::now();
        let said = report(&text);
        took("10,000 levels", start);
        assert!(said.contains("R0103 lists and maps are nested more than 32 levels deep"), "{said}");
    }
}

#[test]
fn a_file_may_have_256_kib_and_not_a_byte_more() {
    let line = "# a comment that fills the file\n";
    let mut text = line.repeat(256 * 1024 / line.len());
    assert_eq!(text.len(), 256 * 1024);
    assert_eq!(report(&text), "");
    text.push('#');
    assert_eq!(
        report(&text),
        "1:1[1] R0101 a rule file has at most 262144 bytes, and this one has 262145 | split it: all files in rules/ are read"
    );
}

#[test]
fn a_duplicate_key_is_refused_with_both_places() {
    let said = report("rules: []\nabout: one\nabout: two\n");
    assert_eq!(said, "3:1[5] R0105 `about` is here twice; the first is on line 2");
}

#[test]
fn deep_expressions_end_in_an_error() {
    for (open, close) in [("(", ")"), ("[", "]"), ("not ", ""), ("-", "")] {
        let expression = format!("{}1{}", open.repeat(900), close.repeat(900));
        let text = format!(
            "rules:\n  - id: r\n    when: {{ event: lead_created }}\n    if: '{expression}'\n    do: [ {{ note: x }} ]\n"
        );
        let start = Instant::now();
        let said = report(&text);
        took(open, start);
        assert!(said.contains("R0301") || said.contains("R0308"), "{said}");
    }
}

#[test]
fn long_chains_are_refused_before_they_exhaust_the_stack() {
    let chains = [
        format!("1{} > 0", " + 1".repeat(900)),
        format!("contact{}", ".next_booking".repeat(300)),
        format!("contact{} == 1", "?.a".repeat(1_200)),
        format!("contact.touchpoints{} == 1", "[0]".repeat(1_200)),
        format!("contact.name{} == ''x''", ".trim()".repeat(500)),
        format!("true{}", " and true".repeat(400)),
        format!("1{} == 1", " ?? 1".repeat(700)),
        format!("{} true {}", "if true { false } else ".repeat(150), ""),
        format!("true{}", " == true".repeat(450)),
    ];
    for chain in chains {
        let text =
            format!("rules:\n  - id: r\n    when: {{ event: lead_created }}\n    if: '{chain}'\n    do: [ {{ note: x }} ]\n");
        assert!(report(&text).contains("R0301 the expression is nested too deeply"), "{chain}");
    }
    for body in [
        format!("1{}", " + 1".repeat(7_000)),
        format!("1{}", " ?? 1".repeat(6_000)),
        format!("c{}", ".a".repeat(15_000)),
        format!("c{}", "[0]".repeat(10_000)),
        format!("c{}", "?.a".repeat(10_000)),
        format!("if true {{ 1 }}{} else {{ 2 }}", " else if true { 1 }".repeat(1_500)),
    ] {
        let said = report_of(&[("rules/scripts/long.rhai", &format!("/// f(c: contact) -> int\nfn f(c) {{ {body} }}\n"))]);
        assert!(said.contains("S0101 Expression exceeds maximum complexity"), "{said}");
    }
}

#[test]
fn deep_scripts_end_in_an_error() {
    let script = format!("/// f() -> int\nfn f() {{ {}1{} }}\n", "(".repeat(5_000), ")".repeat(5_000));
    let compiled = compile_files(&[("rules/scripts/deep.rhai", &script)]);
    assert!(compiled.ruleset.is_none());
    assert_eq!(compiled.diagnostics[0].code, "S0101");
}

#[test]
fn templates_with_deep_blocks_are_refused_before_they_are_parsed() {
    let deep = format!("{}x{}", "{{#if a}}".repeat(90), "{{/if}}".repeat(90));
    let compiled = compile_files(&[("sms_templates/deep.hbs", &deep)]);
    assert!(compiled.diagnostics.iter().any(|d| d.code == "T0103"), "{:?}", compiled.diagnostics);
}

#[test]
fn a_second_document_is_refused() {
    assert_eq!(report("rules: []\n---\nrules: []\n"), "3:1[1] R0102 a file has one document: this is a second one after `---`");
}

#[test]
fn a_thousand_rules_compile_soon() {
    let mut text = "rules:\n".to_owned();
    for n in 0..600 {
        write!(
            text,
            "  - id: rule-{n}\n    when: {{ event: booking_created }}\n    if:\n      - booking.urgency_level == \"urgent\"\n      \
             - not booking.has_referral\n    do:\n      - task: {{ type: lead_call, title: \"Call {{{{contact.first_name}}}}\", \
             due: =now + 2.hours, priority: =10 + {n} % 50 }}\n"
        )
        .expect("text grows");
    }
    let (first, second) = (text.clone(), text.replace("rule-", "other-"));
    let start = Instant::now();
    let compiled = compile_files(&[("rules/a.yaml", &first), ("rules/b.yaml", &second)]);
    took("1,200 rules", start);
    assert_eq!(compiled.ruleset.expect("it compiles").rules.len(), 1_200);
}
