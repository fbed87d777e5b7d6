//! The journal, read back: the pool's history, and the audit trail.

mod audit;
mod file;
mod history;

use domain::AccountKey;
use domain::event::Action;
use store::history::HistoryFilter;
use strum::IntoEnumIterator;
use utoipa_axum::router::OpenApiRouter;

use crate::Sealed;
use crate::door::doors;
use crate::error::{ApiError, Result};
use crate::extract::Query;
use crate::fields::account_in;

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new()
        .routes(doors!(history::history))
        .route("/api/admin/api-pool/allocation-history", axum::routing::get(history::history))
        .routes(doors!(audit::audit))
}

/// The filters that both have in common; of the actions, those that `shown` lets through.
fn filter_in(query: &mut Query, shown: impl Fn(&Action) -> bool) -> Result<HistoryFilter> {
    Ok(HistoryFilter {
        account: account_in(query).map(|(field, text)| AccountKey::parse(field, &text)).transpose()?,
        api_id: query.api_id("api_id")?,
        actions: actions(query, shown)?,
        operators: query.texts("operator"),
        request_id: None,
        ip: None,
        from: query.moment("from")?,
        to: query.moment("to")?,
    })
}

/// The asked ones; else all that are shown.
fn actions(query: &mut Query, shown: impl Fn(&Action) -> bool) -> Result<Vec<String>> {
    let (asked, unwanted) = (query.choices::<Action>("action")?, query.choices::<Action>("action!")?);
    if asked.iter().chain(&unwanted).any(|action| !shown(action)) {
        return Err(ApiError::field("action", "is not one of those that are shown here"));
    }
    let wanted = |action: &Action| (asked.is_empty() || asked.contains(action)) && !unwanted.contains(action);
    let all: Vec<Action> = Action::iter().collect();
    let chosen: Vec<&Action> = all.iter().filter(|action| shown(action) && wanted(action)).collect();
    if chosen.is_empty() {
        // An empty filter would mean all.
        return Err(ApiError::field("action", "leaves nothing to show"));
    }
    // All of them is no filter.
    let all = chosen.len() == all.len();
    Ok(if all { Vec::new() } else { chosen.into_iter().map(ToString::to_string).collect() })
}

/// Whether a file is asked for.
fn wants_csv(query: &mut Query) -> Result<bool> {
    match query.text("format").as_deref() {
        None | Some("json") => Ok(false),
        Some("csv") => Ok(true),
        Some(_) => Err(ApiError::field("format", "must be json or csv")),
    }
}
