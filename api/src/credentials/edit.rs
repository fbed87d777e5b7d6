//! List, add, read, change and remove credentials.

use std::str::FromStr;

use domain::credential::{DEFAULT_MAX_ACCOUNTS, Draft};
use domain::health::Grade;
use domain::{CredentialId, GroupId, MemberLevel, Status};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use store::credentials::{Credential, Filter, Page, Patch, Sort, SortKey};
use utoipa::{IntoParams, ToSchema};

use super::view::CredentialView;
use crate::answer::{Answer, List};
use crate::end::to_its_end;
use crate::error::{ApiError, Result, Wrong};
use crate::extract::{Cursor, Id, IfMatch, May, Query, Strict, one_of, rights};
use crate::fields::{ApiIdField, choice, needed, nullable, nullable_whole, whole};

/// Where a page ended: the sort it belongs to, the value, the id.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    s: String,
    n: Option<i64>,
    t: Option<String>,
    i: String,
}

/// The parameters of a list that say which credentials; [`filter_in`] reads them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "they are only described; lists share the grammar that reads them")]
pub(super) struct FilterParameters {
    /// Part of a name, the start of an `api_id`, or an id
    q: Option<String>,
    /// By comma
    status: Option<String>,
    /// All but these: `status!=a,b`
    #[param(rename = "status!")]
    not_status: Option<String>,
    /// Ids by comma; `none` for those without
    group_id: Option<String>,
    /// All but these
    #[param(rename = "group_id!")]
    not_group_id: Option<String>,
    /// By comma
    health_grade: Option<String>,
    /// All but these
    #[param(rename = "health_grade!")]
    not_health_grade: Option<String>,
    /// With one of these
    tags: Option<String>,
    /// With none of these
    #[param(rename = "tags!")]
    not_tags: Option<String>,
    is_premium: Option<bool>,
    /// By comma
    min_member_level: Option<String>,
    /// All but these
    #[param(rename = "min_member_level!")]
    not_min_member_level: Option<String>,
    /// By comma
    api_id: Option<String>,
}

/// Lists credentials. `sort` is a field, with `-` in front for the highest first; `status`,
/// `group_id` and `health_grade` take several values by comma, and `!=` for all but these.
#[utoipa::path(
    get, path = "/api/admin/api-pool/", tag = "credentials",
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query),
        ("sort" = Option<String>, Query, description = "created_at, name, api_id, priority, health_score, current_accounts, success_count, fail_count or last_allocated_at"),
        FilterParameters,
    ),
    responses((status = 200, description = "A page", body = Answer<List<CredentialView>>))
)]
pub async fn list(may: May<rights::ReadCredentials>, mut query: Query) -> Result<Answer<List<CredentialView>>> {
    let filter = filter_in(&mut query);
    let sort_text = query.text("sort").unwrap_or_else(|| "-created_at".to_owned());
    let (sort, descending) = query.note(parse_sort(&sort_text)).unwrap_or_default();
    let after = query.cursor::<Place>().and_then(|place| query.note(place.check(&sort_text, sort)));
    let limit = query.limit();
    query.end()?;

    let page = Page { sort, descending, after, limit: limit + 1 };
    let (store, tenant) = (&may.app.store, &may.caller.tenant);
    let rows = store.credentials(tenant, &filter, &page).await?;
    let total = store.count_credentials(tenant, &filter).await?;
    let place = |last: &Credential| Cursor::write(&Place::of(&sort_text, sort, last));
    Ok(Answer::new(List::page(rows, limit, total, place, CredentialView::from)))
}

/// The filters of a list, of an export, or of a bulk action.
pub(super) fn filter_in(query: &mut Query) -> Filter {
    let words = |list: Vec<Status>| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let grades = |list: Vec<Grade>| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    Filter {
        q: query.text("q").unwrap_or_default().trim().to_owned(),
        status: words(query.choices("status")),
        not_status: words(query.choices("status!")),
        group: query.texts("group_id"),
        not_group: query.texts("group_id!"),
        grade: grades(query.choices("health_grade")),
        not_grade: grades(query.choices("health_grade!")),
        tags: query.texts("tags"),
        not_tags: query.texts("tags!"),
        is_premium: query.optional_flag("is_premium"),
        levels: query.choices("min_member_level"),
        not_levels: query.choices("min_member_level!"),
        api_ids: query.api_ids("api_id"),
    }
}

