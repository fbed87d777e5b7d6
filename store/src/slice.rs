//! Pages of the lists that stay short: groups, tokens, users, views, sessions. Ids are made in order
//! of time, so a page behind an id is a page behind a moment.

/// Which rows of such a list.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    /// Part of a row's name, as the list understands it; an empty one finds all.
    pub q: String,
    /// From the newest to the oldest.
    pub newest_first: bool,
    /// Behind this id.
    pub after: Option<String>,
    /// The most rows on a page. The list answers with one more, by which one sees whether there is
    /// a next page.
    pub limit: usize,
}

impl Slice {
    /// The id to start behind, or an empty text.
    pub(crate) fn after(&self) -> &str {
        self.after.as_deref().unwrap_or_default()
    }

    /// What a name must be LIKE, or an empty text.
    pub(crate) fn pattern(&self) -> String {
        if self.q.is_empty() { String::new() } else { inside(&self.q) }
    }

    /// How many rows to ask for.
    pub(crate) fn rows(&self) -> usize {
        self.limit + 1
    }
}

/// A LIKE pattern for texts in lower case that have `text` in them.
pub(crate) fn inside(text: &str) -> String {
    format!("%{}%", folded(text))
}

/// A LIKE pattern for texts in lower case that begin with `text`.
pub(crate) fn beginning(text: &str) -> String {
    format!("{}%", folded(text))
}

/// Both databases fold the case of ASCII letters only.
fn folded(text: &str) -> String {
    text.to_ascii_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// The condition on a row's name: `sought!("g.name", "$2")`.
macro_rules! sought {
    ($name:literal, $pattern:literal) => {
        concat!(" AND (", $pattern, " = '' OR LOWER(", $name, ") LIKE ", $pattern, " ESCAPE '\\')")
    };
}

/// The statement for a page, from a list's own `select!`, the columns of its ids and names, and the
/// parameters of [`Slice::after`], [`Slice::pattern`] and [`Slice::rows`].
macro_rules! sliced {
    ($slice:expr, $select:ident, $id:literal, $name:literal, $after:literal, $pattern:literal, $rows:literal) => {
        if $slice.newest_first {
            sliced!($select, $id, "<", "DESC", $name, $after, $pattern, $rows)
        } else {
            sliced!($select, $id, ">", "ASC", $name, $after, $pattern, $rows)
        }
    };
    ($select:ident, $id:literal, $compare:literal, $order:literal, $name:literal, $after:literal, $pattern:literal,
     $rows:literal) => {
        $select!(concat!(
            " AND (",
            $after,
            " = '' OR ",
            $id,
            $compare,
            $after,
            ")",
            sought!($name, $pattern),
            " ORDER BY ",
            $id,
            " ",
            $order,
            " LIMIT ",
            $rows
        ))
    };
}

pub(crate) use {sliced, sought};
