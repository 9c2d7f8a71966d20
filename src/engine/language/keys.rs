//! Every map of rule files with its keys.

use super::shapes::Shape;
use super::{Key, Table};
use crate::engine::guard::AfterErrors;
use crate::engine::plan::TasksOf;
use crate::engine::ruleset::{Again, IfRunning};
use crate::engine::schema::Type;

const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about }
}

const SUBJECTS: Shape = Shape::Words(&["contact", "booking"]);
const HOURS: Shape = Shape::Words(&["all", "business"]);
const LATE: Key =
    key("late", Shape::Duration, "How late it may still run; 15m unless written. Later than that it is recorded and not run");
const AS: Key = key("as", Shape::Text, "What `trigger` is in expressions when this trigger set the rule off");
const EACH: Key = key("each", SUBJECTS, "Once for every contact or booking; without it once in all");
const TZ: Key = key("tz", Shape::Zone, "Time zone of the times; the clinic's unless written");

pub(super) const TABLES: &[Table] = &[
    Table {
        what: "a rule file",
        keys: &[
            key("about", Shape::Text, "What the file is about, for people"),
            key("defaults", Shape::Defaults, "Keys for all rules of the file that do not have them themselves"),
            key("rules", Shape::Rules, "The rules, in the order in which they are looked at"),
        ],
        needed: &[],
    },
    Table {
        what: "a rule",
        keys: &[
            key("id", Shape::Id, "Stable name: history, limits and timers hang on it"),
            key("was", Shape::Id, "The id it had before, so that its history goes on"),
            key("name", Shape::Text, "What people call it"),
            key("about", Shape::Text, "What it does and why, in a sentence"),
            key("owner", Shape::Text, "Team that answers for it"),
            key("enabled", Shape::Bool, "`false` switches the rule off"),
            key("when", Shape::Triggers, "What sets it off"),
            key(
                "while",
                Shape::Conditions,
                "Must be true as long as a timer or a wait is pending, and when it ends; a list holds when all lines do",
            ),
            key(
                "if",
                Shape::Conditions,
                "Must be true when the trigger comes; line by line, and the first that is not is told by `avatar why`",
            ),
            key("do", Shape::Steps, "What to do, in order"),
            key("vars", Shape::Vars, "Values that its steps can use by name"),
            key("limit", Shape::Map("`limit`"), "At most so often for one contact or booking"),
            key(
                "if_running",
                Shape::Words(IfRunning::NAMES),
                "What happens when it fires while an earlier run of it is still waiting",
            ),
            key("rollout", Shape::Free, "`live`, `shadow` (planned, not done), `10%` of the contacts, or `test_contacts`"),
            key("expect", Shape::Map("`expect`"), "An alarm when it fires less often"),
            key("on_error", Shape::Map("`on_error`"), "What happens when it keeps failing"),
        ],
        needed: &["id", "when", "do"],
    },
    Table {
        what: "`limit`",
        keys: &[
            key("max", Shape::Count, "How often it may fire"),
            key("in", Shape::Duration, "In how long"),
            key("per", SUBJECTS, "For whom it is counted; `contact` unless written"),
        ],
        needed: &["max", "in"],
    },
    Table {
        what: "an `event` trigger",
        keys: &[
            key("event", Shape::Events, "The event or events"),
            key("unhandled", Shape::Bool, "Only when no other rule fired on the event"),
            AS,
        ],
        needed: &["event"],
    },
    Table {
        what: "a `date` trigger",
        keys: &[
            key("date", Shape::DateField, "The time of a contact or booking that it follows, however often that moves"),
            key("before", Shape::Duration, "So long before it"),
            key("after", Shape::Duration, "So long after it"),
            key("at", Shape::TimeOfDay, "At this time of that day"),
            LATE,
            key(
                "again",
                Shape::Words(Again::NAMES),
                "When it comes again for the same record: when the time moves to another day (unless written), whenever it moves, never",
            ),
            AS,
        ],
        needed: &["date"],
    },
    Table {
        what: "an `every` trigger",
        keys: &[
            key("every", Shape::Rhythm, "How often"),
            key("at", Shape::TimeOfDay, "At which time, with `day` and weekdays"),
            TZ,
            EACH,
            LATE,
            AS,
        ],
        needed: &["every"],
    },
    Table {
        what: "a `cron` trigger",
        keys: &[key("cron", Shape::Cron, "Minute, hour, day of month, month, weekday"), TZ, EACH, LATE, AS],
        needed: &["cron"],
    },
    Table {
        what: "a `holds` trigger",
        keys: &[
            key("holds", Shape::Text, "A condition about the contact or booking that has to stay true"),
            key("for", Shape::Duration, "For how long"),
            key("hours", HOURS, "`business`: only opening hours count"),
            AS,
        ],
        needed: &["holds", "for"],
    },
    Table {
        what: "a `webhook` trigger",
        keys: &[key("webhook", Shape::Text, "A source declared in config/webhooks.yaml: every event of it"), AS],
        needed: &["webhook"],
    },
    Table {
        what: "a `manual` trigger",
        keys: &[key("manual", SUBJECTS, "Staff starts it for a contact or booking"), AS],
        needed: &["manual"],
    },
    Table {
        what: "a trigger",
        keys: &[
            key("event", Shape::Events, "When an event comes"),
            key("date", Shape::DateField, "Before, at or after a time of the record"),
            key("every", Shape::Rhythm, "Again and again"),
            key("cron", Shape::Cron, "By a cron expression"),
            key("holds", Shape::Text, "When a condition has been true for a while"),
            key("webhook", Shape::Text, "Every event of a declared source"),
            key("manual", SUBJECTS, "When staff starts it"),
            key("unhandled", Shape::Bool, "With `event`: only when no other rule fired"),
            key("before", Shape::Duration, "With `date`: so long before"),
            key("after", Shape::Duration, "With `date`: so long after"),
            key("at", Shape::TimeOfDay, "With `date` and `every`: time of day"),
            key("for", Shape::Duration, "With `holds`: for how long"),
            key("hours", HOURS, "With `holds`: which hours count"),
            LATE,
            key("again", Shape::Words(Again::NAMES), "With `date`: when it comes again"),
            TZ,
            EACH,
            AS,
        ],
        needed: &[],
    },
    Table {
        what: "a step",
        keys: &[
            key("move", Shape::Map("`move`"), "Moves the contact to a stage"),
            key(
                "sms",
                Shape::Template,
                "Texts the contact: the name of a template. After STOP and in quiet hours the program decides",
            ),
            key("task", Shape::Map("`task`"), "Makes a task for staff; one that is open already is not made twice"),
            key("close_tasks", Shape::Map("`close_tasks`"), "Closes open tasks of the contact or booking"),
            key("set", Shape::Fields, "Sets fields of contact and booking"),
            key("note", Shape::Merge, "Writes a note on the contact's timeline"),
            key("cancel", Shape::WordsOrMap(&["sms"], "`cancel`"), "Withdraws texts that have not left yet"),
            key("alert", Shape::Merge, "Tells the rule's owner; never a patient"),
            key("emit", Shape::EventOrMap("`emit`"), "Makes an event that other rules can listen to"),
            key("tag", Shape::Text, "Puts a tag on the contact"),
            key("untag", Shape::Text, "Takes a tag off the contact"),
            key("wait", Shape::DurationOrMap("`wait`"), "Goes on later: after a time, at a time, or when an event comes"),
            key("choose", Shape::Branches, "The first branch whose `if` is true, and no other"),
            key("each", Shape::Map("`each`"), "The steps below once for each item of a list"),
            key("run", Shape::Id, "The steps of another rule, by its id"),
            key("plan", Shape::Expression, "Steps that a script gives"),
            key("stop", Shape::Free, "Ends the rule here"),
            key("call", Shape::Text, "Calls a connector by its name"),
            key("if", Shape::Conditions, "Only then"),
            key("id", Shape::Id, "A name for the step"),
        ],
        needed: &[],
    },
    Table {
        what: "`move`",
        keys: &[
            key("pipeline", Shape::Pipeline, "Which way the contact goes"),
            key("stage", Shape::Stage, "How far it has come on it"),
        ],
        needed: &["pipeline", "stage"],
    },
    Table {
        what: "`task`",
        keys: &[
            key("type", Shape::TaskType, "Kind of task"),
            key("title", Shape::Merge, "What staff reads in the list"),
            key("due", Shape::Expression, "When it must be done: `=now.plus_business(2.hours)`"),
            key("priority", Shape::Value(Type::Int), "0 to 100, higher first; 50 unless written"),
            key("assign", Shape::Team, "Team that does it"),
            key("note", Shape::Merge, "More about it"),
        ],
        needed: &["type", "title", "due"],
    },
    Table {
        what: "`close_tasks`",
        keys: &[
            key("type", Shape::TaskTypeOrAny, "Which tasks"),
            key(
                "of",
                Shape::Words(TasksOf::NAMES),
                "`booking`: only tasks about this booking (unless written, where there is one); `contact`: about any booking or none",
            ),
            key("reason", Shape::Merge, "Why, for staff; the rule's name unless written"),
        ],
        needed: &["type"],
    },
    Table { what: "`cancel`", keys: &[key("sms", Shape::Template, "Only texts of this template")], needed: &["sms"] },
    Table {
        what: "`emit`",
        keys: &[
            key("event", Shape::EventName, "Name of the event"),
            key("data", Shape::Free, "Texts by name: `event.data` of the rules that hear it"),
        ],
        needed: &["event"],
    },
    Table {
        what: "`wait`",
        keys: &[
            key("until", Shape::Expression, "Until this time: `=booking.appointment_datetime`"),
            key("event", Shape::OneEvent, "An event of the same contact; with `for`"),
            key("for", Shape::Duration, "No longer than this"),
        ],
        needed: &[],
    },
    Table {
        what: "`each`",
        keys: &[
            key("in", Shape::Expression, "The list to go through"),
            key("as", Shape::Text, "Name of the item in the steps below"),
            key("do", Shape::Steps, "The steps"),
        ],
        needed: &["in", "as", "do"],
    },
    Table {
        what: "`expect`",
        keys: &[
            key("at_least", Shape::Count, "So many times"),
            key("in", Shape::Duration, "Within this time; the first alarm comes after a whole span"),
        ],
        needed: &["at_least", "in"],
    },
    Table {
        what: "`on_error`",
        keys: &[
            key("retry", Shape::Free, "So many failures in a row, 0 to 100, are borne; 4 unless written"),
            key("then", Shape::Words(AfterErrors::NAMES), "`task` tells the owner, `pause` stops the rule too (unless written)"),
        ],
        needed: &[],
    },
    Table {
        what: "a way of `choose`",
        keys: &[
            key("if", Shape::Conditions, "When it is taken; the last branch may do without"),
            key("do", Shape::Steps, "Its steps"),
        ],
        needed: &["do"],
    },
];
