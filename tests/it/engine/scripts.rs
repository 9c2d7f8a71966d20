//! Scripts: signatures, and the same types as in rules, inside functions.

use super::clinic::{compile_files, report_of};

fn script(text: &str) -> String {
    report_of(&[("rules/scripts/test.rhai", text)])
}

/// Line 2, column 12 is where the body begins.
fn body(signature: &str, head: &str, body: &str) -> String {
    script(&format!("/// {signature}\nfn {head} {{ {body} }}\n"))
}

#[test]
fn fields_functions_and_words_are_checked_in_bodies() {
    assert_eq!(
        body("f(c: contact) -> int", "f(c)", "c.warmnes + 1"),
        "2:13[7] S0303 a contact has no field `warmnes` | did you mean `warmness`?"
    );
    assert_eq!(
        body("f(b: booking) -> bool", "f(b)", "b.status == 'canceled'"),
        "2:23[10] S0304 \"canceled\" is not a value of `b.status` | did you mean \"cancelled\"? it can be: pending, \
         scheduled, confirmed, checked_in, completed, no_show, cancelled, declined, waitlisted"
    );
    assert_eq!(
        body("f(n: int) -> int", "f(n)", "clam(n, 0, 100)"),
        "2:11[4] S0309 there is no function `clam` | did you mean `clamp`?"
    );
    assert_eq!(
        body("f(n: int) -> int", "f(n)", "clamp(m, 0, 100)"),
        "2:17[1] S0302 `m` is not a name that can be read here | text needs quotes; names available here: n"
    );
}

#[test]
fn a_word_that_a_switch_can_never_meet_is_found() {
    let text = "/// f(b: booking) -> int\nfn f(b) {\n    switch b.urgency_level {\n        \"urgent\" => 1,\n        \"sooon\" => 2,\n        \
                _ => 3\n    }\n}\n";
    assert_eq!(script(text), "5:9[7] S0304 \"sooon\" is not a value of `b.urgency_level` | did you mean `soon`?");
}

#[test]
fn what_may_be_missing_must_be_tested_before_it_is_used() {
    let late = "`c.last_visit_at` may be missing (a time), and the comparison would then silently be false";
    let said = body("f(c: contact, now: time) -> bool", "f(c, now)", "c.last_visit_at < now");
    assert!(said.starts_with(&format!("2:16[15] S0307 {late}")), "{said}");
    for tested in [
        "c.last_visit_at != () && c.last_visit_at < now",
        "if c.last_visit_at != () { return c.last_visit_at < now; } false",
        "if c.last_visit_at == () { return false; } c.last_visit_at < now",
        "if c.last_visit_at == () { false } else { c.last_visit_at < now }",
        "(c.last_visit_at ?? now) < now",
    ] {
        assert_eq!(body("f(c: contact, now: time) -> bool", "f(c, now)", tested), "", "{tested}");
    }
    for not_tested in [
        "if c.last_visit_at != () { } c.last_visit_at < now",
        "if c.opted_out { return false; } c.last_visit_at < now",
        "if c.last_visit_at != () || c.opted_out { return c.last_visit_at < now; } false",
    ] {
        let said = body("f(c: contact, now: time) -> bool", "f(c, now)", not_tested);
        assert!(said.contains(late), "{not_tested}: {said}");
    }
}

#[test]
fn the_result_is_what_the_signature_says() {
    assert_eq!(
        body("f(c: contact) -> int", "f(c)", "c.source"),
        "2:11[8] S0103 `f` gives a whole number by its signature, and this is text"
    );
    assert_eq!(
        body("f(c: contact) -> string", "f(c)", "c.interest"),
        "2:11[10] S0103 `f` gives text by its signature, and this is text | it may be missing: test it first, or add `?` to \
         the signature's type"
    );
    assert_eq!(body("f(c: contact) -> string?", "f(c)", "c.interest"), "");
    let early = body("f(c: contact) -> int", "f(c)", "if c.opted_out { return 'no'; } 5");
    assert_eq!(early, "2:35[4] S0103 `f` gives a whole number by its signature, and this is text");
}

#[test]
fn every_function_needs_a_signature_that_fits() {
    assert_eq!(
        script("fn f(contact, now) { 1 }\n"),
        "1:4[1] S0102 `f` has no signature | write above it: /// f(contact: contact, now: time) -> int"
    );
    assert_eq!(
        script("/// Counts.\nfn f(n) { 1 }\n"),
        "2:4[1] S0102 `Counts.` is not a signature | write it like this: /// f(n: string) -> int"
    );
    assert_eq!(
        script("/// f(n: number) -> int\nfn f(n) { 1 }\n"),
        "2:4[1] S0102 `number` is not a type; types are int, float, bool, string, time, duration, records, `booking?`, \
         `[touchpoint]` and `[step]` | write it like this: /// f(n: string) -> int"
    );
    assert_eq!(
        script("/// f(a: int) -> int\nfn f(a, b) { 1 }\n"),
        "2:4[1] S0103 the signature says `f(a)`, the function is `f(a, b)` | write above it: /// f(a: string, b: string) -> int"
    );
}

#[test]
fn a_script_has_functions_and_nothing_else() {
    assert_eq!(
        script("/// f() -> int\nfn f() { 1 }\nlet x = f();\n"),
        "3:1[1] S0104 this is outside of a function | put it into a function, or delete it"
    );
    assert!(script("/// f() -> int\nfn f() { loop { } }\n").starts_with("2:10[1] S0101"));
    assert!(script("/// f() -> int\nfn f() { let x = 1 x }\n").starts_with("2:20[1] S0101"));
    assert!(script("/// f() -> int\nfn f() { eval(\"1\") }\n").starts_with("2:10[1] S0101"));
}

#[test]
fn two_functions_cannot_have_one_name_nor_a_built_in_one() {
    let one = "/// f() -> int\nfn f() { 1 }\n";
    assert_eq!(
        report_of(&[("rules/scripts/a.rhai", one), ("rules/scripts/b.rhai", one)]),
        "2:4[1] S0105 `f` is defined twice; the first is at rules/scripts/a.rhai:2"
    );
    assert_eq!(script("/// min(a: int, b: int) -> int\nfn min(a, b) { a }\n"), "2:4[3] S0105 `min` is a built-in function");
}

#[test]
fn scripts_call_each_other_across_files() {
    let files = [
        ("rules/scripts/a.rhai", "/// double(n: int) -> int\nfn double(n) { 2 * n }\n"),
        ("rules/scripts/b.rhai", "/// four(n: int) -> int\nfn four(n) { double(double(n)) }\n"),
    ];
    assert_eq!(report_of(&files), "");
    let rules = compile_files(&files).ruleset.expect("it compiles");
    assert_eq!(rules.functions.iter_functions().count(), 5);
    let said = report_of(&[files[0], ("rules/scripts/b.rhai", "/// g(c: contact) -> int\nfn g(c) { double(c.name) }\n")]);
    assert_eq!(said, "2:18[6] S0310 `double` needs a whole number here, and this is text");
}

#[test]
fn a_script_has_at_most_32_kib() {
    let text = format!("/// f() -> int\nfn f() {{ 1 }}\n{}", "// filler\n".repeat(3_300));
    assert!(script(&text).starts_with("1:1[1] R0101 a script has at most 32768 bytes"), "{}", script(&text));
}

#[test]
fn records_cannot_be_changed() {
    let said = body("f(c: contact) -> int", "f(c)", "c.warmness = 5; 1");
    assert!(said.starts_with("2:11[1] S0317 records cannot be changed in scripts"), "{said}");
}
