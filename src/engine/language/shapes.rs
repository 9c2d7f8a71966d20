//! What a value can look like.

use crate::engine::schema::Type;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Any text.
    Text,
    /// Text with `{{merge.fields}}`.
    Merge,
    /// Letters, digits, `-`, `_`, `.`.
    Id,
    Bool,
    /// A whole number of at least 1.
    Count,
    /// `30m`, `4h`, `2d`, `1w`.
    Duration,
    /// `"09:30"`.
    TimeOfDay,
    /// `Australia/Sydney`.
    Zone,
    /// One condition, or a list of them.
    Conditions,
    /// `=expression`.
    Expression,
    /// `=expression`, or a literal of this type.
    Value(Type),
    /// One out of these words.
    Words(&'static [&'static str]),
    /// One event, or a list of them.
    Events,
    OneEvent,
    EventName,
    /// `booking.appointment_datetime`.
    DateField,
    /// `day`, `hour`, a weekday, or an interval.
    Rhythm,
    Cron,
    Template,
    Pipeline,
    Stage,
    TaskType,
    /// A task type, or `any`.
    TaskTypeOrAny,
    Team,
    /// Names of variables, each with a value.
    Vars,
    /// Fields that can be set, each with a value.
    Fields,
    Triggers,
    Steps,
    Rules,
    /// Any key of a rule.
    Defaults,
    /// `{if, do}`, in turn.
    Branches,
    /// A map with keys of its own.
    Map(&'static str),
    /// A word or a map.
    WordsOrMap(&'static [&'static str], &'static str),
    /// A duration or a map.
    DurationOrMap(&'static str),
    /// An event's name or a map.
    EventOrMap(&'static str),
    /// Anything: said in words only.
    Free,
}

impl Shape {
    /// For tables.
    pub fn describe(self) -> String {
        let text = match self {
            Self::Text => "text",
            Self::Merge => "text with `{{merge fields}}`",
            Self::Id => "letters, digits, `-`, `_`, `.`",
            Self::Bool => "`true`, `false`",
            Self::Count => "whole number, at least 1",
            Self::Duration => "duration: `30m`, `4h`, `2d`, `1w`",
            Self::TimeOfDay => "`\"09:30\"`",
            Self::Zone => "time zone: `Australia/Sydney`",
            Self::Conditions => "condition, or a list of them",
            Self::Expression => "`=expression`",
            Self::Value(ty) => return format!("{}, or `=expression`", type_name(ty)),
            Self::Words(words) => return listed(words),
            Self::Events => "event, or a list of them",
            Self::OneEvent => "event",
            Self::EventName => "name of an event",
            Self::DateField => "time field: `booking.appointment_datetime`",
            Self::Rhythm => "`day`, `hour`, a weekday, or a duration",
            Self::Cron => "five fields: `\"0 9 * * 1-5\"`",
            Self::Template => "name of a template",
            Self::Pipeline => "name of a pipeline",
            Self::Stage => "name of a stage",
            Self::TaskType => "task type",
            Self::TaskTypeOrAny => "task type, or `any`",
            Self::Team => "name of a team",
            Self::Vars => "map of names and values",
            Self::Fields => "map of fields and values",
            Self::Triggers => "trigger, or a list of them",
            Self::Steps => "list of steps",
            Self::Rules => "list of rules",
            Self::Defaults => "map of rule keys",
            Self::Branches => "list of `{if, do}`",
            Self::Map(what) => return format!("map: see {what}"),
            Self::WordsOrMap(words, what) => return format!("{}, or a map: see {what}", listed(words)),
            Self::DurationOrMap(what) => return format!("duration, or a map: see {what}"),
            Self::EventOrMap(what) => return format!("name of an event, or a map: see {what}"),
            Self::Free => "see right",
        };
        text.to_owned()
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
}

/// A type as scripts' signatures write it.
pub(crate) fn type_name(ty: Type) -> String {
    if let Some((name, _)) = Type::PLAIN.iter().find(|(_, plain)| *plain == ty) {
        return (*name).to_owned();
    }
    match ty {
        Type::Record(name) => name.to_owned(),
        Type::List(name) => format!("[{name}]"),
        Type::Texts => "[string]".to_owned(),
        Type::Steps => "[step]".to_owned(),
        Type::TextMap => "data".to_owned(),
        // A closed list of words is text like any other, and everything else is plain.
        _ => type_name(Type::Text),
    }
}
