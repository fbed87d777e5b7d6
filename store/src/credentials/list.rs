//! Lists of credentials: filters, sorting, keyset pages, counts that stop at ten thousand.

use domain::{ApiId, MemberLevel, TenantId};

use super::{Credential, Row, view_columns};
use crate::db::{Arg, Sql, args, json_texts, sql};
use crate::error::Result;
use crate::slice::{beginning, inside};
use crate::{Store, Total};

/// What to sort by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumString, strum::Display, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs, reason = "the fields' own names")]
pub enum Sort {
    #[default]
    CreatedAt,
    Name,
    ApiId,
    Priority,
    HealthScore,
    CurrentAccounts,
    SuccessCount,
    FailCount,
    LastAllocatedAt,
}

/// The value that a page ended at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// Of a column of numbers.
    Int(i64),
    /// Of a column of texts.
    Text(String),
}

/// Which credentials. Empty lists filter nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of the name, or the start of the `api_id`.
    pub q: String,
    /// Statuses to show, as people see them.
    pub status: Vec<String>,
    /// Statuses to hide.
    pub not_status: Vec<String>,
    /// Group ids to show; `none` for those without.
    pub group: Vec<String>,
    /// Group ids to hide.
    pub not_group: Vec<String>,
    /// Grades to show.
    pub grade: Vec<String>,
    /// Grades to hide.
    pub not_grade: Vec<String>,
    /// Only with one of these tags.
    pub tags: Vec<String>,
    /// Only without all of these tags.
    pub not_tags: Vec<String>,
    /// Premium ones, or the others.
    pub is_premium: Option<bool>,
    /// Minimum levels to show.
    pub levels: Vec<MemberLevel>,
    /// Minimum levels to hide.
    pub not_levels: Vec<MemberLevel>,
    /// Only with one of these `api_id`s.
    pub api_ids: Vec<ApiId>,
}

/// Where a page starts and how long it is.
#[derive(Clone, Debug)]
pub struct Page {
    /// What to sort by.
    pub sort: Sort,
    /// From the highest.
    pub descending: bool,
    /// Behind this value and id.
    pub after: Option<(SortKey, String)>,
    /// The most rows.
    pub limit: usize,
}

/// From where a filter takes, with the values of [`filter_args`].
macro_rules! filtered {
    () => {
        " FROM credentials c LEFT JOIN credential_groups g ON g.id = c.group_id
          WHERE c.tenant_id = $1 AND c.deleted_at IS NULL
            AND ($2 = '' OR LOWER(c.name) LIKE $2 ESCAPE '\\' OR CAST(c.api_id AS TEXT) LIKE $3 ESCAPE '\\' OR c.id = $4)
            AND ($5 = '[]' OR CASE WHEN c.standing <> 'enabled' THEN c.standing WHEN c.current_accounts > 0
                 THEN 'in_use' ELSE 'available' END IN TEXTS($5))
            AND ($6 = '[]' OR CASE WHEN c.standing <> 'enabled' THEN c.standing WHEN c.current_accounts > 0
                 THEN 'in_use' ELSE 'available' END NOT IN TEXTS($6))
            AND ($7 = '[]' OR COALESCE(c.group_id, 'none') IN TEXTS($7))
            AND ($8 = '[]' OR COALESCE(c.group_id, 'none') NOT IN TEXTS($8))
            AND ($9 = '[]' OR CASE WHEN c.health_score >= 90 THEN 'excellent' WHEN c.health_score >= 70 THEN 'good'
                 WHEN c.health_score >= 50 THEN 'fair' WHEN c.health_score >= 30 THEN 'poor' ELSE 'critical' END
                 IN TEXTS($9))
            AND ($10 = '[]' OR CASE WHEN c.health_score >= 90 THEN 'excellent' WHEN c.health_score >= 70 THEN 'good'
                 WHEN c.health_score >= 50 THEN 'fair' WHEN c.health_score >= 30 THEN 'poor' ELSE 'critical' END
                 NOT IN TEXTS($10))
            AND ($11 = '[]' OR EXISTS (SELECT 1 FROM TEXTS(c.tags) AS tag WHERE tag.value IN TEXTS($11)))
            AND ($12 = '[]' OR NOT EXISTS (SELECT 1 FROM TEXTS(c.tags) AS tag WHERE tag.value IN TEXTS($12)))
            AND ($13 = '' OR c.is_premium = ($13 = 'true'))
            AND ($14 = '[]' OR CAST(c.min_member_level AS TEXT) IN TEXTS($14))
            AND ($15 = '[]' OR CAST(c.min_member_level AS TEXT) NOT IN TEXTS($15))
            AND ($16 = '[]' OR CAST(c.api_id AS TEXT) IN TEXTS($16))"
    };
}
pub(super) use filtered;

