//! Comma-separated values (RFC 4180), read from what people export and written so that no spreadsheet takes a cell for a formula.

/// What a spreadsheet would run.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// The rows of a text, without a byte order mark; lines without anything in them are left out. Each row with its line, from 1.
///
/// # Errors
/// The line of a quote that is never closed, or that stands inside of an unquoted cell.
pub fn parse(text: &str) -> Result<Vec<(usize, Vec<String>)>, usize> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = Vec::new();
    let (mut row, mut cell): (Vec<String>, String) = (Vec::new(), String::new());
    let (mut line, mut began) = (1, 1);
    let mut chars = text.chars().peekable();
    let mut was_quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '"' if cell.is_empty() && !was_quoted => {
                quoted(&mut chars, &mut cell, &mut line)?;
                was_quoted = true;
            }
            '"' => return Err(line),
            ',' => {
                row.push(std::mem::take(&mut cell));
                was_quoted = false;
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                row.push(std::mem::take(&mut cell));
                keep(&mut rows, began, std::mem::take(&mut row));
                line += 1;
                (began, was_quoted) = (line, false);
            }
            other => cell.push(other),
        }
    }
    row.push(cell);
    keep(&mut rows, began, row);
    Ok(rows)
}

/// Up to the closing quote; two quotes are one.
fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, cell: &mut String, line: &mut usize) -> Result<(), usize> {
    let began = *line;
    while let Some(c) = chars.next() {
        match c {
            '"' if chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => return Ok(()),
            other => {
                *line += usize::from(other == '\n');
                cell.push(other);
            }
        }
    }
    Err(began)
}

fn keep(rows: &mut Vec<(usize, Vec<String>)>, line: usize, row: Vec<String>) {
    if row.iter().any(|cell| !cell.trim().is_empty()) {
        rows.push((line, row));
    }
}

/// What a cell that [`write_row`] has made safe was before.
#[must_use]
pub fn unprotected(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA)).unwrap_or(cell)
}

/// Adds one row.
pub fn write_row<'c>(to: &mut String, cells: impl IntoIterator<Item = &'c str>) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            to.push(',');
        }
        write_cell(to, cell);
    }
    to.push_str("\r\n");
}

/// True for a cell that a spreadsheet would run.
#[must_use]
pub fn is_formula(cell: &str) -> bool {
    cell.starts_with(FORMULA)
}

fn write_cell(to: &mut String, cell: &str) {
    let protect = is_formula(cell);
    let quote = protect || cell.contains([',', '"', '\n', '\r']);
    if quote {
        to.push('"');
    }
    if protect {
        to.push('\'');
    }
    for c in cell.chars() {
        if c == '"' {
            to.push('"');
        }
        to.push(c);
    }
    if quote {
        to.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_commas_and_lines_inside_of_cells_are_read() {
        let rows = parse("\u{feff}a,b\r\n\r\n\"x, \"\"y\"\"\",\"two\nlines\"\n,last").unwrap();
        let cells = |row: &[&str]| row.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        assert_eq!(rows, [(1, cells(&["a", "b"])), (3, cells(&["x, \"y\"", "two\nlines"])), (5, cells(&["", "last"]))]);
        assert_eq!(parse("a\n\"b"), Err(2));
        assert_eq!(parse("a\"b"), Err(1));
    }

    #[test]
    fn no_cell_is_a_formula_and_each_comes_back_as_it_was() {
        for cell in ["=1+1", "+61491570006", "-2", "@x", "\tx", "plain", "a,b", "say \"hi\"", "two\nlines", "it's", "'quoted"] {
            let mut text = String::new();
            write_row(&mut text, ["first", cell]);
            let rows = parse(&text).unwrap();
            assert!(!rows[0].1[1].starts_with(FORMULA), "{text}");
            assert_eq!(unprotected(&rows[0].1[1]), cell);
        }
    }
}
