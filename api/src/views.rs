//! Views of tables that a person has saved for themselves: nobody else sees them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::views::{Owner, View, ViewDraft};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::Sealed;
use crate::answer::{Answer, List};
use crate::door::doors;
use crate::error::{Result, Wrong};
use crate::extract::{Caller, Cursor, Id, IfMatch, May, Query, Strict, rights};
use crate::fields::{Moment, needed, nullable};

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new().routes(doors!(list, add)).routes(doors!(get, update, delete))
}

/// A saved view.
#[derive(Debug, Serialize, ToSchema)]
pub struct ViewView {
    id: String,
    /// Which page it is of.
    page: String,
    name: String,
    /// What the page makes of it: filters, columns, order.
    #[schema(value_type = Object)]
    definition: Value,
    created_at: Moment,
    updated_at: Moment,
    version: i64,
}

impl From<View> for ViewView {
    fn from(view: View) -> Self {
        Self {
            id: view.id,
            page: view.draft.page,
            name: view.draft.name,
            definition: view.draft.definition,
            created_at: Moment(view.created_at),
            updated_at: Moment(view.updated_at),
            version: view.version,
        }
    }
}

fn owner(caller: &Caller) -> Result<Owner<'_>> {
    Ok(Owner { tenant: &caller.tenant, user_id: &caller.person()?.sub })
}

fn answer(view: View) -> Answer<ViewView> {
    let version = view.version;
    Answer::new(ViewView::from(view)).etag(version)
}

/// Lists one's views, the newest first.
#[utoipa::path(
    get, path = "/api/admin/views", tag = "views",
    params(
        ("page" = Option<String>, Query, description = "Only of this page"),
        ("q" = Option<String>, Query, description = "Part of the name"),
        ("sort" = Option<String>, Query),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, description = "A page", body = Answer<List<ViewView>>))
)]
pub async fn list(may: May<rights::Person>, mut query: Query) -> Result<Answer<List<ViewView>>> {
    let (page, slice) = (query.text("page"), query.slice());
    query.end()?;
    let (store, owner) = (&may.app.store, owner(&may.caller)?);
    let views = store.views(owner, page.as_deref(), &slice).await?;
    let total = store.count_views(owner, page.as_deref(), &slice).await?;
    Ok(Answer::new(List::page(views, slice.limit, total, |last| Cursor::write(&last.id), ViewView::from)))
}

/// A new view.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewView {
    page: String,
    /// Unique among one's views of that page.
    name: String,
    /// At most 16 kB as JSON.
    #[schema(value_type = Object)]
    definition: Value,
}

/// Saves a view.
#[utoipa::path(
    post, path = "/api/admin/views", tag = "views", request_body = NewView,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, description = "Saved", body = Answer<ViewView>))
)]
pub async fn add(may: May<rights::Person>, Strict(new): Strict<NewView>) -> Result<Answer<ViewView>> {
    let draft = ViewDraft { page: new.page, name: new.name, definition: new.definition };
    let (store, owner) = (&may.app.store, owner(&may.caller)?);
    let id = store.add_view(owner, &may.caller.origin, &draft).await?;
    Ok(answer(store.view(owner, &id).await?))
}

/// One view.
#[utoipa::path(
    get, path = "/api/admin/views/{id}", tag = "views", params(("id" = String, Path)),
    responses((status = 200, description = "The view", body = Answer<ViewView>))
)]
pub async fn get(may: May<rights::Person>, Id(id): Id) -> Result<Answer<ViewView>> {
    Ok(answer(may.app.store.view(owner(&may.caller)?, &id).await?))
}

/// A change: what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(clippy::option_option, reason = "absent, null and a value are three things")]
pub struct ViewChange {
    /// Can't be cleared.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = String)]
    page: Option<Option<String>>,
    /// Can't be cleared.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = String)]
    name: Option<Option<String>>,
    /// As a whole; `null` empties it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Object>)]
    definition: Option<Option<Value>>,
}

/// Changes a view.
#[utoipa::path(
    put, path = "/api/admin/views/{id}", tag = "views", request_body = ViewChange,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = Answer<ViewView>),
        (status = 409, description = "The name is taken"),
    )
)]
pub async fn update(
    may: May<rights::Person>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Strict(change): Strict<ViewChange>,
) -> Result<Answer<ViewView>> {
    let mut wrong = Wrong::default();
    let page = wrong.or(None, needed("page", change.page));
    let name = wrong.or(None, needed("name", change.name));
    wrong.end()?;
    let merge = |before: ViewDraft| ViewDraft {
        page: page.unwrap_or(before.page),
        name: name.unwrap_or(before.name),
        definition: change.definition.map_or(before.definition, |d| d.unwrap_or_else(|| json!({}))),
    };
    let (store, owner) = (&may.app.store, owner(&may.caller)?);
    store.update_view(owner, &may.caller.origin, &id, expected, merge).await?;
    Ok(answer(store.view(owner, &id).await?))
}

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedView {
    id: String,
}

/// Removes a view.
#[utoipa::path(
    delete, path = "/api/admin/views/{id}", tag = "views",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, description = "Removed", body = Answer<RemovedView>))
)]
pub async fn delete(may: May<rights::Person>, Id(id): Id, IfMatch(expected): IfMatch) -> Result<Answer<RemovedView>> {
    may.app.store.delete_view(owner(&may.caller)?, &may.caller.origin, &id, expected).await?;
    Ok(Answer::new(RemovedView { id }))
}
