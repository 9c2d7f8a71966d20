//! Mistakes in what keeps rules in check: rollout, expectations, errors, promises.

use super::super::clinic::{full, report, report_of};

fn with(key: &str) -> String {
    report(&format!("rules:\n  - id: r\n    when: {{ event: lead_created }}\n    {key}\n    do: [ {{ note: x }} ]\n"))
}

fn promise(lines: &str) -> String {
    report_of(&[("rules/policies.yaml", &format!("promises:\n  - id: p\n{lines}"))])
}

#[test]
fn good_guards_are_good() {
    for good in [
        "rollout: shadow",
        "rollout: 0%",
        "rollout: 100%",
        "rollout: test_contacts",
        "expect: { at_least: 3, in: 7d }",
        "on_error: { retry: 2, then: task }",
        "on_error: { then: pause }",
    ] {
        assert_eq!(with(good), "", "{good}");
    }
}

#[test]
fn a_rollout_that_is_none() {
    assert_eq!(with("rollout: shadwo"), "4:14[6] R0110 `rollout` cannot be `shadwo` | did you mean `shadow`?");
    assert!(with("rollout: 101%").starts_with("4:14[4] R0110 `rollout` cannot be `101%`"), "{}", with("rollout: 101%"));
    assert!(with("rollout: -5%").contains("R0110"));
}

#[test]
fn a_rollout_that_has_nobody_to_choose() {
    let said = report(
        "rules:\n  - id: r\n    when: { every: day, at: \"09:00\" }\n    rollout: 10%\n    do: [ { task: { type: welcome_call, title: x, due: =now } } ]\n",
    );
    assert_eq!(
        said,
        "4:14[3] R0211 `rollout: 10%` chooses contacts, and there is no `contact` here | it can be `live` or `shadow`"
    );
}

#[test]
fn expectations_and_errors_that_say_nothing() {
    assert_eq!(with("expect: { at_least: 0, in: 7d }"), "4:25[1] R0209 `at_least` is a whole number from 1 to 1000000, not `0`");
    assert_eq!(with("expect: { at_least: 1 }"), "4:13[1] R0108 `expect` needs `in`");
    assert_eq!(with("expect: { at_least: 1, in: 0h }"), "4:13[1] R0209 nothing fires within no time | write `in: 7d`");
    assert_eq!(with("on_error: { then: stop }"), "4:23[4] R0110 `then` cannot be `stop` | it can be: task, pause");
}

#[test]
fn a_promise_is_typed_like_every_condition() {
    assert_eq!(
        promise("    never: action == \"smss\"\n    then: block\n").lines().next(),
        Some(
            "3:22[6] R0304 \"smss\" is not a value of `action` | did you mean \"sms\"? it can be: move, sms, task, close_tasks, set, note, cancel, tag, untag, alert, emit"
        )
    );
    assert!(promise("    never: contact.opted_outt\n    then: block\n").contains("R0303"));
    assert!(
        promise("    never: template > 3\n    then: block\n").contains("R03"),
        "{}",
        promise("    never: template > 3\n    then: block\n")
    );
    assert!(promise("    never: contact.warmness\n    then: block\n").contains("R0308"));
    assert!(promise("    never: message.body == \"x\"\n    then: block\n").contains("R0302"), "a promise sees no message");
}

#[test]
fn a_promise_says_one_thing() {
    assert_eq!(
        promise("    then: block\n"),
        "2:5[1] R0108 this promise does not say one thing | a promise has either `never` or `limit`"
    );
    assert_eq!(
        promise("    never: true\n    limit: { action: sms, max: 1, in: 1d }\n    then: block\n"),
        "2:5[1] R0108 this promise does not say one thing | a promise has either `never` or `limit`"
    );
    assert_eq!(promise("    never: true\n    then: blok\n"), "4:11[4] R0110 `then` cannot be `blok` | did you mean `block`?");
    assert_eq!(
        promise("    limit: { action: move, max: 1, in: 1d }\n    then: block\n"),
        "3:22[4] R0209 `move` cannot be counted | it can be: sms, task"
    );
    assert_eq!(
        promise("    limit: { action: sms, max: 1, in: 1d }\n    then: move_to_window\n"),
        "4:11[14] R0110 a limit knows no window | a limit can `block` or `alert`"
    );
    assert_eq!(promise("    never: true\n    owner: nobody\n    then: alert\n").split(' ').nth(1), Some("R0205"));
}

#[test]
fn a_promise_is_made_once_and_is_shown_in_its_place() {
    let twice = "promises:\n  - { id: p, never: true, then: alert }\n  - { id: p, never: false, then: alert }\n";
    assert!(report_of(&[("rules/policies.yaml", twice)]).contains("R0206 two promises are called `p`; the first is in line 2"));
    let said = full(&[("rules/policies.yaml", "promises:\n  - id: p\n    never: contact.opted_outt\n    then: block\n")]);
    assert!(said.contains("--> rules/policies.yaml:3:20") && said.contains("did you mean `opted_out`?"), "{said}");
}
