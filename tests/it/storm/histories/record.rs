//! What a client asked and was answered, and when.

use std::fmt::{Display, Formatter, Result};
use std::time::Instant;

use super::model::{Answer, Op};

/// A client, and how many of its requests may still be done: what it asks next may overtake them.
pub type Thread = (usize, usize);

#[derive(Clone, Debug)]
pub struct Record {
    pub thread: Thread,
    pub op: Op,
    pub asked: Instant,
    /// Nothing when no answer came and it may still be done.
    pub answered: Option<(Instant, Answer)>,
}

impl Record {
    /// As it was known at `end`.
    pub fn until(&self, end: Instant) -> Self {
        let answered = self.answered.clone().filter(|(at, _)| *at <= end);
        Self { answered, ..self.clone() }
    }

    /// What kind of answer it was.
    pub fn kind(&self) -> String {
        match &self.answered {
            Some((_, Answer::Given(_, via))) => format!("{via:?}"),
            Some((_, Answer::Released(_))) => "Released".to_owned(),
            Some((_, Answer::Refused(why))) => format!("{why:?}"),
            Some((_, Answer::Nothing)) | None => "Nothing".to_owned(),
        }
    }
}

/// A history in the order of its questions, to be read by people.
pub struct Story<'a>(pub &'a [Record]);

impl Display for Story<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for Record { thread: (client, life), op, asked, answered } in self.0 {
            let start = self.0[0].asked;
            let answered = answered.as_ref().map(|(at, answer)| (*at - start, answer));
            writeln!(f, "{client}.{life} at {:?}: {op:?} -> {answered:?}", *asked - start)?;
        }
        Ok(())
    }
}
