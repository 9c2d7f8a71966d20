//! Scripts that want the machine and get nothing. Each is refused by the compiler or stopped while it runs; the process lives,
//! memory stays small, and the next rule goes on as if nothing had happened.

use super::workbench::*;
use avatar::alloc;
use avatar::engine::evaluate::evaluate;
use avatar::engine::plan::{Outcome, StopReason};
use std::time::{Duration, Instant};

const PEAK_BYTES_MAX: i64 = 32 * 1024 * 1024;
/// Far more than any attack takes; debug builds on shared machines are slow.
const ATTACK_TIME_MAX: Duration = Duration::from_secs(2);

/// Bodies of `fn attack(contact, now)`, with functions before them where a line begins with `fn`.
const BODIES: &[(&str, &str)] = &[
    // Time: loops.
    ("endless loop", "loop { }"),
    ("endless while", "while true { }"),
    ("endless do", "do { } while true;"),
    ("endless until", "do { } until false;"),
    ("long for", "for i in 0..9223372036854775807 { }"),
    ("long inclusive for", "for i in 0..=9223372036854775807 { }"),
    ("negative to positive", "for i in -9223372036854775807..9223372036854775807 { }"),
    ("nested for", "for a in 0..1000 { for b in 0..1000 { for c in 0..1000 { } } }"),
    ("for with continue", "for i in 0..1000000000 { continue; }"),
    ("for over a range variable", "let r = 0..1000000000; for i in r { }"),
    ("counting", "let n = 0; for i in 0..100000000 { n += i; } n"),
    ("overflow on the way", "let n = 1; for i in 0..100 { n *= 7; } n"),
    ("power overflow", "9 ** 9 ** 9"),
    ("shift", "let n = 1; for i in 0..100000000 { n = n << 1; } n"),
    ("for over touchpoints for ever", "for i in 0..100000000 { for t in contact.touchpoints { t.kind; } }"),
    // Recursion.
    ("recursion", "fn f(n) { f(n + 1) }\nf(0)"),
    ("mutual recursion", "fn f(n) { g(n) }\nfn g(n) { f(n) }\nf(0)"),
    ("recursion through itself", "attack(contact, now)"),
    ("tree recursion", "fn f(n) { if n == 0 { 1 } else { f(n - 1) + f(n - 1) } }\nf(28)"),
    ("wide recursion", "fn f(n) { if n == 0 { 1 } else { f(n-1) + f(n-1) + f(n-1) + f(n-1) } }\nf(20)"),
    ("ackermann", "fn a(m, n) { if m == 0 { n + 1 } else if n == 0 { a(m - 1, 1) } else { a(m - 1, a(m, n - 1)) } }\na(3, 7)"),
    ("recursion in an argument", "fn f(n) { f(f(n)) }\nf(1)"),
    ("recursion in a condition", "fn f(n) { if f(n) { 1 } else { 2 } }\nf(1)"),
    ("recursion in a list", "fn f(n) { [f(n), f(n)] }\nf(1)"),
    ("recursion in a map", "fn f(n) { #{ a: f(n) } }\nf(1)"),
    ("recursion in a text", "fn f(n) { `${f(n)}` }\nf(1)"),
    ("recursion in an index", "fn f(n) { [1][f(n)] }\nf(0)"),
    ("recursion in a switch", "fn f(n) { switch f(n) { 1 => 2, _ => 3 } }\nf(0)"),
    ("recursion as a method", "fn f(n) { n.f() }\nf(0)"),
    ("growing argument", "fn f(s) { f(s + s) }\nf(\"ab\")"),
    // Text bombs.
    ("doubling text", "let s = \"boom\"; for i in 0..64 { s = s + s; } s"),
    ("doubling text in place", "let s = \"boom\"; for i in 0..64 { s += s; } s"),
    ("doubling by interpolation", "let s = \"boom\"; for i in 0..64 { s = `${s}${s}`; } s"),
    ("many copies in one text", "let s = \"0123456789\"; for i in 0..9 { s += s; } `${s}${s}${s}${s}${s}${s}`"),
    ("text by characters", "let s = \"\"; for i in 0..100000 { s += 'x'; } s"),
    ("capital bomb", "let s = \"\u{df}\"; for i in 0..12 { s += s; } s.to_upper().to_upper() + s"),
    ("padding", "let s = \"x\"; s.pad(1000000000, \"y\"); s"),
    ("replacing", "let s = \"x\"; s.replace(\"x\", \"xxxxxxxx\"); s"),
    ("splitting", "\"a,b\".split(\",\")"),
    ("repeating", "\"x\" * 1000000000"),
    ("bytes", "blob(1000000000, 1)"),
    ("text to list", "\"abc\".to_chars()"),
    // List bombs.
    ("doubling list", "let a = [1]; for i in 0..64 { a = a + a; } a"),
    ("doubling list in place", "let a = [1]; for i in 0..64 { a += a; } a"),
    ("pushing", "let a = []; for i in 0..100000000 { a.push(i); } a"),
    ("padding a list", "let a = []; a.pad(1000000000, 1); a"),
    ("list in itself", "let a = [0]; for i in 0..100 { a[0] = a; } a[0][0][0].x"),
    ("list of itself twice", "let a = [0, 0]; for i in 0..64 { a[0] = a; a[1] = a; } a"),
    ("list nest by literal", "let a = [1]; for i in 0..64 { a = [a, a]; } a"),
    ("large list times many", "let a = [1]; let b = [a,a,a,a,a,a,a,a,a,a]; for i in 0..10 { b = [b,b,b,b,b,b,b,b,b,b]; } b"),
    ("index far away", "let a = [1]; a[1000000000] = 1; a"),
    ("range as list", "(0..1000000000).to_array()"),
    ("extracting", "[1,2,3].extract(0, 1000000000)"),
    ("sorting", "let a = [3,2,1]; for i in 0..1000000 { a.sort(); }"),
    ("deduplicating", "let a = [3,2,1]; a.dedup(); a"),
    ("chunks", "[1,2,3].chunk(0)"),
    ("list of long texts", "let s = \"0123456789abcdef\"; for i in 0..8 { s += s; } [s,s,s,s,s,s,s,s].map(|x| x)"),
    // Map bombs.
    ("growing map", "let m = #{}; for i in 0..100000 { m[`k${i}`] = i; } m"),
    ("map in itself", "let m = #{}; for i in 0..1000000 { m.a = m; } m"),
    ("map of itself twice", "let m = #{}; for i in 0..64 { m = #{ a: m, b: m }; } m"),
    ("filling a map", "let m = #{}; m.fill_with(m); m"),
    ("mixing", "let m = #{a: 1}; m.mixin(#{b: 2}); m"),
    // Native work that costs one operation each.
    ("searching long texts", "let s = \"ab\"; for i in 0..11 { s += s; } for i in 0..100000000 { s.contains(\"ba\"); }"),
    ("lower case of long texts", "let s = \"AB\"; for i in 0..11 { s += s; } for i in 0..100000000 { s.to_lower(); }"),
    ("counting long texts", "let s = \"ab\"; for i in 0..11 { s += s; } for i in 0..100000000 { s.len(); }"),
    ("comparing long texts", "let s = \"ab\"; for i in 0..11 { s += s; } let t = s + \"\"; for i in 0..100000000 { s == t; }"),
    ("calendar work", "for i in 0..100000000 { now.plus_business(100000.hours); }"),
    ("end of day", "for i in 0..100000000 { end_of_day(now.plus_days(i % 1000)); }"),
    ("membership", "for i in 0..100000000 { i in [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]; }"),
    ("formatting times", "for i in 0..100000000 { `${now}${now}${now}`; }"),
    // Catching what stops a script.
    ("try around a loop", "try { loop { } } catch { }"),
    ("try around recursion", "fn f() { try { f() } catch { f() } }\nf()"),
    ("throwing", "throw \"x\""),
    ("exit", "exit(1)"),
    ("return in a loop", "for i in 0..100000000 { if i < 0 { return 1; } }"),
    // Constants: writing into one has made the interpreter panic before.
    ("writing a constant map", "const M = #{a: #{b: 1}}; M.a.b = 2; M.a = 2; M.c.d"),
    // Ways out of the language.
    ("eval", "eval(\"1 + 1\")"),
    ("eval in a text", "`${eval(\"1\")}`"),
    ("import", "import \"/etc/passwd\" as x;"),
    ("export", "export const X = 1;"),
    ("sleep", "sleep(10)"),
    ("clock", "timestamp()"),
    ("random", "rand()"),
    ("print", "print(\"x\")"),
    ("debug", "debug(contact)"),
    ("file", "open_file(\"/etc/passwd\")"),
    ("function pointer", "Fn(\"attack\").call(contact, now)"),
    ("closure", "let f = |x| x; f.call(1)"),
    ("closure that captures", "let a = [1]; let f = || a; a.push(f); f.call()"),
    ("curry", "Fn(\"attack\").curry(contact)"),
    ("this", "this.x = 1"),
    ("global", "global::X"),
    ("type tricks", "type_of(contact) == \"x\""),
    ("shared", "is_shared(contact)"),
    ("tag", "contact.tag = 5"),
    ("writing a record", "contact.warmness = 100"),
    ("index into a record", "contact[\"warmness\"]"),
    ("custom operator", "contact ++ now"),
];

