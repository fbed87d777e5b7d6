//! Rows of cells.
//!
//! The reader is our own because of one promise: a bad line never stops the rest. A quote that is
//! opened and never closed would otherwise swallow the whole file; here it spoils its line, and
//! reading goes on with the next. It also knows each row's true line, for the report to name.

use super::credential::{Draft, check_cell};
use super::fields::{self, Columns, Field};
use super::{MAX_CELL_BYTES, ParsedLine, is_skipped, tidy};

const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
/// So many lines are looked at to find out how the rows are written.
const SAMPLE_LINES: usize = 20;
/// Of each of them so much, in bytes.
const SAMPLE_BYTES: usize = 4096;

pub(super) fn parse(data: &str, columns: &Columns) -> Vec<ParsedLine> {
    let delimiter = delimiter(&sample(data), columns).unwrap_or(',');
    let mut rows = Rows::new(data, delimiter).peekable();
    let header = rows.peek().filter(|row| row.fault.is_none()).and_then(|row| columns.header(row.cells()));
    let skipped = usize::from(header.is_some());
    rows.skip(skipped)
        .map(|row| match &header {
            Some(layout) => line(&row, layout),
            None => line(&row, &columns.positional(row.cells.len() + 1)),
        })
        .collect()
}

fn line(row: &Row, layout: &[Option<Field>]) -> ParsedLine {
    let mut draft = Draft::default();
    for (at, cell) in row.cells.iter().enumerate() {
        match layout.get(at).copied().flatten() {
            Some(field) => draft.put(field, unguarded(cell)),
            // A delimiter too many, or a cell that should have been quoted: what stands where is a guess.
            None if at >= layout.len() && !tidy(cell).is_empty() => {
                draft.refuse("line", "has more cells than the header");
            }
            None => {
                if let Err(message) = check_cell(cell, true) {
                    draft.refuse(fields::column_name(layout, at), message);
                }
            }
        }
    }
    if let Some(message) = row.fault {
        draft.refuse(fields::column_name(layout, row.cells.len()), message);
    }
    draft.finish(row.line)
}

/// Takes away what keeps a spreadsheet from running or rounding a cell: `'+886…`, `="0123"`.
fn unguarded(cell: &str) -> &str {
    let cell = tidy(cell);
    if let Some(inner) = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        return inner;
    }
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => cell,
    }
}

/// Whether data of an unknown format is rows of cells rather than plain lines: it has a header, it
/// has quoted cells, or every line has the same three columns or more and begins with a number.
pub(super) fn looks_like(data: &str, columns: &Columns) -> bool {
    let sample = sample(data);
    let Some(delimiter) = delimiter(&sample, columns) else { return false };
    let rows: Vec<Vec<String>> = sample.iter().map(|line| cells_of(line, delimiter)).collect();
    if rows.first().is_some_and(|row| row.len() > 1 && columns.header(row.iter().map(String::as_str)).is_some()) {
        return true;
    }
    let quoted = |line: &&str| line.split(delimiter).any(|cell| tidy(cell).starts_with('"'));
    if sample.iter().any(quoted) {
        return true;
    }
    let width = rows.first().map_or(0, Vec::len);
    let is_number = |cell: &str| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
    width >= 3 && rows.iter().all(|row| row.len() == width && row.first().is_some_and(|cell| is_number(tidy(cell))))
}

/// The first lines that hold something.
fn sample(data: &str) -> Vec<&str> {
    let lines = data.split(['\n', '\r']).filter(|line| !is_skipped(line)).take(SAMPLE_LINES);
    lines.map(|line| &line[..line.floor_char_boundary(SAMPLE_BYTES)]).collect()
}

/// The delimiter under which the first line is a header with the most names we know, else the one
/// that occurs equally often in the most lines.
fn delimiter(sample: &[&str], columns: &Columns) -> Option<char> {
    let first = sample.first()?;
    let known = |delimiter: char| {
        let cells = cells_of(first, delimiter);
        let layout = columns.header(cells.iter().map(String::as_str)).filter(|_| cells.len() > 1);
        layout.map_or(0, |layout| layout.iter().flatten().count())
    };
    let even = |delimiter: char| {
        let width = cells_of(first, delimiter).len();
        if width < 2 { 0 } else { sample.iter().filter(|line| cells_of(line, delimiter).len() == width).count() }
    };
    let best = |score: &dyn Fn(char) -> usize| {
        let scored = DELIMITERS.iter().rev().map(|delimiter| (score(*delimiter), *delimiter));
        scored.filter(|(score, _)| *score > 0).max_by_key(|(score, _)| *score).map(|(_, delimiter)| delimiter)
    };
    best(&known).or_else(|| best(&even))
}

