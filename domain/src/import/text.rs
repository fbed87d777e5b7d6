//! Lines of `api_id:api_hash[:name]`.

use super::credential::Draft;
use super::fields::{Columns, Field};
use super::{ParsedLine, is_skipped, tidy};

/// What may stand between the parts, besides spaces and tabs.
const SEPARATORS: [char; 8] = [':', ',', ';', '|', '：', '，', '；', '｜'];

pub(super) fn parse(data: &str, columns: &Columns) -> Vec<ParsedLine> {
    let mut lines = numbered(data).filter(|(_, content)| !is_skipped(content)).peekable();
    // Names are free text, so a line counts as a header only by its first part.
    let names_first = |layout: &Vec<Option<Field>>| layout.len() > 1 && layout[0].is_some();
    let header = lines.peek().and_then(|(_, content)| columns.header(split(content).into_iter())).filter(names_first);
    let skipped = usize::from(header.is_some());
    lines.skip(skipped).map(|(number, content)| line(number, &split(content), header.as_deref(), columns)).collect()
}

/// A single line, from wherever it comes.
pub(super) fn parse_line(number: usize, content: &str, columns: &Columns) -> ParsedLine {
    line(number, &split(content), None, columns)
}

fn line(number: usize, parts: &[&str], header: Option<&[Option<Field>]>, columns: &Columns) -> ParsedLine {
    let mut draft = Draft::default();
    if parts.len() < 2 {
        draft.refuse("line", "is not api_id:api_hash or api_id:api_hash:name");
    }
    let layout = header.map_or_else(|| columns.positional(parts.len()), <[_]>::to_vec);
    for (field, part) in layout.into_iter().zip(parts) {
        if let Some(field) = field {
            draft.put(field, part);
        }
    }
    draft.finish(number)
}

/// At most three parts, so that a name may hold the separator. What follows the first part decides
/// what separates all of them.
fn split(content: &str) -> Vec<&str> {
    let content = tidy(content);
    let is_separator = |sign: char| SEPARATORS.contains(&sign);
    let Some(end) = content.find(|sign: char| is_separator(sign) || sign.is_whitespace()) else {
        return vec![content];
    };
    let (id, rest) = content.split_at(end);
    let rest = rest.trim_start();
    let separator = rest.chars().next().filter(|sign| is_separator(*sign));
    let (hash, name) = match separator {
        Some(separator) => {
            let rest = rest[separator.len_utf8()..].trim_start();
            rest.split_once(separator).map_or((rest, None), |(hash, name)| (hash, Some(name)))
        }
        None => rest.split_once(char::is_whitespace).map_or((rest, None), |(hash, name)| (hash, Some(name))),
    };
    [id, hash].into_iter().chain(name).map(tidy).collect()
}

/// Lines with their numbers from 1, whichever system ended them.
fn numbered(data: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = data.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'));
    (1..).zip(lines)
}