/// `pattern` so many times, each `#` in it replaced by the count.
fn numbered(times: usize, pattern: &str) -> String {
    (0..times).map(|i| pattern.replace('#', &i.to_string())).collect()
}

/// A function that calls itself out of the deepest expression that compiles: the most stack that a script can take.
fn deep(name: &str, open: &str, close: &str) -> (String, String) {
    let source = |times: usize| {
        format!("fn f(n) {{ {}f(n){} }} fn attack(contact, now) {{ f(1) }}", open.repeat(times), close.repeat(times))
    };
    let deepest = (1..20).rev().map(source).find(|source| functions(source).is_ok());
    (name.to_owned(), deepest.unwrap_or_default())
}

/// Sources too long to write out.
fn generated() -> Vec<(String, String)> {
    let body = |name: &str, body: String| (name.to_owned(), format!("fn attack(contact, now) {{ {body} }}"));
    let nest = |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    vec![
        deep("sums at every level", "1 + (", ")"),
        deep("lists at every level", "[", "]"),
        deep("texts at every level", "`${", "}`"),
        deep("calls at every level", "max(1, ", ")"),
        deep("blocks at every level", "if true { ", " } else { 1 }"),
        deep("loops at every level", "for i in [1] { ", " }"),
        deep("switches at every level", "switch ", " { _ => 1 }"),
        body("parentheses", nest("(", ")", 20_000)),
        body("brackets", nest("[", "]", 20_000)),
        body("braces", nest("{", "}", 20_000)),
        body("maps", nest("#{a:", "}", 20_000)),
        body("nots", nest("!", "", 20_000)),
        body("minuses", nest("- ", "", 20_000)),
        body("sum", "1 + ".repeat(50_000) + "1"),
        body("ands", "true && ".repeat(20_000) + "true"),
        body("dots", format!("contact{}", ".x".repeat(20_000))),
        body("indexes", format!("[1]{}", "[0]".repeat(20_000))),
        body("ifs", nest("if true {", "}", 5_000)),
        body("else ifs", "if false { 1 } else ".repeat(5_000) + "{ 2 }"),
        body("interpolations", nest("`${", "}`", 2_000)),
        body("closures", nest("|x| ", "", 5_000)),
        body("nested switches", nest("switch 1 { 1 => ", "}", 2_000)),
        body("nested for", nest("for i in [1] {", "}", 5_000)),
        body("giant text", format!("\"{}\"", "x".repeat(1_000_000))),
        body("giant list", format!("[{}]", "1,".repeat(100_000))),
        body("giant map", format!("#{{{}}}", numbered(5_000, "k#:1,"))),
        body("giant number", format!("for i in 0..{} {{ }}", "9".repeat(100_000))),
        body("giant name", "a".repeat(1_000_000)),
        body("many variables", numbered(1_000, "let v# = 1;")),
        body("many constants", numbered(1_000, "const V# = 1;")),
        body("unclosed", "((((".repeat(1_000)),
        body("unclosed text", format!("\"{}", "x".repeat(100_000))),
        body("unclosed comment", "/*".repeat(10_000)),
        body("null bytes", "\0".repeat(1_000)),
    ]
}

