//! The same figures as lines of CSV.

use super::definitions;
use super::figure::{Figure, Shown};
use super::report::Report;
use crate::domain::csv::is_formula;

/// UTF-8, a header, one line for each figure. Names from outside cannot become formulas of a spreadsheet.
#[must_use]
pub fn csv(report: &Report) -> String {
    let mut text = String::from("report,start,figure,by,group,unit,value,numerator,denominator\r\n");
    for figure in &report.figures {
        text.push_str(&line(report, figure));
        text.push_str("\r\n");
    }
    text
}

fn line(report: &Report, figure: &Figure) -> String {
    let definition = definitions::find(&figure.name);
    let by = if figure.group.is_some() { definition.and_then(|d| d.by).unwrap_or("") } else { "" };
    let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
    let value = match figure.value() {
        Some(Shown::Whole(n)) => n.to_string(),
        // Written as in JSON.
        Some(Shown::Rate(rate)) => serde_json::Number::from_f64(rate).map(|n| n.to_string()).unwrap_or_default(),
        None => String::new(),
    };
    [
        report.kind.as_str().to_owned(),
        report.start.clone(),
        figure.name.clone(),
        by.to_owned(),
        cell(figure.group.as_deref().unwrap_or("")),
        definition.map_or("", |d| d.unit.as_str()).to_owned(),
        value,
        number(figure.numerator),
        number(figure.denominator),
    ]
    .join(",")
}

/// Quoted where it must be; a cell that a spreadsheet would calculate begins with an apostrophe.
fn cell(text: &str) -> String {
    let text = if is_formula(text) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_outside_is_neither_a_formula_nor_a_new_line() {
        assert_eq!(cell("google"), "google");
        assert_eq!(cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(cell("a,b\nc"), "\"a,b\nc\"");
        assert_eq!(cell("-1"), "'-1");
    }
}
