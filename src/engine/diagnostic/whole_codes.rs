//! Codes of what is seen only when all files are looked at together, or when rules are tried out.

use super::codes::{Code, names};

pub(super) const WHOLE_CODES: &[Code] = &[
    Code {
        code: names::NEVER_FIRES,
        title: "the rule can never fire",
        explanation: "Its triggers, `while` and `if` cannot all be true of the same record: one field would need two values at once, a number would have to be above one bound and below a lower one, or every word of a list is ruled out.",
    },
    Code {
        code: names::NEVER_RUNS,
        title: "the step can never run",
        explanation: "The step's own `if` contradicts what the rule's triggers, `while` and `if` have already made certain.",
    },
    Code {
        code: names::UNHEARD,
        title: "an event that no rule listens to",
        explanation: "A step emits the event, and no rule has it in `when` or waits for it, so it does nothing. Events that nobody emits are found too: see R0201.",
    },
    Code {
        code: names::RULE_CYCLE,
        title: "rules that set each other off",
        explanation: "A step of the first rule makes an event on which the next one acts, and so on, back to the first. The program stops such a chain after a few rounds, but a patient may have had several texts by then. Give one of the rules a condition that is false the second time.",
    },
    Code {
        code: names::WRITERS,
        title: "two rules want different things at once",
        explanation: "On the same event both rules may fire, and both text the contact, move it in the same pipeline or set the same field. The later rule has the last word, and a patient gets two texts. Make their conditions exclude each other, or join the rules. Conditions exclude each other when they need different values of one field.",
    },
    Code {
        code: names::NO_TRANSITION,
        title: "a move that is never allowed",
        explanation: "The rule's conditions say in which stage the contact is, and that stage's `next` in `config/pipelines.yaml` does not have the stage of the move: it would be refused every time.",
    },
    Code {
        code: names::NO_WAY_IN,
        title: "no stage leads here",
        explanation: "The stage is not the first of its pipeline, and no other stage has it in `next`. Only contacts from another pipeline can come to it.",
    },
    Code {
        code: names::IDLE_LIMIT,
        title: "a limit that is never reached",
        explanation: "The rule's trigger comes less often than `limit` allows, so the limit changes nothing. It probably was meant for a longer time.",
    },
    Code {
        code: names::RENAMED,
        title: "a rule that seems to be renamed",
        explanation: "A rule with this very body was in force under another id, which is gone. History, limits and pending timers hang on the id: `was: OLD_ID` lets them go on.",
    },
    Code {
        code: names::FAILS_WHEN_RUN,
        title: "the rule fails when it is tried out",
        explanation: "Before a ruleset is in force, every condition, value and text is tried with made-up records: each optional field there and missing, each word of each list. Every step and every way of `choose` is tried, whatever the conditions before it say of values; only what they say to be there counts. So a division looks after itself: `=if contact.no_shows > 0 { 100 / contact.no_shows } else { 0 }`. Of anything else that fails here although it was checked, tell the makers of the program.",
    },
    Code {
        code: names::CHECK_STOPPED,
        title: "the check took too long or too much memory",
        explanation: "A candidate ruleset is checked in a process of its own, with limits of time and memory. It was stopped there, and nothing was changed. The usual reason is a script with a loop that grows, or one file that was generated.",
    },
    Code {
        code: names::PARTS,
        title: "the text takes several parts",
        explanation: "A text of one part has 160 characters (70 with a character outside the SMS alphabet); longer ones are sent, and paid for, in parts. Names, dates and times were filled in as they typically are. Shorten the text, or write `parts: 2` into the first line when it is meant to be long.",
    },
    Code {
        code: names::PRIVATE,
        title: "too private for a text",
        explanation: "Texts are read on locked screens and shared phones: they name no examination, result, referrer or room. When the patient has agreed to it, write `privacy: standard` into the template's first line.",
    },
    Code {
        code: names::UNUSED_TEMPLATE,
        title: "a text that no rule sends",
        explanation: "No step names the template. Delete it, or write `staff: true` into its first line when staff sends it by hand.",
    },
    Code {
        code: names::NO_OPT_OUT,
        title: "no way to opt out",
        explanation: "The law wants every recall and marketing text to say how to end them: write `Reply STOP to opt out`.",
    },
];