fn with_functions((name, body): &(&str, &str)) -> (String, String) {
    let (functions, rest): (Vec<&str>, Vec<&str>) = body.lines().partition(|line| line.starts_with("fn "));
    (name.to_string(), format!("{}\nfn attack(contact, now) {{ {} }}", functions.join("\n"), rest.join("\n")))
}

/// Why the script came to nothing: `None` when it did not.
fn fate(source: &str) -> Option<String> {
    let functions = match functions(source) {
        Ok(functions) => functions,
        Err(refused) => return Some(format!("refused: {refused}")),
    };
    let attack = rule("attack", on("booking_created")).when_true(&["attack(contact, now) == 1"]);
    let honest = rule("honest", on("booking_created")).when_true(&["contact.warmness == 42"]).step(note("still here"));
    let rules = ruleset_of(vec![attack, honest], &[], functions);
    let runs = evaluate(&rules, &facts("booking_created"), monday());
    assert_eq!(runs[1].outcome, Outcome::Fired, "the next rule goes on");
    let stop = runs[0].stopped_at.as_ref()?;
    (stop.reason == StopReason::Error).then(|| format!("stopped: {}", stop.text))
}

#[test]
fn every_hostile_script_is_refused_or_stopped() {
    let corpus: Vec<(String, String)> = BODIES.iter().map(with_functions).chain(generated()).collect();
    assert!(corpus.len() >= 80, "{}", corpus.len());
    let survivors = on_script_thread(move || {
        let mut survivors = Vec::new();
        for (name, source) in corpus {
            alloc::reset_peak();
            let (before, began) = (alloc::live_bytes(), Instant::now());
            if fate(&source).is_none() {
                survivors.push(name.clone());
            }
            let peak = alloc::peak_bytes() - before;
            assert!(peak < PEAK_BYTES_MAX, "{name} took {peak} bytes");
            assert!(began.elapsed() < ATTACK_TIME_MAX, "{name} took {:?}", began.elapsed());
        }
        survivors
    });
    assert_eq!(survivors, Vec::<String>::new());
}

