//! JUnit's XML, which build servers read.

use super::Ran;
use super::report::counts;
use crate::automation::ruletest::{FileResult, TestResult, tell};
use crate::domain::clinic::Clinic;
use crate::engine::diagnostic::{Format, render};

pub(super) fn document(ran: &Ran, clinic: &Clinic) -> String {
    let (tests, failed) = counts(ran);
    let seconds = ran.took.as_secs_f64();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rules\" tests=\"{tests}\" failures=\"{failed}\" time=\"{seconds:.3}\">\n"
    );
    for (file, result) in ran.files.iter().filter(|(_, r)| !r.tests.is_empty() || !r.problems.is_empty()) {
        out.push_str(&suite(&file.shown, result, ran, clinic));
    }
    out.push_str("</testsuites>");
    out
}

fn suite(file: &str, result: &FileResult, ran: &Ran, clinic: &Clinic) -> String {
    let failed = result.tests.iter().filter(|t| !t.failures.is_empty()).count();
    let errors = usize::from(!result.problems.is_empty());
    let mut out = format!(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"{errors}\">\n",
        escape(file),
        result.tests.len() + errors
    );
    if errors > 0 {
        let problems = escape(&render(&result.problems, &ran.sources, Format::Concise, false));
        out.push_str(&format!(
            "    <testcase name=\"the file\" classname=\"{}\"><error>{problems}</error></testcase>\n",
            escape(file)
        ));
    }
    for test in &result.tests {
        out.push_str(&case(file, test, clinic));
    }
    out.push_str("  </testsuite>\n");
    out
}

fn case(file: &str, test: &TestResult, clinic: &Clinic) -> String {
    let head = format!("    <testcase name=\"{}\" classname=\"{}\" line=\"{}\"", escape(&test.name), escape(file), test.line);
    let Some(first) = test.failures.first() else { return format!("{head}/>\n") };
    let (message, told) = (escape(&first.message), escape(&tell(file, test, clinic)));
    format!("{head}><failure message=\"{message}\">{told}</failure></testcase>\n")
}

/// Control characters have no place in XML, not even escaped.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_xml_cannot_hold_is_escaped_or_left_out() {
        assert_eq!(super::escape("a < b & \"c\"\u{7}\n"), "a &lt; b &amp; &quot;c&quot; \n");
    }
}