macro_rules! page_sql {
    ($key:literal, $compare:literal, $order:expr) => {
        sql!(concat!(
            "SELECT ",
            view_columns!(),
            filtered!(),
            " AND (",
            $key,
            ", c.id) ",
            $compare,
            " ($17, $18) ORDER BY ",
            $order,
            " LIMIT $19"
        ))
    };
    ($order:expr) => {
        sql!(concat!("SELECT ", view_columns!(), filtered!(), " ORDER BY ", $order, " LIMIT $17"))
    };
}

/// The statement for a sort, a direction, and whether it is a first page. First pages have no key
/// to compare with, so that both walk an index where the column has one.
macro_rules! pages {
    ($page:expr, $key:literal) => {
        pages!($page, $key, concat!($key, " ASC, c.id ASC"), concat!($key, " DESC, c.id DESC"))
    };
    ($page:expr, $key:literal, $rising:expr, $falling:expr) => {
        match ($page.descending, $page.after.is_some()) {
            (false, false) => page_sql!($rising),
            (true, false) => page_sql!($falling),
            (false, true) => page_sql!($key, ">", $rising),
            (true, true) => page_sql!($key, "<", $falling),
        }
    };
}

fn statement(page: &Page) -> Sql {
    match page.sort {
        Sort::CreatedAt => pages!(page, "c.id", "c.id ASC", "c.id DESC"),
        Sort::Name => pages!(page, "c.name"),
        Sort::ApiId => pages!(page, "c.api_id"),
        Sort::Priority => pages!(page, "c.priority"),
        Sort::HealthScore => pages!(page, "c.health_score"),
        Sort::CurrentAccounts => pages!(page, "c.current_accounts"),
        Sort::SuccessCount => pages!(page, "c.success_count"),
        Sort::FailCount => pages!(page, "c.fail_count"),
        Sort::LastAllocatedAt => pages!(page, "c.last_allocated_at"),
    }
}

impl Sort {
    /// Where a row stands in this order.
    pub fn key(self, credential: &Credential) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Text(credential.id.as_str().to_owned()),
            Self::Name => SortKey::Text(credential.name.clone()),
            Self::ApiId => SortKey::Int(credential.api_id.get()),
            Self::Priority => SortKey::Int(credential.priority),
            Self::HealthScore => SortKey::Int(credential.health_score),
            Self::CurrentAccounts => SortKey::Int(credential.current_accounts),
            Self::SuccessCount => SortKey::Int(credential.success_count),
            Self::FailCount => SortKey::Int(credential.fail_count),
            Self::LastAllocatedAt => SortKey::Int(credential.last_allocated_at.map_or(0, domain::Timestamp::millis)),
        }
    }

    /// Whether its keys are texts.
    pub fn is_text(self) -> bool {
        matches!(self, Self::CreatedAt | Self::Name)
    }
}

impl Store {
    /// A page of credentials.
    pub async fn credentials(&self, tenant: &TenantId, filter: &Filter, page: &Page) -> Result<Vec<Credential>> {
        let mut args = filter_args(tenant, filter);
        if let Some((key, id)) = &page.after {
            args.push(match key {
                SortKey::Int(n) => Arg::from(*n),
                SortKey::Text(t) => Arg::from(t),
            });
            args.push(Arg::from(id));
        }
        args.push(Arg::from(page.limit));
        let rows: Vec<Row> = self.db().all(statement(page), args).await?;
        rows.into_iter().map(Credential::try_from).collect()
    }

    /// How many there are.
    pub async fn count_credentials(&self, tenant: &TenantId, filter: &Filter) -> Result<Total> {
        let mut args = filter_args(tenant, filter);
        args.push(Arg::from(Total::CAP + 1));
        let statement = sql!(concat!("SELECT COUNT(*) FROM (SELECT 1 AS one", filtered!(), " LIMIT $17) AS counted"));
        let (counted,): (i64,) = self.db().one(statement, args).await?;
        Ok(Total::of(counted))
    }
}

pub(super) fn filter_args(tenant: &TenantId, filter: &Filter) -> Vec<Arg> {
    let list = |texts: &[String]| json_texts(texts.iter().map(String::as_str));
    let (inside, start) =
        if filter.q.is_empty() { <(String, String)>::default() } else { (inside(&filter.q), beginning(&filter.q)) };
    let ranks = |levels: &[MemberLevel]| list(&levels.iter().map(|l| l.rank().to_string()).collect::<Vec<_>>());
    let api_ids: Vec<String> = filter.api_ids.iter().map(ToString::to_string).collect();
    args![
        tenant,
        inside,
        start,
        &filter.q,
        list(&filter.status),
        list(&filter.not_status),
        list(&filter.group),
        list(&filter.not_group),
        list(&filter.grade),
        list(&filter.not_grade),
        list(&filter.tags),
        list(&filter.not_tags),
        filter.is_premium.map_or_else(String::new, |premium| premium.to_string()),
        ranks(&filter.levels),
        ranks(&filter.not_levels),
        list(&api_ids),
    ]
}
