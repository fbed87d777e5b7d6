//! Groups of credentials.

mod removal;

use std::str::FromStr;

use domain::event::Action;
use domain::invalid::{LONG_TEXT, SHORT_TEXT, check_text};
use domain::{GroupId, Invalid, Strategy, TenantId, Timestamp};
use serde_json::{Value, json};
use sqlx::FromRow;

use crate::db::{Tx, args, sql};
use crate::error::{Result, StoreError, unique};
use crate::journal::{Entry, Origin};
use crate::slice::{sliced, sought};
use crate::{Slice, Store, Total};

/// The longest attributes of a group, as JSON text, in bytes.
const ATTRIBUTES_BYTES: usize = 16_384;

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// What people say of it.
    pub draft: GroupDraft,
    /// Its credentials.
    pub credentials: i64,
    /// When it was added.
    pub created_at: Timestamp,
    /// When a person last edited it.
    pub updated_at: Timestamp,
    /// Moves with people's edits.
    pub version: i64,
}

/// What a person says of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupDraft {
    /// Its name, unique in the tenant.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// `#rrggbb`.
    pub color: Option<String>,
    /// Its own strategy.
    pub strategy: Option<Strategy>,
    /// Free attributes, a JSON object.
    pub attributes: Value,
}

impl GroupDraft {
    /// Everything that is wrong with it.
    pub fn check(&self) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        invalid.require(!self.name.trim().is_empty(), "name", "is required");
        check_text(&mut invalid, "name", &self.name, SHORT_TEXT);
        if let Some(description) = &self.description {
            check_text(&mut invalid, "description", description, LONG_TEXT);
        }
        if let Some(color) = &self.color {
            let hex = color.strip_prefix('#').is_some_and(|c| c.len() == 6 && c.bytes().all(|b| b.is_ascii_hexdigit()));
            invalid.require(hex, "color", "must be like #0072b2");
        }
        let text = self.attributes.to_string();
        invalid.require(self.attributes.is_object(), "attributes", "must be an object");
        invalid.require(text.len() <= ATTRIBUTES_BYTES, "attributes", "must be at most 16 kB");
        invalid.require(!text.contains("\\u0000"), "attributes", "must not contain NUL");
        invalid.into_result()
    }

    /// For the journal.
    fn told(&self) -> Value {
        json!({
            "name": self.name, "description": self.description, "color": self.color, "strategy": self.strategy,
            "attributes": self.attributes,
        })
    }
}

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    description: Option<String>,
    color: Option<String>,
    strategy: Option<String>,
    attributes: String,
    credentials: i64,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

impl From<Row> for Group {
    fn from(row: Row) -> Self {
        Self {
            id: GroupId::from(row.id),
            draft: GroupDraft {
                name: row.name,
                description: row.description,
                color: row.color,
                strategy: row.strategy.and_then(|s| Strategy::from_str(&s).ok()),
                attributes: serde_json::from_str(&row.attributes).unwrap_or_default(),
            },
            credentials: row.credentials,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            version: row.version,
        }
    }
}

macro_rules! select {
    ($rest:expr) => {
        sql!(concat!(
            "SELECT g.id, g.name, g.description, g.color, g.strategy, g.attributes, g.created_at, g.updated_at, g.version,
                 (SELECT COUNT(*) FROM credentials c
                  WHERE c.tenant_id = g.tenant_id AND c.group_id = g.id AND c.deleted_at IS NULL) AS credentials
             FROM credential_groups g WHERE g.tenant_id = $1 ",
            $rest
        ))
    };
}

impl Store {
    /// Groups, sought by name.
    pub async fn groups(&self, tenant: &TenantId, slice: &Slice) -> Result<Vec<Group>> {
        let statement = sliced!(slice, select, "g.id", "g.name", "$2", "$3", "$4");
        let rows: Vec<Row> =
            self.db().all(statement, args![tenant, slice.after(), slice.pattern(), slice.rows()]).await?;
        Ok(rows.into_iter().map(Group::from).collect())
    }