fn parse_sort(text: &str) -> Result<(Sort, bool)> {
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let sort = Sort::from_str(name).map_err(|_| ApiError::field("sort", one_of::<Sort>()))?;
    Ok((sort, descending))
}

impl Place {
    fn of(sort_text: &str, sort: Sort, last: &Credential) -> Self {
        let (n, t) = match sort.key(last) {
            SortKey::Int(n) => (Some(n), None),
            SortKey::Text(t) => (None, Some(t)),
        };
        Self { s: sort_text.to_owned(), n, t, i: last.id.to_string() }
    }

    fn check(self, sort_text: &str, sort: Sort) -> Result<(SortKey, String)> {
        let key = if sort.is_text() { self.t.map(SortKey::Text) } else { self.n.map(SortKey::Int) };
        let key = key.filter(|_| self.s == sort_text);
        key.map(|key| (key, self.i)).ok_or_else(|| ApiError::field("cursor", "belongs to another sort"))
    }
}

/// What a person says of a new credential.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    api_id: ApiIdField,
    /// Telegram's secret; kept sealed.
    #[schema(value_type = String)]
    api_hash: SecretString,
    name: String,
    /// Slots; 5 when absent.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 100_000)]
    max_accounts: Option<i64>,
    group_id: Option<String>,
    /// Higher goes first.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    priority: Option<i64>,
    is_premium: Option<bool>,
    min_member_level: Option<String>,
    tags: Option<Vec<String>>,
    /// The phone number that registered the application; kept sealed.
    #[schema(value_type = Option<String>)]
    source_phone: Option<SecretString>,
    note: Option<String>,
}

/// Adds a credential.
#[utoipa::path(
    post, path = "/api/admin/api-pool/", tag = "credentials", request_body = NewCredential,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, description = "Added", body = Answer<CredentialView>))
)]
pub async fn add(
    may: May<rights::WriteCredentials>,
    Strict(new): Strict<NewCredential>,
) -> Result<Answer<CredentialView>> {
    let mut wrong = Wrong::default();
    let draft = Draft {
        api_id: new.api_id.0,
        api_hash: new.api_hash,
        name: new.name,
        max_accounts: new.max_accounts.unwrap_or(DEFAULT_MAX_ACCOUNTS),
        group_id: wrong.or(None, group(new.group_id)),
        priority: new.priority.unwrap_or(0),
        is_premium: new.is_premium.unwrap_or(false),
        min_member_level: wrong.or(None, level(new.min_member_level.as_deref())).unwrap_or_default(),
        tags: new.tags.unwrap_or_default(),
        source_phone: phone(new.source_phone),
        note: new.note,
    };
    wrong.note(draft.check(&may.app.config.samples));
    wrong.end()?;
    let (store, caller) = (&may.app.store, &may.caller);
    let id = store.add_credential(&caller.tenant, &caller.origin, &draft).await?;
    Ok(answer(store.credential(&caller.tenant, &id).await?))
}

/// A change: what is absent stays, what is `null` is cleared.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(clippy::option_option, reason = "absent, null and a value are three things")]
pub struct CredentialChange {
    /// Replaces the old secret; can't be cleared.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = String)]
    api_hash: Option<Option<SecretString>>,
    /// Can't be cleared.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = String)]
    name: Option<Option<String>>,
    /// Fewer than are taken lets it drain; `null` is 5.
    #[serde(default, deserialize_with = "nullable_whole")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100_000)]
    max_accounts: Option<Option<i64>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    group_id: Option<Option<String>>,
    /// `null` is 0.
    #[serde(default, deserialize_with = "nullable_whole")]
    #[schema(value_type = Option<i64>, minimum = -1_000_000, maximum = 1_000_000)]
    priority: Option<Option<i64>>,
    /// `null` is false.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<bool>)]
    is_premium: Option<Option<bool>>,
    /// `null` is `free`.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    min_member_level: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>)]
    tags: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    source_phone: Option<Option<SecretString>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    note: Option<Option<String>>,
}

