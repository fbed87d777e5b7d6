//! Views of tables that people have saved for themselves.

use domain::Invalid;
use domain::TenantId;
use domain::Timestamp;
use domain::event::Action;
use domain::invalid::{SHORT_TEXT, check_text};
use serde_json::{Value, json};
use sqlx::FromRow;

use crate::db::{args, sql};
use crate::error::{Result, StoreError, unique};
use crate::journal::{Entry, Origin};
use crate::slice::{sliced, sought};
use crate::{Slice, Store, Total};

/// The longest definition, as JSON text, in bytes.
const DEFINITION_BYTES: usize = 16_384;

/// What a person says of a view.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewDraft {
    /// Which page it is of.
    pub page: String,
    /// Unique among the person's views of that page.
    pub name: String,
    /// What the page makes of it: filters, columns, order. A JSON object.
    pub definition: Value,
}

impl ViewDraft {
    /// Everything that is wrong with it.
    pub fn check(&self) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        for (field, text) in [("page", &self.page), ("name", &self.name)] {
            invalid.require(!text.trim().is_empty(), field, "is required");
            check_text(&mut invalid, field, text, SHORT_TEXT);
        }
        let text = self.definition.to_string();
        invalid.require(self.definition.is_object(), "definition", "must be an object");
        invalid.require(text.len() <= DEFINITION_BYTES, "definition", "must be at most 16 kB");
        invalid.require(!text.contains("\\u0000"), "definition", "must not contain NUL");
        invalid.into_result()
    }
}

/// A saved view.
#[derive(Clone, Debug)]
pub struct View {
    /// Its id.
    pub id: String,
    /// What it says.
    pub draft: ViewDraft,
    /// When it was saved first.
    pub created_at: Timestamp,
    /// When it was saved last.
    pub updated_at: Timestamp,
    /// Moves with every save.
    pub version: i64,
}

#[derive(FromRow)]
struct Row {
    id: String,
    page: String,
    name: String,
    definition: String,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

impl From<Row> for View {
    fn from(row: Row) -> Self {
        let definition = serde_json::from_str(&row.definition).unwrap_or_default();
        Self {
            id: row.id,
            draft: ViewDraft { page: row.page, name: row.name, definition },
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            version: row.version,
        }
    }
}

macro_rules! select {
    ($rest:expr) => {
        sql!(concat!(
            "SELECT v.id, v.page, v.name, v.definition, v.created_at, v.updated_at, v.version
             FROM saved_views v WHERE v.tenant_id = $1 AND v.owner = $2 ",
            $rest
        ))
    };
}

macro_rules! select_of_page {
    ($rest:expr) => {
        select!(concat!("AND ($3 = '' OR v.page = $3)", $rest))
    };
}

/// Whose views: a person of a tenant.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Their tenant.
    pub tenant: &'a TenantId,
    /// Their id.
    pub user_id: &'a str,
}

impl Store {
    /// A person's views, sought by name; of one page, or of all.
    pub async fn views(&self, owner: Owner<'_>, page: Option<&str>, slice: &Slice) -> Result<Vec<View>> {
        let statement = sliced!(slice, select_of_page, "v.id", "v.name", "$4", "$5", "$6");
        let page = page.unwrap_or_default();
        let args = args![owner.tenant, owner.user_id, page, slice.after(), slice.pattern(), slice.rows()];
        let rows: Vec<Row> = self.db().all(statement, args).await?;
        Ok(rows.into_iter().map(View::from).collect())
    }

    /// How many of them there are, on all pages.
    pub async fn count_views(&self, owner: Owner<'_>, page: Option<&str>, slice: &Slice) -> Result<Total> {
        let statement = sql!(concat!(
            "SELECT COUNT(*) FROM saved_views WHERE tenant_id = $1 AND owner = $2 AND ($3 = '' OR page = $3)",
            sought!("name", "$4")
        ));
        let args = args![owner.tenant, owner.user_id, page.unwrap_or_default(), slice.pattern()];
        let (counted,): (i64,) = self.db().one(statement, args).await?;
        Ok(Total::of(counted))
    }

