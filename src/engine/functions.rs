//! The functions and properties that expressions and scripts can use, with their types. The checker and the generated
//! documentation read this table; the script host implements each entry.

use super::schema::Type;

/// One function. `x.f(y)` is the same as `f(x, y)`: a method's receiver is its first parameter.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    pub name: &'static str,
    pub params: &'static [Type],
    pub result: Type,
    pub about: &'static str,
}

/// A property of a plain value: `30.minutes`, `now.hour`.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    pub of: Type,
    pub name: &'static str,
    pub result: Type,
    pub about: &'static str,
}

const fn function(name: &'static str, params: &'static [Type], result: Type, about: &'static str) -> Signature {
    Signature { name, params, result, about }
}
const fn property(of: Type, name: &'static str, result: Type, about: &'static str) -> Property {
    Property { of, name, result, about }
}

use Type::{Bool, Duration, Float, Int, Text, Time};

/// Names of days, as `weekday` gives them: Monday first.
pub const WEEKDAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

const TOUCHPOINTS: Type = Type::List("touchpoint");

pub const FUNCTIONS: &[Signature] = &[
    function("clamp", &[Int, Int, Int], Int, "The number, kept between the two others: clamp(score, 0, 100)"),
    function("clamp", &[Float, Float, Float], Float, "The number, kept between the two others"),
    function("min", &[Int, Int], Int, "The smaller number"),
    function("min", &[Float, Float], Float, "The smaller number"),
    function("max", &[Int, Int], Int, "The larger number"),
    function("max", &[Float, Float], Float, "The larger number"),
    function("abs", &[Int], Int, "The number without its sign"),
    function("abs", &[Float], Float, "The number without its sign"),
    function("round", &[Float], Int, "The nearest whole number"),
    function("exp", &[Float], Float, "e to the power of the number"),
    function("pow", &[Float, Float], Float, "The first to the power of the second"),
    function("to_float", &[Int], Float, "The same number with a fraction"),
    function("min_time", &[Time, Time], Time, "The earlier time"),
    function("max_time", &[Time, Time], Time, "The later time"),
    function("end_of_day", &[Time], Time, "When the clinic next closes"),
    function("plus_business", &[Time, Duration], Time, "The time when that much of the opening hours has passed"),
    function("plus_days", &[Time, Int], Time, "The same local time, days later"),
    function("at", &[Time, Text], Time, "The local time \"HH:MM\" on that day"),
    function("contains", &[Text, Text], Bool, "The first text has the second in it"),
    function("starts_with", &[Text, Text], Bool, "The first text begins with the second"),
    function("ends_with", &[Text, Text], Bool, "The first text ends with the second"),
    function("to_lower", &[Text], Text, "In small letters"),
    function("to_upper", &[Text], Text, "In capital letters"),
    function("trim", &[Text], Text, "Without spaces around it"),
    function("len", &[Text], Int, "How many characters"),
    function("len", &[TOUCHPOINTS], Int, "How many items; for any list"),
    function("open_tasks_of", &[Type::Record("contact"), Text], Int, "How many open tasks of that type the contact has"),
    function("is_empty", &[Text], Bool, "There is nothing in it"),
    function("to_string", &[Text], Text, "The same text"),
    function("to_string", &[Int], Text, "The number as text"),
    function("to_string", &[Float], Text, "The number as text"),
    function("to_string", &[Bool], Text, "true or false as text"),
    function("to_string", &[Time], Text, "The time as people read it"),
    function("is_empty", &[TOUCHPOINTS], Bool, "There is nothing in it; for any list"),
];

pub const PROPERTIES: &[Property] = &[
    property(Int, "minutes", Duration, "30.minutes"),
    property(Int, "minute", Duration, "1.minute"),
    property(Int, "hours", Duration, "4.hours"),
    property(Int, "hour", Duration, "1.hour"),
    property(Int, "days", Duration, "2.days, each of 24 hours"),
    property(Int, "day", Duration, "1.day"),
    property(Int, "weeks", Duration, "2.weeks"),
    property(Int, "week", Duration, "1.week"),
    property(Time, "hour", Int, "0 to 23, at the clinic"),
    property(Time, "minute", Int, "0 to 59, at the clinic"),
    property(Time, "weekday", Type::Enum(WEEKDAYS), "monday to sunday, at the clinic"),
    property(Time, "date", Text, "2026-03-05, at the clinic"),
    property(Time, "year", Int, "2026, at the clinic"),
    property(Time, "month", Int, "1 to 12, at the clinic"),
    property(Time, "day", Int, "1 to 31, at the clinic"),
    property(Duration, "minutes", Float, "How many minutes, with a fraction"),
    property(Duration, "hours", Float, "How many hours, with a fraction"),
    property(Duration, "days", Float, "How many days of 24 hours, with a fraction"),
    property(Text, "len", Int, "How many characters"),
    property(TOUCHPOINTS, "len", Int, "How many items; for any list"),
];
