//! A test file: `rules`, `start`, `given`, `tests`.

use super::time::parse_time;
use super::{Call, Case, Given, Spot, Story, TEST_FILE_BYTES_MAX, TESTS_MAX, TestFile};
use crate::domain::calendar::Calendar;
use crate::domain::time::Timestamp;
use crate::engine::diagnostic::{Diagnostic, names};
use crate::engine::source::{Kind, Node, Place, Problems, Scalar, SourceFile, read_with_anchors};
use crate::engine::syntax::{Keys, Reader};

const FILE: Keys = Keys { what: "a test file", known: &["about", "rules", "start", "define", "given", "tests"], later: &[] };
const STORY: Keys = Keys { what: "a test", known: &["name", "about", "start", "given", "steps"], later: &[] };
const CALL: Keys = Keys { what: "a script's test", known: &["call", "name", "given", "returns"], later: &[] };
const GIVEN: Keys = Keys { what: "`given`", known: &["contact", "contacts", "booking", "bookings", "now"], later: &[] };

/// Monday 2 March 2026, 9:00: when nobody says when.
const START_DEFAULT: &str = "2026-03-02 09:00";

/// Reads a test file; every mistake in it comes back with its place.
pub(crate) fn read_test(path: &str, text: &str, calendar: &Calendar) -> (Option<TestFile>, Vec<Diagnostic>) {
    let mut problems = Problems::default();
    let file = SourceFile::new(path, text);
    if text.len() > TEST_FILE_BYTES_MAX {
        let message = format!("a test file has at most {TEST_FILE_BYTES_MAX} bytes, and this one has {}", text.len());
        problems.error(names::FILE_TOO_LARGE, path, Place { line: 1, column: 1, width: 1 }, message, None);
        return (None, problems.found);
    }
    let root = read_with_anchors(&file, &mut problems);
    let mut tests = TestReader { reader: Reader { file: &file, problems: &mut problems }, calendar };
    let read = root.and_then(|root| tests.file(root));
    let good = !problems.has_errors();
    let mut found = problems.found;
    found.sort_by(|a, b| (a.line, a.column, &a.code, &a.message).cmp(&(b.line, b.column, &b.code, &b.message)));
    // What an alias repeats is one mistake.
    found.dedup();
    (read.filter(|_| good), found)
}

/// Reads the parts of one test file.
pub(super) struct TestReader<'a> {
    pub reader: Reader<'a>,
    pub calendar: &'a Calendar,
}

/// What stands under `given`.
#[derive(Default)]
pub(super) struct GivenParts {
    pub records: Given,
    pub now: Option<Timestamp>,
}

