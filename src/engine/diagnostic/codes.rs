//! Every code a diagnostic can have, with what `avatar explain` says about it. Codes are stable: they are never reused.

use super::whole_codes::WHOLE_CODES;

/// One kind of problem.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    pub code: &'static str,
    pub title: &'static str,
    pub explanation: &'static str,
}

/// The long form of a code, upper or lower case. Type errors have one text for rules (`R03..`), scripts (`S03..`) and
/// templates (`T03..`). `None` for an unknown code.
#[must_use]
pub fn explain(code: &str) -> Option<&'static Code> {
    let wanted = code.trim().to_uppercase();
    let shared = wanted.get(1..).filter(|rest| rest.starts_with("03")).map(|rest| format!("R{rest}"));
    codes().find(|c| c.code == wanted || shared.as_deref() == Some(c.code))
}

/// Every code, in the order of what they are about.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    CODES.iter().chain(WHOLE_CODES)
}

const CODES: &[Code] = &[
    Code {
        code: names::FILE_TOO_LARGE,
        title: "file too large",
        explanation: "A rule file may have 256 KiB, a script 32 KiB, a template 2 KiB. Split the file: every file in `rules/` is read, in the order of names.",
    },
    Code {
        code: names::YAML_SYNTAX,
        title: "the file is not YAML",
        explanation: "The file cannot be read. The usual reasons are a value that begins with a special character (put quotes around it), text after a closing quote, wrong indentation, or a tab.",
    },
    Code {
        code: names::TOO_DEEP,
        title: "nested too deeply",
        explanation: "Lists and maps may stand in each other 32 levels deep. No rule needs that many.",
    },
    Code {
        code: names::YAML_FEATURE,
        title: "anchors, aliases, tags and merge keys are not used here",
        explanation: "Rule files say what they mean in one place, so YAML's anchors (`&a`), aliases (`*a`), tags (`!a`) and merge keys (`<<`) are refused. A condition that begins with `!` is read by YAML as a tag: write `not ...`.",
    },
    Code {
        code: names::DUPLICATE_KEY,
        title: "the same key twice",
        explanation: "A map may have a key once. With two, one of them would silently win.",
    },
    Code {
        code: names::UNKNOWN_KEY,
        title: "unknown key",
        explanation: "The key is not part of the rule language, so it would do nothing. Check the spelling and the indentation.",
    },
    Code {
        code: names::NOT_AVAILABLE,
        title: "not available yet",
        explanation: "The key is part of the rule language, but this version of the program cannot do it yet. Leave it out.",
    },
    Code {
        code: names::MISSING_KEY,
        title: "a key is missing",
        explanation: "The rule, trigger or step cannot work without this key.",
    },
    Code {
        code: names::WRONG_SHAPE,
        title: "the wrong kind of value",
        explanation: "A text, list or map was expected and something else stands there. Text that begins with `{` or `[` needs quotes.",
    },
    Code {
        code: names::BAD_VALUE,
        title: "the value cannot be understood",
        explanation: "Durations are written `30m`, `4h`, `2d`, `1w`; times of day `\"09:30\"`; yes and no `true` and `false`.",
    },
    Code {
        code: names::TOO_MANY,
        title: "too many",
        explanation: "There is a limit to how many rules, steps or conditions one ruleset may have. It protects every patient's event from waiting for the rules.",
    },
    Code {
        code: names::ONE_ACTION,
        title: "each step does exactly one thing",
        explanation: "Each `-` under `do` has one action, such as `sms` or `task`, and may have `if` and `id`. Write two steps for two actions.",
    },
    Code {
        code: names::ONE_TRIGGER,
        title: "each trigger is of one kind",
        explanation: "Each item of `when` has exactly one of `event`, `date`, `every`, `cron`, `holds`, `manual` and `webhook`. Write a list for several.",
    },
    Code {
        code: names::UNKNOWN_EVENT,
        title: "unknown event",
        explanation: "No source sends this event, so the rule would never run. Events of declared sources are listed in `config/webhooks.yaml`.",
    },
    Code {
        code: names::UNKNOWN_STAGE,
        title: "unknown pipeline or stage",
        explanation: "Pipelines and their stages are declared in `config/pipelines.yaml`.",
    },
    Code {
        code: names::UNKNOWN_TEMPLATE,
        title: "unknown template",
        explanation: "Texts are written in `sms_templates/NAME.hbs`; a step names them without folder and ending.",
    },
    Code {
        code: names::UNKNOWN_TASK_TYPE,
        title: "unknown task type",
        explanation: "Task types of your own are declared in `config/clinic.yaml` under `task_types`.",
    },
    Code {
        code: names::UNKNOWN_TEAM,
        title: "unknown team",
        explanation: "Teams are declared in `config/clinic.yaml` under `teams`.",
    },
    Code {
        code: names::DUPLICATE_RULE,
        title: "two rules with one id",
        explanation: "History, timers and limits hang on the id of a rule, so it must be unique in all files.",
    },
    Code {
        code: names::NOT_SETTABLE,
        title: "this field cannot be set",
        explanation: "Only some fields can be set by rules; the others are kept by the program (opt-outs, identifiers, times) or by another step (`move` for stages).",
    },
    Code {
        code: names::NOT_A_DATE,
        title: "not a time field",
        explanation: "A `date` trigger follows a time field of `contact` or `booking`, such as `booking.appointment_datetime`.",
    },
    Code {
        code: names::BAD_LIMIT,
        title: "a limit that makes no sense",
        explanation: "`limit` needs `max` (at least 1), `in` (a duration) and may have `per: contact` or `per: booking`.",
    },
    Code {
        code: names::BAD_SCHEDULE,
        title: "a schedule that makes no sense",
        explanation: "`every` is `hour`, `day`, a weekday or an interval of at least one minute; `cron` has five fields; `tz` is a name such as `Australia/Sydney`.",
    },
    Code {
        code: names::NO_RECORD,
        title: "the record is not there",
        explanation: "The step or template needs a record (contact or booking) that the rule's triggers do not bring, or that may be missing: test it with `if: booking != ()` first.",
    },
    Code {
        code: names::UNKNOWN_RULE,
        title: "this rule cannot be run from here",
        explanation: "`run` takes the steps of another rule by its id. The rule must exist, must have no `wait` of its own, and every record that its triggers bring must be here too.",
    },
    Code {
        code: names::RUN_CYCLE,
        title: "rules run one another in a circle",
        explanation: "`run` leads, over other rules, back to the rule that it stands in, or more than 5 rules deep. Such rules would never come to an end.",
    },
    Code {
        code: names::BAD_WAIT,
        title: "a wait that cannot be",
        explanation: "A wait is `2h`, `{ until: =time }` or `{ event: name, for: 7d }`, at most 365 days long, at most 20 in one rule. It needs a contact, cannot stand inside of `each`, and what the rule keeps in `vars` meanwhile is plain values.",
    },
    Code {
        code: names::BAD_HOLDS,
        title: "a condition that cannot be held",
        explanation: "`holds` asks whether something is so about a contact or a booking. It is looked at when the record changes, so it cannot depend on the time (`now`, `clinic.is_open`): use a `date` trigger for that.",
    },
    Code {
        code: names::BAD_EMIT,
        title: "an event that a rule cannot send",
        explanation: "Rules send events under names of their own: small letters, digits and `_`. The program's events and those of webhooks mean that something has happened, and no rule may pretend it.",
    },
    Code {
        code: names::UNKNOWN_SOURCE,
        title: "unknown source of webhooks",
        explanation: "`webhook` names a source that is declared in `config/webhooks.yaml`. For one certain event of a source use `event`.",
    },
    Code {
        code: names::BAD_NAME,
        title: "this name cannot be used",
        explanation: "Names that rules give (tags, loop variables, names of triggers) are small letters, digits and `_`, begin with a letter, and are no names of records.",
    },
    Code {
        code: names::EXPR_SYNTAX,
        title: "the expression cannot be read",
        explanation: "Expressions are one line: comparisons joined with `and`, `or`, `not`, and functions. Inside `{ }` a comma ends the value, so quote the expression or write it on a line of its own.",
    },
    Code {
        code: names::UNKNOWN_VARIABLE,
        title: "unknown name",
        explanation: "What an expression can read depends on the triggers of its rule: a rule on `lead_created` has no `booking`. `vars` and `now` can be read everywhere. Text needs quotes.",
    },
    Code {
        code: names::UNKNOWN_FIELD,
        title: "unknown field",
        explanation: "The record has no field of that name. Without this check, the value would silently be missing and the condition false.",
    },
    Code {
        code: names::UNKNOWN_VALUE,
        title: "not a value of this field",
        explanation: "The field is one of a fixed list of words; a comparison with any other is never true.",
    },
    Code {
        code: names::IMPOSSIBLE,
        title: "these can never be equal",
        explanation: "Values of different types are never equal, so the comparison would silently be always false (or always true).",
    },
    Code {
        code: names::ORDERING,
        title: "these cannot be ordered",
        explanation: "Only numbers, times, durations and texts can be ordered, and only with their like.",
    },
    Code {
        code: names::MAYBE_MISSING,
        title: "may be missing",
        explanation: "The value is not always there, and an order, a sum or a field of nothing would fail or silently be false. Test it first: `x != () and x > 5`, an earlier `if` line `x != ()`, or `x ?? 0`.",
    },
    Code {
        code: names::NOT_BOOLEAN,
        title: "a condition is true or false",
        explanation: "`if` and `while` need true or false. A number or text is neither: compare it with something.",
    },
    Code {
        code: names::UNKNOWN_FUNCTION,
        title: "unknown function",
        explanation: "The function is neither built in nor defined in `rules/scripts/*.rhai`.",
    },
    Code {
        code: names::ARGUMENTS,
        title: "wrong arguments",
        explanation: "The function takes another number of values, or values of other types.",
    },
    Code {
        code: names::WRONG_RESULT,
        title: "wrong type of value",
        explanation: "The value does not fit where it goes: `due` is a time, `priority` a whole number of 0 to 100, a field takes its own type.",
    },
    Code {
        code: names::NOT_IN,
        title: "`not x in list` negates x, not the test",
        explanation: "`not` binds more tightly than `in`. Write `not (x in [...])` or `x !in [...]`.",
    },
    Code {
        code: names::SINGLE_EQUALS,
        title: "`=` does not compare",
        explanation: "A single `=` sets a value, and conditions set nothing. Write `==` to compare two values.",
    },
    Code {
        code: names::OPERATOR,
        title: "the operator does not fit the values",
        explanation: "Times can be subtracted, durations added to times, numbers calculated with numbers. Anything else has no meaning.",
    },
    Code {
        code: names::NEVER_MISSING,
        title: "never missing",
        explanation: "The value is always there, so comparing it with `()` is always the same. It does no harm, but it isn't what was meant.",
    },
    Code {
        code: names::MERGE,
        title: "a merge field that cannot be read",
        explanation: "Merge fields are written `{{contact.first_name}}`; each `{{` needs its `}}`.",
    },
    Code {
        code: names::NOT_ALLOWED,
        title: "not part of expressions",
        explanation: "Anonymous functions, maps and the like are not available in rules and scripts.",
    },
    Code {
        code: names::SCRIPT_SYNTAX,
        title: "the script cannot be read",
        explanation: "The script does not compile. Endless loops (`loop`, `while`), `eval`, `import` and `try` do not exist in scripts.",
    },
    Code {
        code: names::NO_SIGNATURE,
        title: "a function without a signature",
        explanation: "The line above a function says its types: `/// name(parameter: type, ...) -> type`. Types are int, float, bool, string, time, duration, records such as contact, `booking?` for what may be missing and `[touchpoint]` for lists.",
    },
    Code {
        code: names::BAD_SIGNATURE,
        title: "the signature does not fit the function",
        explanation: "Name, parameters and their order must be the same in the signature and in the function.",
    },
    Code {
        code: names::OUTSIDE_FUNCTION,
        title: "code outside a function",
        explanation: "A script only defines functions. Code outside of them would never run.",
    },
    Code {
        code: names::DUPLICATE_FUNCTION,
        title: "two functions with one name",
        explanation: "All scripts share one name space, and built-in functions cannot be replaced.",
    },
    Code {
        code: names::UNKNOWN_NAME,
        title: "a test names what does not exist",
        explanation: "An event, template, task type or rule that a test names must exist in the rules it tests. A misspelt name would never be seen, and `never` would always hold.",
    },
    Code {
        code: names::TEMPLATE_SYNTAX,
        title: "the template cannot be read",
        explanation: "Each `{{` needs its `}}`, each `{{#if}}` its `{{/if}}`.",
    },
    Code {
        code: names::TEMPLATE_HEADER,
        title: "the template's header",
        explanation: "The first line may be `{{!-- category: transactional --}}`; keys are `category` (transactional, recall, marketing), `immediate` (true, false), `parts` (how many the text may take), `staff` (true when staff sends it by hand) and `privacy` (strict, standard).",
    },
    Code {
        code: names::TEMPLATE_FEATURE,
        title: "not available in templates",
        explanation: "Templates have merge fields, `{{#if}}` and `{{#unless}}`. Partials, loops, lookups and decorators are not available.",
    },
    Code {
        code: names::TEMPLATE_FIELD,
        title: "unknown merge field",
        explanation: "A merge field is a path such as `contact.first_name`, `booking.date` or `clinic.phone`.",
    },
    Code {
        code: names::NO_SENDER,
        title: "the text does not say who sends it",
        explanation: "The law wants every text to identify its sender: use `{{clinic.name}}`.",
    },
    Code {
        code: names::UNICODE,
        title: "a character that makes the text longer",
        explanation: "The character is not in the SMS alphabet (GSM-7), so a part of the text has 70 characters, not 160. Dashes, curly quotes and odd spaces are sent as their plain twins.",
    },
];

