//! From a character of a scalar's value back to its place in the file.

use super::SourceFile;
use super::node::{Place, Scalar};
use saphyr_parser::ScalarStyle;

impl Scalar {
    /// The place of the value's character with index `at` (from 0); the end of the value when there are fewer.
    pub fn place_of(&self, file: &SourceFile, at: usize, width: usize) -> Place {
        let (line, column) = if self.is_simple() {
            let quote = usize::from(self.style != ScalarStyle::Plain);
            (self.at.line, self.at.column + quote + at)
        } else {
            Walk::new(self, file).to(&self.text, at)
        };
        Place { line, column, width: width.max(1) }
    }

    /// The value stands in the file exactly as it is, on one line.
    fn is_simple(&self) -> bool {
        let length = self.text.chars().count();
        match self.style {
            ScalarStyle::Plain => self.at.width == length,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => self.at.width == length + 2,
            ScalarStyle::Literal | ScalarStyle::Folded => false,
        }
    }
}

/// Walks the value and the file side by side.
struct Walk<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    style: ScalarStyle,
    line: usize,
    column: usize,
}

impl<'a> Walk<'a> {
    fn new(scalar: &Scalar, file: &'a SourceFile) -> Self {
        let quote = usize::from(matches!(scalar.style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
        let column = scalar.at.column + quote;
        let rest = file.rest(scalar.at.line, column).chars().peekable();
        Self { rest, style: scalar.style, line: scalar.at.line, column }
    }

    fn to(mut self, value: &str, at: usize) -> (usize, usize) {
        let mut indent_done = true;
        let block_column = self.column;
        for character in value.chars().take(at) {
            if !indent_done {
                self.skip_indent(block_column);
                indent_done = true;
            }
            self.skip_continuation();
            self.pass(character);
            indent_done &= !(self.style == ScalarStyle::Literal && character == '\n');
        }
        if !indent_done {
            self.skip_indent(block_column);
        }
        self.skip_continuation();
        (self.line, self.column)
    }

    /// A backslash at the end of a line in double quotes: nothing in the value.
    fn skip_continuation(&mut self) {
        let mut ahead = self.rest.clone();
        if self.style == ScalarStyle::DoubleQuoted && ahead.next() == Some('\\') && matches!(ahead.next(), Some('\n' | '\r')) {
            self.step();
            self.pass_fold();
        }
    }

    fn step(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        if character == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(character)
    }

    fn skip_indent(&mut self, column: usize) {
        while self.column < column && self.rest.next_if_eq(&' ').is_some() {
            self.column += 1;
        }
    }

    /// Passes whatever stands in the file for one character of the value.
    fn pass(&mut self, character: char) {
        if self.style != ScalarStyle::Literal && character.is_whitespace() && self.folds() {
            return self.pass_fold();
        }
        match (self.style, self.step()) {
            (ScalarStyle::SingleQuoted, Some('\'')) => {
                self.step();
            }
            (ScalarStyle::DoubleQuoted, Some('\\')) => self.pass_escape(),
            _ => {}
        }
    }

    /// White space with a line break ahead: several characters of the file are one of the value.
    fn folds(&self) -> bool {
        let ahead = self.rest.clone();
        for character in ahead {
            match character {
                '\n' => return true,
                ' ' | '\t' | '\r' => {}
                _ => return false,
            }
        }
        false
    }

    fn pass_fold(&mut self) {
        while self.rest.peek().is_some_and(|c| c.is_whitespace()) {
            self.step();
        }
    }

    fn pass_escape(&mut self) {
        let digits = match self.step() {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        for _ in 0..digits {
            self.step();
        }
    }
}
