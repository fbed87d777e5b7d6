//! Who may do what: roles of people, scopes of services, and one table of permissions.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

/// What a person is in a tenant.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// May do everything, and can't be locked out of it.
    Owner,
    /// Runs the pool, its secrets and its service tokens; not the people.
    Admin,
    /// Runs the pool day by day; sees no secret.
    Operator,
    /// Reads everything, changes nothing.
    Auditor,
}

/// One thing that may be permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, strum::Display, strum::EnumIter)]
#[allow(missing_docs, reason = "the wire's text stands beside each")]
pub enum Permission {
    #[serde(rename = "pool:allocate")]
    #[strum(serialize = "pool:allocate")]
    Allocate,
    #[serde(rename = "pool:release")]
    #[strum(serialize = "pool:release")]
    Release,
    #[serde(rename = "pool:account")]
    #[strum(serialize = "pool:account")]
    ReadAccount,
    #[serde(rename = "pool:report")]
    #[strum(serialize = "pool:report")]
    Report,
    /// The `member_level` of a request is believed.
    #[serde(rename = "pool:set_level")]
    #[strum(serialize = "pool:set_level")]
    SetLevel,
    #[serde(rename = "credentials:read")]
    #[strum(serialize = "credentials:read")]
    ReadCredentials,
    #[serde(rename = "credentials:write")]
    #[strum(serialize = "credentials:write")]
    WriteCredentials,
    #[serde(rename = "credentials:delete")]
    #[strum(serialize = "credentials:delete")]
    DeleteCredentials,
    /// The audited look at a plain `api_hash`, and exports that hold it.
    #[serde(rename = "credentials:reveal")]
    #[strum(serialize = "credentials:reveal")]
    Reveal,
    #[serde(rename = "audit:read")]
    #[strum(serialize = "audit:read")]
    ReadAudit,
    #[serde(rename = "rules:write")]
    #[strum(serialize = "rules:write")]
    WriteRules,
    #[serde(rename = "settings:read")]
    #[strum(serialize = "settings:read")]
    ReadSettings,
    #[serde(rename = "settings:write")]
    #[strum(serialize = "settings:write")]
    WriteSettings,
    #[serde(rename = "tokens:read")]
    #[strum(serialize = "tokens:read")]
    ReadTokens,
    #[serde(rename = "tokens:manage")]
    #[strum(serialize = "tokens:manage")]
    ManageTokens,
    #[serde(rename = "users:read")]
    #[strum(serialize = "users:read")]
    ReadUsers,
    #[serde(rename = "users:manage")]
    #[strum(serialize = "users:manage")]
    ManageUsers,
}

impl Role {
    /// The table of permissions × roles.
    pub fn permits(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Owner => true,
            Self::Admin => permission != P::ManageUsers,
            Self::Operator => matches!(
                permission,
                P::Allocate
                    | P::Release
                    | P::ReadAccount
                    | P::Report
                    | P::SetLevel
                    | P::ReadCredentials
                    | P::WriteCredentials
                    | P::ReadSettings
            ),
            Self::Auditor => matches!(
                permission,
                P::ReadAccount | P::ReadCredentials | P::ReadAudit | P::ReadSettings | P::ReadTokens | P::ReadUsers
            ),
        }
    }

    /// All that this role permits.
    pub fn permissions(self) -> BTreeSet<Permission> {
        Permission::iter().filter(|p| self.permits(*p)).collect()
    }
}

/// What a service token is good for.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
)]
#[allow(missing_docs, reason = "the wire's text stands beside each")]
pub enum Scope {
    #[serde(rename = "credpool:allocate")]
    #[strum(serialize = "credpool:allocate")]
    Allocate,
    #[serde(rename = "credpool:release")]
    #[strum(serialize = "credpool:release")]
    Release,
    #[serde(rename = "credpool:account")]
    #[strum(serialize = "credpool:account")]
    Account,
    #[serde(rename = "credpool:report")]
    #[strum(serialize = "credpool:report")]
    Report,
    #[serde(rename = "credpool:*")]
    #[strum(serialize = "credpool:*")]
    All,
}

impl Scope {
    /// Whether this scope alone permits it. Services never reach past the hot path.
    pub fn permits(self, permission: Permission) -> bool {
        match permission {
            Permission::Allocate => matches!(self, Self::Allocate | Self::All),
            Permission::Release => matches!(self, Self::Release | Self::All),
            Permission::ReadAccount => matches!(self, Self::Account | Self::All),
            Permission::Report => matches!(self, Self::Report | Self::All),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_with_owner_and_admin() {
        for role in Role::iter() {
            let sees = role.permits(Permission::Reveal);
            assert_eq!(sees, matches!(role, Role::Owner | Role::Admin), "{role}");
        }
    }

    #[test]
    fn services_never_reach_administration() {
        for scope in Scope::iter() {
            for permission in Permission::iter() {
                let hot_path = permission.to_string().starts_with("pool:") && permission != Permission::SetLevel;
                assert!(hot_path || !scope.permits(permission), "{scope} {permission}");
            }
        }
    }
}