/// Told by whoever started a check that did not end.
pub const CHECK_STOPPED: &str = names::CHECK_STOPPED;

/// Codes by what they mean.
pub(crate) mod names {
    pub const FILE_TOO_LARGE: &str = "R0101";
    pub const YAML_SYNTAX: &str = "R0102";
    pub const TOO_DEEP: &str = "R0103";
    pub const YAML_FEATURE: &str = "R0104";
    pub const DUPLICATE_KEY: &str = "R0105";
    pub const UNKNOWN_KEY: &str = "R0106";
    pub const NOT_AVAILABLE: &str = "R0107";
    pub const MISSING_KEY: &str = "R0108";
    pub const WRONG_SHAPE: &str = "R0109";
    pub const BAD_VALUE: &str = "R0110";
    pub const TOO_MANY: &str = "R0111";
    pub const ONE_ACTION: &str = "R0112";
    pub const ONE_TRIGGER: &str = "R0113";
    pub const UNKNOWN_EVENT: &str = "R0201";
    pub const UNKNOWN_STAGE: &str = "R0202";
    pub const UNKNOWN_TEMPLATE: &str = "R0203";
    pub const UNKNOWN_TASK_TYPE: &str = "R0204";
    pub const UNKNOWN_TEAM: &str = "R0205";
    pub const DUPLICATE_RULE: &str = "R0206";
    pub const NOT_SETTABLE: &str = "R0207";
    pub const NOT_A_DATE: &str = "R0208";
    pub const BAD_LIMIT: &str = "R0209";
    pub const BAD_SCHEDULE: &str = "R0210";
    pub const NO_RECORD: &str = "R0211";
    pub const UNKNOWN_RULE: &str = "R0220";
    pub const RUN_CYCLE: &str = "R0221";
    pub const BAD_WAIT: &str = "R0222";
    pub const BAD_HOLDS: &str = "R0223";
    pub const BAD_EMIT: &str = "R0224";
    pub const UNKNOWN_SOURCE: &str = "R0225";
    pub const BAD_NAME: &str = "R0226";
    pub const EXPR_SYNTAX: &str = "R0301";
    pub const UNKNOWN_VARIABLE: &str = "R0302";
    pub const UNKNOWN_FIELD: &str = "R0303";
    pub const UNKNOWN_VALUE: &str = "R0304";
    pub const IMPOSSIBLE: &str = "R0305";
    pub const ORDERING: &str = "R0306";
    pub const MAYBE_MISSING: &str = "R0307";
    pub const NOT_BOOLEAN: &str = "R0308";
    pub const UNKNOWN_FUNCTION: &str = "R0309";
    pub const ARGUMENTS: &str = "R0310";
    pub const WRONG_RESULT: &str = "R0311";
    pub const NOT_IN: &str = "R0312";
    pub const SINGLE_EQUALS: &str = "R0313";
    pub const OPERATOR: &str = "R0314";
    pub const NEVER_MISSING: &str = "R0315";
    pub const MERGE: &str = "R0316";
    pub const NOT_ALLOWED: &str = "R0317";
    pub const NEVER_FIRES: &str = "R0401";
    pub const NEVER_RUNS: &str = "R0402";
    pub const UNHEARD: &str = "R0403";
    pub const RULE_CYCLE: &str = "R0404";
    pub const WRITERS: &str = "R0405";
    pub const NO_TRANSITION: &str = "R0406";
    pub const NO_WAY_IN: &str = "R0407";
    pub const IDLE_LIMIT: &str = "R0408";
    pub const RENAMED: &str = "R0409";
    pub const FAILS_WHEN_RUN: &str = "R0501";
    pub const CHECK_STOPPED: &str = "R0502";
    pub const SCRIPT_SYNTAX: &str = "S0101";
    pub const NO_SIGNATURE: &str = "S0102";
    pub const BAD_SIGNATURE: &str = "S0103";
    pub const OUTSIDE_FUNCTION: &str = "S0104";
    pub const DUPLICATE_FUNCTION: &str = "S0105";
    pub const UNKNOWN_NAME: &str = "R0901";
    pub const TEMPLATE_SYNTAX: &str = "T0101";
    pub const TEMPLATE_HEADER: &str = "T0102";
    pub const TEMPLATE_FEATURE: &str = "T0103";
    pub const TEMPLATE_FIELD: &str = "T0104";
    pub const NO_SENDER: &str = "T0201";
    pub const UNICODE: &str = "T0202";
    pub const PARTS: &str = "T0203";
    pub const PRIVATE: &str = "T0204";
    pub const UNUSED_TEMPLATE: &str = "T0205";
    pub const NO_OPT_OUT: &str = "T0206";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_one_is_explained() {
        let mut seen = std::collections::BTreeSet::new();
        for code in codes() {
            assert!(seen.insert(code.code), "{} is used twice", code.code);
            assert!(code.explanation.len() > 40, "{} has no real explanation", code.code);
        }
        assert_eq!(explain("s0303").map(|c| c.code), Some("R0303"));
        assert!(explain("R9999").is_none());
    }
}