fn cells_of(line: &str, delimiter: char) -> Vec<String> {
    Rows::new(line, delimiter).next().map(|row| row.cells).unwrap_or_default()
}

struct Row {
    /// Where it begins, from 1.
    line: usize,
    cells: Vec<String>,
    /// What is wrong with the quotes of the cell that would come next.
    fault: Option<&'static str>,
}

impl Row {
    fn cells(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().map(String::as_str)
    }
}

/// A cell that can't be read, and how far one had to look to know.
struct Broken {
    message: &'static str,
    reach: usize,
}

/// The rows of a text that hold something.
///
/// Linear in the text: a row that fails after several lines is given up, its further lines are read
/// again, and there a quoted cell may not span lines. So nothing is read a third time.
struct Rows<'a> {
    rest: &'a str,
    line: usize,
    delimiter: char,
    /// How much was left where the last failed row had got to.
    looked_until: usize,
}

impl<'a> Rows<'a> {
    fn new(data: &'a str, delimiter: char) -> Self {
        Self { rest: data, line: 1, delimiter, looked_until: data.len() }
    }

    /// Steps over what was read, counting its lines.
    fn advance(&mut self, bytes: usize) {
        let (read, rest) = self.rest.split_at(bytes);
        let mut after_return = false;
        for byte in read.bytes() {
            self.line += usize::from(byte == b'\r' || (byte == b'\n' && !after_return));
            after_return = byte == b'\r';
        }
        self.rest = rest;
    }

    /// The length of the first line without its end, and with it.
    fn first_line(&self) -> (usize, usize) {
        let content = self.rest.find(['\n', '\r']).unwrap_or(self.rest.len());
        (content, content + line_end(&self.rest[content..]))
    }

    /// One row from the beginning of a text, and how much of the text it is.
    fn row(&self, text: &str) -> (Row, Result<usize, usize>) {
        let mut row = Row { line: self.line, cells: Vec::new(), fault: None };
        let mut at = 0;
        loop {
            match self.cell(&text[at..]) {
                Err(broken) => {
                    row.fault = Some(broken.message);
                    return (row, Err(at + broken.reach));
                }
                Ok((cell, length)) => {
                    row.cells.push(cell);
                    at += length;
                }
            }
            if !text[at..].starts_with(self.delimiter) {
                return (row, Ok(at + line_end(&text[at..])));
            }
            at += self.delimiter.len_utf8();
        }
    }

    /// One cell and its length up to the delimiter or the line's end.
    fn cell(&self, text: &str) -> Result<(String, usize), Broken> {
        let stops = |sign: char| sign == self.delimiter || sign == '\n' || sign == '\r';
        let Some(quoted) = text.trim_start_matches(' ').strip_prefix('"') else {
            let end = text.find(stops).unwrap_or(text.len());
            return Ok((text[..end].to_owned(), end));
        };
        let mut cell = String::new();
        let mut rest = quoted;
        loop {
            // Far enough to see that the cell is too long, and no farther.
            let window = &rest[..rest.ceil_char_boundary(1 + MAX_CELL_BYTES.saturating_sub(cell.len()))];
            let Some(end) = window.find('"') else {
                let ended = window.len() == rest.len();
                let message = if ended { "has a quote that is never closed" } else { "is longer than 10 kB" };
                return Err(Broken { message, reach: text.len() - rest.len() + window.len() });
            };
            cell.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            let Some(further) = rest.strip_prefix('"') else { break };
            cell.push('"');
            rest = further;
        }
        let after = rest.trim_start_matches(' ');
        if !after.is_empty() && !after.starts_with(stops) {
            return Err(Broken { message: "has text after its closing quote", reach: text.len() - after.len() });
        }
        Ok((cell, text.len() - after.len()))
    }
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        while !self.rest.is_empty() {
            let (content, length) = self.first_line();
            if is_skipped(&self.rest[..content]) {
                self.advance(length);
                continue;
            }
            let again = self.rest.len() > self.looked_until;
            let (row, read) = self.row(if again { &self.rest[..content] } else { self.rest });
            match read {
                Err(reach) => {
                    if !again {
                        self.looked_until = self.rest.len() - reach;
                    }
                    self.advance(length);
                    return Some(row);
                }
                Ok(read) => {
                    self.advance(if again { length } else { read });
                    if row.cells().any(|cell| !tidy(cell).is_empty()) {
                        return Some(row);
                    }
                }
            }
        }
        None
    }
}

/// The length of the line's end that a text begins with.
fn line_end(text: &str) -> usize {
    if text.starts_with("\r\n") { 2 } else { usize::from(text.starts_with(['\n', '\r'])) }
}
