//! Groups of credentials.

use domain::{GroupId, Strategy};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::groups::{Group, GroupDraft};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::Sealed;
use crate::answer::{Answer, List};
use crate::door::doors;
use crate::error::{ApiError, Result, Wrong};
use crate::extract::{Cursor, Id, IfMatch, May, Query, Strict, rights};
use crate::fields::{Moment, choice, needed, nullable};

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new().routes(doors!(list, add)).routes(doors!(get, update, delete))
}

/// A group.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupView {
    id: String,
    name: String,
    description: Option<String>,
    color: Option<String>,
    /// Its own strategy; `null` takes the tenant's.
    #[schema(value_type = Option<String>)]
    strategy: Option<Strategy>,
    #[schema(value_type = Object)]
    attributes: Value,
    /// How many credentials it has.
    credentials: i64,
    created_at: Moment,
    updated_at: Moment,
    version: i64,
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        let draft = group.draft;
        Self {
            id: group.id.to_string(),
            name: draft.name,
            description: draft.description,
            color: draft.color,
            strategy: draft.strategy,
            attributes: draft.attributes,
            credentials: group.credentials,
            created_at: Moment(group.created_at),
            updated_at: Moment(group.updated_at),
            version: group.version,
        }
    }
}

/// Lists groups, the newest first.
#[utoipa::path(
    get, path = "/api/admin/api-pool/groups", tag = "groups",
    params(
        ("q" = Option<String>, Query, description = "Part of the name"),
        ("sort" = Option<String>, Query),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, description = "A page", body = Answer<List<GroupView>>))
)]
pub async fn list(may: May<rights::ReadCredentials>, mut query: Query) -> Result<Answer<List<GroupView>>> {
    let slice = query.slice();
    query.end()?;
    let (store, tenant) = (&may.app.store, &may.caller.tenant);
    let groups = store.groups(tenant, &slice).await?;
    let total = store.count_groups(tenant, &slice).await?;
    Ok(Answer::new(List::page(groups, slice.limit, total, |last| Cursor::write(&last.id), GroupView::from)))
}

/// A new group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// Unique in the tenant.
    name: String,
    description: Option<String>,
    /// `#rrggbb`
    color: Option<String>,
    strategy: Option<String>,
    #[schema(value_type = Option<Object>)]
    attributes: Option<Value>,
}

/// Adds a group.
#[utoipa::path(
    post, path = "/api/admin/api-pool/groups", tag = "groups", request_body = NewGroup,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, description = "Added", body = Answer<GroupView>))
)]
pub async fn add(may: May<rights::WriteCredentials>, Strict(new): Strict<NewGroup>) -> Result<Answer<GroupView>> {
    let mut wrong = Wrong::default();
    let draft = GroupDraft {
        name: new.name,
        description: new.description,
        color: new.color,
        strategy: wrong.or(None, choice("strategy", new.strategy.as_deref())),
        attributes: new.attributes.unwrap_or_else(|| json!({})),
    };
    wrong.note(draft.check());
    wrong.end()?;
    let (store, caller) = (&may.app.store, &may.caller);
    let id = store.add_group(&caller.tenant, &caller.origin, &draft).await?;
    Ok(answer(store.group(&caller.tenant, &id).await?))
}

fn answer(group: Group) -> Answer<GroupView> {
    let version = group.version;
    Answer::new(GroupView::from(group)).etag(version)
}

/// One group.
#[utoipa::path(
    get, path = "/api/admin/api-pool/groups/{id}", tag = "groups", params(("id" = String, Path)),
    responses((status = 200, description = "The group", body = Answer<GroupView>))
)]
pub async fn get(may: May<rights::ReadCredentials>, Id(id): Id) -> Result<Answer<GroupView>> {
    Ok(answer(may.app.store.group(&may.caller.tenant, &GroupId::from(id)).await?))
}

/// A change: what is absent stays, what is `null` is cleared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(clippy::option_option, reason = "absent, null and a value are three things")]
pub struct GroupChange {
    /// Can't be cleared.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = String)]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    color: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    strategy: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Object>)]
    attributes: Option<Option<Value>>,
}

/// Changes a group.
#[utoipa::path(
    put, path = "/api/admin/api-pool/groups/{id}", tag = "groups", request_body = GroupChange,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = Answer<GroupView>),
        (status = 409, description = "The name is taken"),
    )
)]
pub async fn update(
    may: May<rights::WriteCredentials>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Strict(change): Strict<GroupChange>,
) -> Result<Answer<GroupView>> {
    let (id, store, caller) = (GroupId::from(id), &may.app.store, &may.caller);
    let mut wrong = Wrong::default();
    let name = wrong.or(None, needed("name", change.name));
    let strategy = wrong.or(None, change.strategy.map(|text| choice("strategy", text.as_deref())).transpose());
    wrong.end()?;
    let merge = |before: GroupDraft| GroupDraft {
        name: name.unwrap_or(before.name),
        description: change.description.unwrap_or(before.description),
        color: change.color.unwrap_or(before.color),
        strategy: strategy.unwrap_or(before.strategy),
        attributes: change.attributes.map_or(before.attributes, |a| a.unwrap_or_else(|| json!({}))),
    };
    store.update_group(&caller.tenant, &caller.origin, &id, expected, merge).await?;
    Ok(answer(store.group(&caller.tenant, &id).await?))
}

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedGroup {
    id: String,
}

/// Removes a group; its credentials move to none.
#[utoipa::path(
    delete, path = "/api/admin/api-pool/groups/{id}", tag = "groups",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Removed", body = Answer<RemovedGroup>),
        (status = 409, description = "Rules are about the group"),
    )
)]
pub async fn delete(
    may: May<rights::DeleteCredentials>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
) -> Result<Answer<RemovedGroup>> {
    let (store, tenant, origin) = (may.app.store.clone(), may.caller.tenant.clone(), may.caller.origin.clone());
    let group = GroupId::from(id.as_str());
    // A task of its own: when the client hangs up, it still comes to its end.
    let removing = tokio::spawn(async move { store.delete_group(&tenant, &origin, &group, expected).await });
    removing.await.map_err(|e| ApiError::internal(&e))??;
    Ok(Answer::new(RemovedGroup { id }))
}
