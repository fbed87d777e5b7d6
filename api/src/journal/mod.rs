//! The journal, read back: the pool's history, and the audit trail.

mod audit;
mod file;
mod history;

use domain::event::Action;
use store::history::HistoryFilter;
use strum::IntoEnumIterator;
use utoipa_axum::router::OpenApiRouter;

use crate::Sealed;
use crate::door::doors;
use crate::error::ApiError;
use crate::extract::Query;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .routes(doors!(history::history))
        .route("/api/admin/api-pool/allocation-history", axum::routing::get(history::history))
        .routes(doors!(audit::audit))
}

/// The order of the journal's lists; there is one.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::Display, strum::EnumIter)]
pub(crate) enum JournalSort {
    #[strum(serialize = "-created_at")]
    NewestFirst,
}

/// What a request wants of the journal.
struct Wish {
    filter: HistoryFilter,
    limit: usize,
    before: Option<i64>,
    /// As a file.
    csv: bool,
}

/// The parameters that both have in common; of the actions, those that `shown` lets through.
fn wish_in(query: &mut Query, shown: impl Fn(&Action) -> bool) -> Wish {
    let (account, api_id) = query.account_or_api_id();
    query.choice::<JournalSort>("sort");
    let filter = HistoryFilter {
        account,
        api_id,
        actions: actions(query, shown),
        operators: query.texts("operator"),
        not_operators: query.texts("operator!"),
        request_id: None,
        ip: None,
        from: query.from(),
        to: query.to(),
    };
    let csv = match query.text("format").as_deref() {
        None | Some("json") => Ok(false),
        Some("csv") => Ok(true),
        Some(_) => Err(ApiError::field("format", "must be json or csv")),
    };
    let csv = query.note(csv).unwrap_or_default();
    Wish { filter, limit: query.limit(), before: query.cursor(), csv }
}

/// The asked ones; else all that are shown.
fn actions(query: &mut Query, shown: impl Fn(&Action) -> bool) -> Vec<String> {
    let (asked, unwanted) = (query.choices::<Action>("action"), query.choices::<Action>("action!"));
    if asked.iter().chain(&unwanted).any(|action| !shown(action)) {
        query.refuse("action", "is not one of those that are shown here");
    }
    let wanted = |action: &Action| (asked.is_empty() || asked.contains(action)) && !unwanted.contains(action);
    let all: Vec<Action> = Action::iter().collect();
    let chosen: Vec<&Action> = all.iter().filter(|action| shown(action) && wanted(action)).collect();
    if chosen.is_empty() {
        // An empty filter would mean all.
        query.refuse("action", "leaves nothing to show");
    }
    // All of them is no filter.
    let all = chosen.len() == all.len();
    if all { Vec::new() } else { chosen.into_iter().map(ToString::to_string).collect() }
}