    /// How many groups there are, on all pages.
    pub async fn count_groups(&self, tenant: &TenantId, slice: &Slice) -> Result<Total> {
        let statement =
            sql!(concat!("SELECT COUNT(*) FROM credential_groups WHERE tenant_id = $1", sought!("name", "$2")));
        let (counted,): (i64,) = self.db().one(statement, args![tenant, slice.pattern()]).await?;
        Ok(Total::of(counted))
    }

    /// One group.
    pub async fn group(&self, tenant: &TenantId, id: &GroupId) -> Result<Group> {
        let row: Option<Row> = self.db().optional(select!("AND g.id = $2"), args![tenant, id]).await?;
        row.map(Group::from).ok_or(StoreError::NotFound("group"))
    }

    /// Adds a group.
    pub async fn add_group(&self, tenant: &TenantId, origin: &Origin, draft: &GroupDraft) -> Result<GroupId> {
        let id = GroupId::from(self.ambient().new_id());
        let mut tx = self.begin().await?;
        if let Some(made) = tx.claim(tenant, origin.once.as_ref(), id.as_str(), self.now()).await? {
            return Ok(GroupId::from(made));
        }
        let inserted = tx
            .execute(
                sql!(
                    "INSERT INTO credential_groups (id, tenant_id, name, description, color, strategy, attributes,
                         created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)"
                ),
                args![
                    &id,
                    tenant,
                    &draft.name,
                    draft.description.clone(),
                    draft.color.clone(),
                    draft.strategy.map(|s| s.to_string()),
                    draft.attributes.to_string(),
                    self.now()
                ],
            )
            .await;
        unique(inserted, "credential_groups_name", "credential_groups.name", "name")?;
        tx.bump_revision().await?;
        let entry = Entry::new(Action::GroupAdded).data(json!({ "group_id": id, "after": draft.told() }));
        tx.record(tenant, origin, self.now(), &[entry]).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Changes a group, if its version is still `expected`, to what `merge` makes of it: it is called
    /// with the group as it is behind the lock, so that nobody's edit in between is lost.
    pub async fn update_group(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        id: &GroupId,
        expected: Option<i64>,
        merge: impl FnOnce(GroupDraft) -> GroupDraft,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.lock_group(tenant, id, expected).await?;
        let row: Option<Row> = tx.optional(select!("AND g.id = $2"), args![tenant, id]).await?;
        let before = row.map(Group::from).ok_or(StoreError::NotFound("group"))?.draft;
        let draft = merge(before.clone());
        draft.check()?;
        if draft == before {
            return tx.rollback().await;
        }
        let changed = tx
            .execute(
                sql!(
                    "UPDATE credential_groups SET name = $1, description = $2, color = $3, strategy = $4,
                         attributes = $5, updated_at = $6, version = version + 1
                     WHERE id = $7 AND tenant_id = $8"
                ),
                args![
                    &draft.name,
                    draft.description.clone(),
                    draft.color.clone(),
                    draft.strategy.map(|s| s.to_string()),
                    draft.attributes.to_string(),
                    self.now(),
                    id,
                    tenant
                ],
            )
            .await;
        unique(changed, "credential_groups_name", "credential_groups.name", "name")?;
        tx.bump_revision().await?;
        let data = json!({ "group_id": id, "before": before.told(), "after": draft.told() });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::GroupUpdated).data(data)]).await?;
        tx.commit().await
    }
}

impl Tx {
    /// Locks a group; refuses when it has moved on from `expected`. Its name.
    async fn lock_group(&mut self, tenant: &TenantId, id: &GroupId, expected: Option<i64>) -> Result<String> {
        let row: Option<(String, i64)> = self
            .optional(
                sql!("SELECT g.name, g.version FROM credential_groups g WHERE g.id = $1 AND g.tenant_id = $2 FOR_UPDATE(g)"),
                args![id, tenant],
            )
            .await?;
        let (name, version) = row.ok_or(StoreError::NotFound("group"))?;
        if expected.is_some_and(|e| e != version) { Err(StoreError::Stale) } else { Ok(name) }
    }
}