impl TestReader<'_> {
    fn file(&mut self, root: Node) -> Option<TestFile> {
        let path = self.reader.file.path.to_string();
        let mut fields = self.reader.fields(root, &FILE)?;
        fields.take("about");
        // A home for anchors: its values are used where they are repeated.
        fields.take("define");
        let rules = fields.take("rules").map(|node| self.reader.scalars(node, "`rules`").into_iter().map(spot).collect());
        let start = match fields.take("start") {
            Some(node) => self.time(node, "`start`"),
            None => parse_time(START_DEFAULT, self.calendar),
        };
        let given = fields.take("given").map(|node| self.given(node)).unwrap_or_default();
        let tests = fields.need("tests", &mut self.reader)?;
        let Kind::List(items) = tests.kind else {
            self.reader.error(names::WRONG_SHAPE, tests.at, format!("`tests` is a list, not {}", tests.describe()), None);
            return None;
        };
        if items.len() > TESTS_MAX {
            self.reader.error(names::TOO_MANY, tests.at, format!("a file has at most {TESTS_MAX} tests"), None);
            return None;
        }
        let cases = items.into_iter().filter_map(|item| self.case(item)).collect();
        Some(TestFile { path, rules, start: start?, given: given.records, cases })
    }

    fn case(&mut self, node: Node) -> Option<Case> {
        let is_call = matches!(&node.kind, Kind::Map(entries, _) if entries.iter().any(|e| e.key.text == "call"));
        if is_call { self.call(node).map(Case::Call) } else { self.story(node).map(Case::Story) }
    }

    fn call(&mut self, node: Node) -> Option<Call> {
        let mut fields = self.reader.fields(node, &CALL)?;
        fields.take("name");
        let call = fields.need("call", &mut self.reader)?;
        let call = spot(self.reader.scalar(call, "`call`")?);
        let given = fields.take("given").map(|node| self.given(node)).unwrap_or_default();
        let returns = fields.need("returns", &mut self.reader)?;
        let returns = match returns.kind {
            Kind::Scalar(scalar) => spot(scalar),
            _ => spot(self.reader.scalar(returns, "`returns`")?),
        };
        Some(Call { text: call, given: given.records, now: given.now, returns })
    }

    fn story(&mut self, node: Node) -> Option<Story> {
        let at = node.at;
        let mut fields = self.reader.fields(node, &STORY)?;
        fields.take("about");
        let name = fields.need("name", &mut self.reader)?;
        let name = spot(self.reader.scalar(name, "`name`")?);
        let start = fields.take("start").and_then(|node| self.time(node, "`start`"));
        let given = fields.take("given").map(|node| self.given(node)).unwrap_or_default();
        let steps = fields.need("steps", &mut self.reader)?;
        let steps = self.steps(steps);
        if !self.reader.problems.has_errors() && !steps.iter().any(super::Step::checks) {
            let help = Some("give one of its steps an `expect` other than `any`".to_owned());
            self.reader.error(
                names::MISSING_KEY,
                at,
                format!("the test `{}` expects nothing, so it cannot fail", name.text),
                help,
            );
        }
        Some(Story { name, start, given: given.records, steps })
    }

    pub(super) fn given(&mut self, node: Node) -> GivenParts {
        let mut parts = GivenParts::default();
        let Some(mut fields) = self.reader.fields(node, &GIVEN) else { return parts };
        for (one, many, record) in [("contact", "contacts", "contact"), ("booking", "bookings", "booking")] {
            let mut nodes: Vec<Node> = fields.take(one).into_iter().collect();
            match fields.take(many).map(|node| (node.at, node.kind)) {
                Some((_, Kind::List(items))) => nodes.extend(items),
                Some((at, _)) => self.reader.error(names::WRONG_SHAPE, at, format!("`{many}` is a list of {many}"), None),
                None => {}
            }
            let facts = nodes.into_iter().filter_map(|node| self.reader.facts(node, record, self.calendar));
            if record == "contact" { parts.records.contacts = facts.collect() } else { parts.records.bookings = facts.collect() }
        }
        parts.now = fields.take("now").and_then(|node| self.time(node, "`now`"));
        parts
    }

    pub(super) fn time(&mut self, node: Node, what: &str) -> Option<Timestamp> {
        let scalar = self.reader.scalar(node, what)?;
        let found = parse_time(&scalar.text, self.calendar);
        if found.is_none() {
            let message = format!("{what} is a time, and `{}` is none", scalar.text);
            let help = Some("write the clinic's time, such as `2026-03-05 10:00`".to_owned());
            self.reader.error(names::BAD_VALUE, scalar.at, message, help);
        }
        found
    }
}

pub(super) fn spot(scalar: Scalar) -> Spot {
    Spot { text: scalar.text, at: scalar.at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<TestFile>, Vec<String>) {
        let calendar = Calendar::weekdays(chrono_tz::Australia::Sydney);
        let (file, problems) = read_test("rules/x.test.yaml", text, &calendar);
        (file, problems.into_iter().map(|d| format!("{}:{} {}", d.line, d.column, d.message)).collect())
    }

    const ONE_TEST: &str = "tests:\n  - name: a\n    steps:\n      - { to: end, expect: nothing }\n";

    #[test]
    fn a_value_is_named_once_and_repeated_with_changes() {
        let given = "given:\n  contacts:\n    - &ana { id: ana, first_name: Ana, warmness: 3 }\n    - { <<: *ana, id: ben, warmness: 5 }\n";
        let (file, problems) = read(&format!("{given}{ONE_TEST}"));
        assert_eq!(problems, Vec::<String>::new());
        let contacts = file.expect("a test file").given.contacts;
        assert_eq!(
            (contacts[1].text("id"), contacts[1].text("first_name"), contacts[1].list.len()),
            (Some("ben"), Some("Ana"), 3)
        );
    }

    #[test]
    fn aliases_of_aliases_of_aliases_end_at_a_limit() {
        let mut bomb = "define:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..30 {
            let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
            bomb.push_str(&format!("  a{n}: &a{n} [{aliases}]\n"));
        }
        let (file, problems) = read(&format!("{bomb}{ONE_TEST}"));
        assert!(file.is_none());
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].ends_with("aliases repeat more than 50000 values"), "{problems:?}");
    }

    #[test]
    fn a_test_that_cannot_fail_is_refused() {
        let (_, problems) = read("tests:\n  - name: lazy\n    steps:\n      - { to: end, expect: any }\n");
        assert_eq!(problems, ["2:5 the test `lazy` expects nothing, so it cannot fail"]);
    }
}