/// Changes a credential.
#[utoipa::path(
    put, path = "/api/admin/api-pool/{id}", tag = "credentials", request_body = CredentialChange,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag that you have seen")),
    responses((status = 200, description = "Changed", body = Answer<CredentialView>))
)]
pub async fn update(
    may: May<rights::WriteCredentials>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Strict(change): Strict<CredentialChange>,
) -> Result<Answer<CredentialView>> {
    let level = |text: Option<String>| Ok::<_, ApiError>(level(text.as_deref())?.unwrap_or_default());
    let mut wrong = Wrong::default();
    let patch = Patch {
        api_hash: wrong.or(None, needed("api_hash", change.api_hash)),
        name: wrong.or(None, needed("name", change.name)),
        max_accounts: change.max_accounts.map(|slots| slots.unwrap_or(DEFAULT_MAX_ACCOUNTS)),
        group_id: wrong.or(None, change.group_id.map(group).transpose()),
        priority: change.priority.map(Option::unwrap_or_default),
        is_premium: change.is_premium.map(Option::unwrap_or_default),
        min_member_level: wrong.or(None, change.min_member_level.map(level).transpose()),
        tags: change.tags.map(Option::unwrap_or_default),
        source_phone: change.source_phone.map(phone),
        note: change.note,
    };
    wrong.note(patch.check());
    wrong.end()?;
    let (id, store, caller) = (CredentialId::from(id), &may.app.store, &may.caller);
    store.update_credential(&caller.tenant, &caller.origin, &id, &patch, expected).await?;
    Ok(answer(store.credential(&caller.tenant, &id).await?))
}

pub(super) fn group(id: Option<String>) -> Result<Option<GroupId>> {
    let Some(group) = id.filter(|id| !id.is_empty()).map(GroupId::from) else { return Ok(None) };
    if group.is_plausible() { Ok(Some(group)) } else { Err(ApiError::field("group_id", "is not one of the groups")) }
}

/// An empty one is none.
fn phone(given: Option<SecretString>) -> Option<SecretString> {
    given.filter(|phone| !phone.expose_secret().is_empty())
}

fn level(text: Option<&str>) -> Result<Option<MemberLevel>> {
    choice("min_member_level", text)
}

pub(super) fn answer(credential: Credential) -> Answer<CredentialView> {
    let version = credential.version;
    Answer::new(CredentialView::from(credential)).etag(version)
}

/// One credential.
#[utoipa::path(
    get, path = "/api/admin/api-pool/{id}", tag = "credentials", params(("id" = String, Path)),
    responses((status = 200, description = "The credential", body = Answer<CredentialView>))
)]
pub async fn get(may: May<rights::ReadCredentials>, Id(id): Id) -> Result<Answer<CredentialView>> {
    Ok(answer(may.app.store.credential(&may.caller.tenant, &CredentialId::from(id)).await?))
}

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Removed {
    id: String,
}

/// Removes a credential. While accounts hold it this is refused, unless `force=true` releases them
/// first.
#[utoipa::path(
    delete, path = "/api/admin/api-pool/{id}", tag = "credentials",
    params(("id" = String, Path), ("force" = Option<bool>, Query), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Removed", body = Answer<Removed>),
        (status = 409, description = "Accounts hold it"),
    )
)]
pub async fn delete(
    may: May<rights::DeleteCredentials>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    mut query: Query,
) -> Result<Answer<Removed>> {
    let force = query.flag("force");
    query.end()?;
    let (key, store, caller) = (CredentialId::from(id.as_str()), may.app.store.clone(), may.caller);
    let removing = async move { store.delete_credential(&caller.tenant, &caller.origin, &key, force, expected).await };
    to_its_end(removing).await??;
    Ok(Answer::new(Removed { id }))
}