    /// One view.
    pub async fn view(&self, owner: Owner<'_>, id: &str) -> Result<View> {
        let row: Option<Row> =
            self.db().optional(select!("AND v.id = $3"), args![owner.tenant, owner.user_id, id]).await?;
        row.map(View::from).ok_or(StoreError::NotFound("view"))
    }

    /// Saves a new view; its id.
    pub async fn add_view(&self, owner: Owner<'_>, origin: &Origin, draft: &ViewDraft) -> Result<String> {
        draft.check()?;
        let id = self.ambient().new_id();
        let mut tx = self.begin().await?;
        if let Some(made) = tx.claim(owner.tenant, origin.once.as_ref(), &id, self.now()).await? {
            return Ok(made);
        }
        let inserted = tx
            .execute(
                sql!(
                    "INSERT INTO saved_views (id, tenant_id, owner, page, name, definition, created_at, updated_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $7)"
                ),
                args![
                    &id,
                    owner.tenant,
                    owner.user_id,
                    &draft.page,
                    &draft.name,
                    draft.definition.to_string(),
                    self.now()
                ],
            )
            .await;
        unique(inserted, "saved_views_name", "saved_views.name", "name")?;
        let data = json!({ "view_id": id, "after": told(draft) });
        tx.record(owner.tenant, origin, self.now(), &[Entry::new(Action::ViewSaved).data(data)]).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Changes a view, if its version is still `expected`, to what `merge` makes of it.
    pub async fn update_view(
        &self,
        owner: Owner<'_>,
        origin: &Origin,
        id: &str,
        expected: Option<i64>,
        merge: impl FnOnce(ViewDraft) -> ViewDraft,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        let before = tx.lock_view(owner, id, expected).await?.draft;
        let draft = merge(before.clone());
        draft.check()?;
        if draft == before {
            return tx.rollback().await;
        }
        let changed = tx
            .execute(
                sql!(
                    "UPDATE saved_views SET page = $1, name = $2, definition = $3, updated_at = $4, version = version + 1
                     WHERE id = $5 AND tenant_id = $6"
                ),
                args![&draft.page, &draft.name, draft.definition.to_string(), self.now(), id, owner.tenant],
            )
            .await;
        unique(changed, "saved_views_name", "saved_views.name", "name")?;
        let data = json!({ "view_id": id, "before": told(&before), "after": told(&draft) });
        tx.record(owner.tenant, origin, self.now(), &[Entry::new(Action::ViewSaved).data(data)]).await?;
        tx.commit().await
    }

    /// Removes a view, if its version is still `expected`.
    pub async fn delete_view(&self, owner: Owner<'_>, origin: &Origin, id: &str, expected: Option<i64>) -> Result<()> {
        let mut tx = self.begin().await?;
        let before = tx.lock_view(owner, id, expected).await?.draft;
        let statement = sql!("DELETE FROM saved_views WHERE id = $1 AND tenant_id = $2");
        tx.execute(statement, args![id, owner.tenant]).await?;
        let data = json!({ "view_id": id, "before": told(&before) });
        tx.record(owner.tenant, origin, self.now(), &[Entry::new(Action::ViewRemoved).data(data)]).await?;
        tx.commit().await
    }
}

impl crate::db::Tx {
    async fn lock_view(&mut self, owner: Owner<'_>, id: &str, expected: Option<i64>) -> Result<View> {
        let args = args![owner.tenant, owner.user_id, id];
        let row: Option<Row> = self.optional(select!("AND v.id = $3 FOR_UPDATE(v)"), args).await?;
        let view = row.map(View::from).ok_or(StoreError::NotFound("view"))?;
        if expected.is_some_and(|e| e != view.version) { Err(StoreError::Stale) } else { Ok(view) }
    }
}

fn told(draft: &ViewDraft) -> Value {
    json!({ "page": draft.page, "name": draft.name, "definition": draft.definition })
}