/// Each level of calls keeps a hundred long texts, which no single limit of Rhai forbids.
fn hoarding() -> String {
    let keep = numbered(100, "let v# = s + \"#\"; ");
    let grow = "let s = \"ab\"; for i in 0..11 { s += s; }";
    format!("fn hoard(s) {{ {keep} hoard(s) }}\nfn attack(contact, now) {{ {grow} hoard(s) }}")
}

#[test]
fn a_script_that_hoards_is_stopped_by_its_memory() {
    let attempt = || {
        alloc::reset_peak();
        let before = alloc::live_bytes();
        (fate(&hoarding()).unwrap_or_default(), alloc::peak_bytes() - before)
    };
    let attempts: Vec<(String, i64)> = on_script_thread(move || (0..5).map(|_| attempt()).collect());
    // On a very busy machine its time may be up before.
    assert!(attempts.iter().any(|(fate, _)| fate.ends_with("out of memory")), "{attempts:?}");
    let peak = attempts.iter().map(|(_, peak)| *peak).max().unwrap_or_default();
    assert!(peak < 10 * 1024 * 1024, "{peak}");
}

/// Words, numbers and signs that scripts are made of.
const TOKENS: &str = r#"contact booking event.data now clinic . ?. touchpoints warmness next_booking x 1 0 -1 9223372036854775807 0.5
    "a" 'a' `${ }` ( ) [ ] { } #{ : , ; .. ..= + - * / % ** << >> & | ^ == != < >= && || and or not ! in ?? = += let const if else
    switch => _ for return break fn true () days hour len() plus_days at max pow exp round attack"#;

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_typed_is_refused_or_comes_to_an_end(picks in proptest::collection::vec(0_usize..1_000, 1..24)) {
        let tokens: Vec<&str> = TOKENS.split_whitespace().collect();
        let body = picks.iter().map(|pick| tokens[pick % tokens.len()]).collect::<Vec<_>>().join(" ");
        let began = Instant::now();
        // `fate` sees that the next rule fires whatever happened.
        on_script_thread(move || fate(&format!("fn attack(contact, now) {{ {body} }}")));
        proptest::prop_assert!(began.elapsed() < ATTACK_TIME_MAX);
    }
}

#[test]
fn what_stops_a_script_is_said_in_words() {
    for (body, words) in [
        ("let n = 1; for i in 0..100 { n *= 7; } n", ["Multiplication overflow", ""]),
        ("let s = \"boom\"; for i in 0..64 { s += s; } s", ["Length of string too large", ""]),
        ("attack(contact, now)", ["Stack overflow", ""]),
        // Whichever comes first on this machine.
        ("for i in 0..100000000 { let x = 1; }", ["too many operations", "out of time"]),
        ("for i in 0..100000000 { now.plus_business(100000.hours); }", ["out of time", "too many operations"]),
    ] {
        let source = format!("fn attack(contact, now) {{ {body} }}");
        let fate = on_script_thread(move || fate(&source)).unwrap_or_default();
        assert!(words.iter().any(|word| !word.is_empty() && fate.contains(word)), "{body}: {fate}");
    }
}
