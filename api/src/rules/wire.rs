//! Whom a rule is about, and which credentials, on the wire.

use domain::GroupId;
use domain::rule::{Match, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{ApiError, Result};
use crate::fields::{ApiIdField, ApiIdText};

/// Whom a rule is about; what is absent matches everybody.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MatchBody {
    /// The account's key; `*` is any text, `?` one character.
    account: Option<String>,
    /// Who asks: `svc:<product>` or `user:<name>`, with the same wildcards.
    operator: Option<String>,
    /// The client's address, or its network: `203.0.113.0/24`.
    ip: Option<String>,
    /// One of these levels, by comma.
    level: Option<String>,
    /// The id of the group that the request asks for.
    group: Option<String>,
}

impl From<MatchBody> for Match {
    fn from(body: MatchBody) -> Self {
        Self { account: body.account, operator: body.operator, ip: body.ip, level: body.level, group: body.group }
    }
}

/// Whom a rule is about; what is absent matches everybody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MatchView {
    /// The account's key, with wildcards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account: Option<String>,
    /// Who asks, with wildcards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    operator: Option<String>,
    /// The client's address, or its network.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ip: Option<String>,
    /// One of these levels, by comma.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    level: Option<String>,
    /// The id of the group that the request asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    group: Option<String>,
}

impl From<Match> for MatchView {
    fn from(matcher: Match) -> Self {
        let Match { account, operator, ip, level, group } = matcher;
        Self { account, operator, ip, level, group }
    }
}

/// Which credentials a rule is about: one of the two.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TargetBody {
    /// The credential with this id.
    api_id: Option<ApiIdField>,
    /// All of this group.
    group_id: Option<String>,
}

impl TargetBody {
    pub(super) fn read(self) -> Result<Target> {
        match (self.api_id, self.group_id) {
            (Some(api_id), None) => Ok(Target::ApiId(api_id.0)),
            (None, Some(group)) => Ok(Target::Group(GroupId::from(group))),
            _ => Err(ApiError::field("target", "must be one of api_id and group_id")),
        }
    }
}

/// Which credentials: the one with this id, or all of this group.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TargetView {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    api_id: Option<ApiIdText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    group_id: Option<String>,
}

impl From<Target> for TargetView {
    fn from(target: Target) -> Self {
        match target {
            Target::ApiId(api_id) => Self { api_id: Some(ApiIdText(api_id)), group_id: None },
            Target::Group(group) => Self { api_id: None, group_id: Some(group.to_string()) },
        }
    }
}
