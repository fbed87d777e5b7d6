//! Users: who there is, and what they are.

use domain::access::Role;
use domain::event::Action;
use domain::{Invalid, TenantId};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{Row, User, check_password, hash, select};
use crate::db::{Tx, args, sql};
use crate::error::{Result, StoreError, unique};
use crate::journal::{Entry, Origin};
use crate::slice::{sliced, sought};
use crate::{Slice, Store, Total};

/// A change of a user; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    /// Another name.
    pub username: Option<String>,
    /// Another role.
    pub role: Option<Role>,
}

/// Everything that is wrong with a new user.
pub fn check_user(username: &str, password: &SecretString) -> Result<(), Invalid> {
    let mut invalid = Invalid::default();
    check_name(&mut invalid, username);
    check_password(&mut invalid, "password", password);
    invalid.into_result()
}

impl UserPatch {
    /// Everything that is wrong with it.
    pub fn check(&self) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        if let Some(username) = &self.username {
            check_name(&mut invalid, username);
        }
        invalid.into_result()
    }
}

/// Names are read by people, in the audit trail above all: nothing in them that nobody sees, and no
/// comma, by which filters take them apart.
fn check_name(invalid: &mut Invalid, username: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-@+".contains(c);
    let length = username.chars().count();
    let rule = "must be 1 to 64 ASCII letters, digits or any of . _ - @ +";
    invalid.require((1..=64).contains(&length) && username.chars().all(plain), "username", rule);
}

macro_rules! select_of_tenant {
    ($rest:expr) => {
        select!(concat!("WHERE u.tenant_id = $1", $rest))
    };
}

impl Store {
    /// Adds a user.
    pub async fn add_user(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        username: &str,
        password: &SecretString,
        role: Role,
    ) -> Result<String> {
        check_user(username, password)?;
        let id = self.ambient().new_id();
        let hash = hash(password).await?;
        let mut tx = self.begin().await?;
        if let Some(made) = tx.claim(tenant, origin.once.as_ref(), &id, self.now()).await? {
            return Ok(made);
        }
        let inserted = tx
            .execute(
                sql!(
                    "INSERT INTO users (id, tenant_id, username, password_hash, role, created_at, updated_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $6)"
                ),
                args![&id, tenant, username, hash, role.to_string(), self.now()],
            )
            .await;
        unique(inserted, "users_username", "users.username", "username")?;
        tx.bump_revision().await?;
        let data = json!({ "user_id": id, "after": { "username": username, "role": role } });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::UserAdded).data(data)]).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Users, sought by name.
    pub async fn users(&self, tenant: &TenantId, slice: &Slice) -> Result<Vec<User>> {
        let statement = sliced!(slice, select_of_tenant, "u.id", "u.username", "$2", "$3", "$4");
        let rows: Vec<Row> =
            self.db().all(statement, args![tenant, slice.after(), slice.pattern(), slice.rows()]).await?;
        rows.into_iter().map(User::try_from).collect()
    }

    /// How many users there are, on all pages.
    pub async fn count_users(&self, tenant: &TenantId, slice: &Slice) -> Result<Total> {
        let statement = sql!(concat!("SELECT COUNT(*) FROM users WHERE tenant_id = $1", sought!("username", "$2")));
        let (counted,): (i64,) = self.db().one(statement, args![tenant, slice.pattern()]).await?;
        Ok(Total::of(counted))
    }

    /// One user.
    pub async fn user(&self, tenant: &TenantId, id: &str) -> Result<User> {
        let row: Option<Row> =
            self.db().optional(select!("WHERE u.tenant_id = $1 AND u.id = $2"), args![tenant, id]).await?;
        row.ok_or(StoreError::NotFound("user"))?.try_into()
    }

    /// Changes a user, if their version is still `expected`; within
    /// [`crate::compiled::FRESH_FOR`] everywhere. The last owner stays one.
    pub async fn update_user(
        &self,
        tenant: &TenantId,
        origin: &Origin,
        id: &str,
        patch: &UserPatch,
        expected: Option<i64>,
    ) -> Result<()> {
        patch.check()?;
        let mut tx = self.begin().await?;
        let before = tx.lock_user(tenant, id, expected).await?;
        let role = patch.role.unwrap_or(before.role);
        let username = patch.username.clone().unwrap_or_else(|| before.username.clone());
        if (&username, role) == (&before.username, before.role) {
            return tx.rollback().await;
        }
        if before.role == Role::Owner && role != Role::Owner {
            tx.keep_an_owner(tenant, id).await?;
        }
        let changed = tx
            .execute(
                sql!(
                    "UPDATE users SET username = $1, role = $2, updated_at = $3, version = version + 1
                     WHERE id = $4 AND tenant_id = $5"
                ),
                args![&username, role.to_string(), self.now(), id, tenant],
            )
            .await;
        unique(changed, "users_username", "users.username", "username")?;
        tx.bump_revision().await?;
        let after = json!({ "username": username, "role": role });
        let data = json!({ "user_id": id, "before": told(&before), "after": after });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::UserUpdated).data(data)]).await?;
        tx.commit().await
    }

    /// Removes a user and their sessions, if their version is still `expected`. Not the last owner.
    pub async fn delete_user(&self, tenant: &TenantId, origin: &Origin, id: &str, expected: Option<i64>) -> Result<()> {
        let mut tx = self.begin().await?;
        let before = tx.lock_user(tenant, id, expected).await?;
        if before.role == Role::Owner {
            tx.keep_an_owner(tenant, id).await?;
        }
        tx.execute(sql!("DELETE FROM saved_views WHERE tenant_id = $1 AND owner = $2"), args![tenant, id]).await?;
        tx.execute(sql!("DELETE FROM users WHERE id = $1 AND tenant_id = $2"), args![id, tenant]).await?;
        tx.bump_revision().await?;
        let data = json!({ "user_id": id, "before": told(&before) });
        tx.record(tenant, origin, self.now(), &[Entry::new(Action::UserRemoved).data(data)]).await?;
        tx.commit().await
    }
}

impl Tx {
    /// Locks a user, and with them all owners, in order: two who remove each other must not both
    /// succeed.
    async fn lock_user(&mut self, tenant: &TenantId, id: &str, expected: Option<i64>) -> Result<User> {
        let rows: Vec<Row> = self
            .all(
                select!("WHERE u.tenant_id = $1 AND (u.id = $2 OR u.role = 'owner') ORDER BY u.id FOR_UPDATE(u)"),
                args![tenant, id],
            )
            .await?;
        let row = rows.into_iter().find(|row| row.id == id).ok_or(StoreError::NotFound("user"))?;
        let user = User::try_from(row)?;
        if expected.is_some_and(|e| e != user.version) { Err(StoreError::Stale) } else { Ok(user) }
    }

    async fn keep_an_owner(&mut self, tenant: &TenantId, except: &str) -> Result<()> {
        let statement = sql!("SELECT COUNT(*) FROM users WHERE tenant_id = $1 AND role = 'owner' AND id <> $2");
        let (others,): (i64,) = self.one(statement, args![tenant, except]).await?;
        if others > 0 { Ok(()) } else { Err(StoreError::Conflict("this is the last owner".to_owned())) }
    }
}

fn told(user: &User) -> Value {
    json!({ "username": user.username, "role": user.role })
}
