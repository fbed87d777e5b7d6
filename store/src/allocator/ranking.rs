//! The best credentials of a shelf, in the order of [`domain::allocation::rank`].
//!
//! PostgreSQL, and `balanced` and `round_robin` on SQLite, walk along an index in exactly that order.
//! SQLite's other indexes leave out utilisation, which every allocation changes: they are read as far
//! as asked, and of the equals among whom that ends, those with the lowest utilisation are read in a
//! second step: of all when they are few; when they are many, of as many that stand side by side,
//! from a random place on (docs/adr/015).

use domain::{Strategy, Timestamp};

use super::set::Selector;
use super::working::{Credential, RankedRow};
use crate::db::{Reader, Sql, args, sql};
use crate::error::Result;

/// So many equals are compared at most.
const FEW: i64 = 1_024;

macro_rules! ranked_columns {
    () => {
        "c.id, c.api_id, c.api_hash, c.name, c.priority, c.max_accounts, c.current_accounts, c.recent_failures,
         c.success_score, c.health_score, c.last_allocated_at, c.last_seq"
    };
}
pub(super) use ranked_columns;

/// The first of a shelf in a strategy's order: a walk along that strategy's index.
macro_rules! walk {
    ($columns:expr, $order:literal, $tail:literal) => {
        sql!(concat!(
            "SELECT ",
            $columns,
            " FROM credentials c
              WHERE c.tenant_id = $1 AND c.shelf = $2 AND c.is_open AND c.cooldown_until <= $3
              ORDER BY c.priority DESC, ",
            $order,
            "c.utilisation, c.id LIMIT $4 ",
            $tail
        ))
    };
}

/// The ranking of a shelf: with rows locked or left out when another process holds them, or
/// (`peek`) only looked at.
macro_rules! walk_by {
    ($strategy:expr, $columns:expr, $tail:literal) => {
        match $strategy {
            Strategy::Balanced => walk!($columns, "", $tail),
            Strategy::SuccessRate => walk!($columns, "c.success_score DESC, ", $tail),
            Strategy::LeastFailures => walk!($columns, "c.recent_failures, ", $tail),
            Strategy::RoundRobin => walk!($columns, "c.last_allocated_at, ", $tail),
            Strategy::Health => walk!($columns, "c.health_score DESC, ", $tail),
        }
    };
}

pub(crate) fn ranking(strategy: Strategy) -> Sql {
    walk_by!(strategy, ranked_columns!(), "SKIP_LOCKED(c)")
}

pub(crate) fn ranking_peek(strategy: Strategy) -> Sql {
    walk_by!(strategy, ranked_columns!(), "")
}

/// The ids only, whoever holds the rows.
pub(crate) fn ranking_of_ids(strategy: Strategy) -> Sql {
    walk_by!(strategy, "c.id", "")
}

/// The two steps on SQLite.
pub(crate) struct Steps {
    /// As many as asked, in order but for utilisation.
    pub rough: Sql,
    /// How many there are, up to a limit, that equal one in priority and in what the strategy looks at.
    pub equals: Sql,
    /// The least used of all of them.
    pub of_all: Sql,
    /// The least used of [`FEW`] of them: those from some credential on, and behind the last the first.
    pub of_few: Sql,
}

macro_rules! steps {
    ($index:literal, $column:literal, $direction:literal) => {
        Steps {
            rough: sql!(concat!(
                "SELECT ",
                ranked_columns!(),
                " FROM credentials c WHERE c.tenant_id = $1 AND c.shelf = $2 AND c.ranked AND c.cooldown_until <= $3
                  ORDER BY c.priority DESC, ",
                $column,
                $direction,
                ", c.id LIMIT $4"
            )),
            equals: sql!(concat!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM credentials c INDEXED BY ",
                $index,
                " WHERE c.tenant_id = $1 AND c.shelf = $2 AND c.ranked AND c.priority = $3 AND ",
                $column,
                " = $4 LIMIT $5)"
            )),
            of_all: sql!(concat!(
                "SELECT ",
                ranked_columns!(),
                " FROM credentials c INDEXED BY ",
                $index,
                " WHERE c.tenant_id = $1 AND c.shelf = $2 AND c.ranked AND c.cooldown_until <= $3
                  AND c.priority = $5 AND ",
                $column,
                " = $6 ORDER BY c.utilisation, c.id LIMIT $4"
            )),
            of_few: sql!(concat!(
                "WITH some (id) AS MATERIALIZED (
                     SELECT r.id FROM credentials r
                     WHERE r.rowid >= (SELECT ABS(RANDOM() % (MAX(rowid) + 1)) FROM credentials) ORDER BY r.rowid LIMIT 1)
                 SELECT ",
                ranked_columns!(),
                " FROM (SELECT * FROM ",
                equals_where!($index, $column, "c.id >= some.id"),
                " UNION ALL SELECT * FROM ",
                equals_where!($index, $column, "c.id < some.id"),
                " LIMIT $7) c ORDER BY c.utilisation, c.id LIMIT $4"
            )),
        }
    };
}

macro_rules! equals_where {
    ($index:literal, $column:literal, $condition:literal) => {
        concat!(
            "(SELECT c.* FROM some CROSS JOIN credentials c INDEXED BY ",
            $index,
            " WHERE c.tenant_id = $1 AND c.shelf = $2 AND c.ranked AND c.cooldown_until <= $3
              AND c.priority = $5 AND ",
            $column,
            " = $6 AND ",
            $condition,
            " ORDER BY c.id)"
        )
    };
}

/// `None` for a strategy whose index says it all.
pub(crate) fn steps(strategy: Strategy) -> Option<Steps> {
    match strategy {
        Strategy::Balanced | Strategy::RoundRobin => None,
        Strategy::SuccessRate => Some(steps!("credentials_success_rate", "c.success_score", " DESC")),
        Strategy::LeastFailures => Some(steps!("credentials_least_failures", "c.recent_failures", "")),
        Strategy::Health => Some(steps!("credentials_health", "c.health_score", " DESC")),
    }
}

impl RankedRow {
    /// What decides before utilisation does.
    fn rank(&self, strategy: Strategy) -> (i64, i64) {
        let key = match strategy {
            Strategy::Balanced | Strategy::RoundRobin => 0,
            Strategy::SuccessRate => self.success_score,
            Strategy::LeastFailures => self.recent_failures,
            Strategy::Health => self.health_score,
        };
        (self.priority, key)
    }
}

/// The best `limit` of a shelf. `locking` locks their rows, and leaves out those that others hold.
pub(crate) async fn best(
    reader: &mut Reader<'_>,
    selector: &Selector,
    now: Timestamp,
    limit: usize,
    locking: bool,
) -> Result<Vec<Credential>> {
    let (tenant, strategy, shelf) = (&selector.tenant, selector.strategy, selector.shelf.key());
    let steps = if reader.is_postgres() { None } else { steps(strategy) };
    let Some(steps) = steps else {
        let statement = if locking { ranking(strategy) } else { ranking_peek(strategy) };
        return selector.credentials(reader.all(statement, args![tenant, shelf, now, limit]).await?);
    };
    let mut rows: Vec<RankedRow> = reader.all(steps.rough, args![tenant, &shelf, now, limit]).await?;
    let last = rows.last().filter(|_| rows.len() >= limit).map(|row| row.rank(strategy));
    if let Some((priority, key)) = last {
        rows.retain(|row| row.rank(strategy) != (priority, key));
        let equals: Vec<(i64,)> = reader.all(steps.equals, args![tenant, &shelf, priority, key, FEW + 1]).await?;
        let mut args = args![tenant, &shelf, now, limit - rows.len(), priority, key];
        let second = if equals.first().is_some_and(|(number,)| *number <= FEW) {
            steps.of_all
        } else {
            args.push(FEW.into());
            steps.of_few
        };
        rows.extend(reader.all::<RankedRow>(second, args).await?);
    }
    selector.credentials(rows)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use domain::TenantId;
    use domain::allocation::rank::Place;
    use domain::credential::Shelf;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use strum::IntoEnumIterator;
    use tempfile::TempDir;

    use super::*;
    use crate::db::Backend;
    use crate::open::{Location, PoolConfig};
    use crate::seal::MasterKey;
    use crate::{Ambient, Store};

    /// Of hundreds of each priority, most equal in everything but how full they are, some not.
    const POOL: &str = "
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
        INSERT INTO credentials (id, tenant_id, api_id, api_hash, api_hash_masked, name, max_accounts, current_accounts,
            shelf, priority, standing, success_score, recent_failures, health_score, last_allocated_at, cooldown_until,
            created_at, updated_at)
        SELECT 'C' || printf('%05d', i * 7919 % 9001), 'default', i, X'00', 'x', 'n', 10, i * 31 % 11, '0/0/',
            i / 700, CASE WHEN i % 29 = 0 THEN 'disabled' ELSE 'enabled' END,
            CASE WHEN i % 50 = 0 THEN 900000 + i % 300 ELSE 950000 END, i % 97 / 90, CASE WHEN i % 40 = 0 THEN 70 ELSE 100 END,
            CASE WHEN i % 10 = 0 THEN i % 400 ELSE 0 END, CASE WHEN i % 23 = 0 THEN 9000 ELSE 0 END, 0, 0
        FROM n";

    async fn store_with_pool(dir: &TempDir) -> Store {
        let ambient = Ambient::new(Timestamp::default, StdRng::seed_from_u64(1));
        let location = Location::Sqlite(dir.path().join("pool.db"));
        let keys = vec![MasterKey::new(1, [7; 32])];
        let store = Store::open(&location, PoolConfig::default(), keys, ambient).await.unwrap();
        let Backend::Sqlite { write, .. } = store.db() else { unreachable!() };
        sqlx::query(POOL).execute(write).await.unwrap();
        store
    }

    fn selector(strategy: Strategy) -> Selector {
        Selector { tenant: TenantId::default(), strategy, shelf: Shelf::from_key("0/0/").unwrap() }
    }

    #[tokio::test]
    async fn of_very_many_equals_the_least_used_of_some_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let store = store_with_pool(&dir).await;
        let Backend::Sqlite { write, .. } = store.db() else { unreachable!() };
        let equals = "UPDATE credentials SET standing = 'enabled', priority = 0, cooldown_until = 0, success_score = 1,
                      recent_failures = 0, health_score = 90";
        sqlx::query(equals).execute(write).await.unwrap();
        for strategy in [Strategy::SuccessRate, Strategy::LeastFailures, Strategy::Health] {
            let mut all = HashSet::new();
            for _ in 0..20 {
                let mut reader = Reader::Db(store.db());
                let best = best(&mut reader, &selector(strategy), Timestamp::default(), 256, false).await.unwrap();
                assert!(best.iter().all(|c| c.candidate.current_accounts <= 3), "{strategy}: a quarter, by use");
                let ids: HashSet<_> = best.into_iter().map(|c| c.candidate.id).collect();
                assert_eq!(ids.len(), 256, "{strategy}");
                all.extend(ids);
            }
            assert!(all.len() > 1_000, "{strategy}: each time the same {}", all.len());
        }
        store.close().await;
    }

    #[tokio::test]
    async fn two_steps_come_to_the_whole_order() {
        let dir = tempfile::tempdir().unwrap();
        let store = store_with_pool(&dir).await;
        let Backend::Sqlite { write, .. } = store.db() else { unreachable!() };
        assert_exact(&store).await;
        // What opens and closes afterwards comes and goes.
        for change in [
            "UPDATE credentials SET standing = 'banned' WHERE api_id % 7 = 0",
            "UPDATE credentials SET standing = 'enabled' WHERE api_id % 29 = 0",
            "UPDATE credentials SET current_accounts = max_accounts WHERE api_id % 11 = 0",
            "UPDATE credentials SET current_accounts = 0 WHERE api_id % 13 = 0",
            "UPDATE credentials SET deleted_at = 1 WHERE api_id % 31 = 0",
        ] {
            sqlx::query(change).execute(write).await.unwrap();
        }
        let odd = "SELECT COUNT(*) FROM credentials WHERE ranked <> is_open";
        assert_eq!(sqlx::query_scalar::<_, i64>(odd).fetch_one(write).await.unwrap(), 0);
        assert_exact(&store).await;
        store.close().await;
    }

    /// Every strategy's best are those of the whole order.
    async fn assert_exact(store: &Store) {
        let Backend::Sqlite { write, .. } = store.db() else { unreachable!() };
        let now = Timestamp::from_millis(5_000);
        for strategy in Strategy::iter() {
            let selector = selector(strategy);
            let all = "SELECT c.* FROM credentials c WHERE c.is_open AND c.cooldown_until <= 5000";
            let rows: Vec<RankedRow> = sqlx::query_as(all).fetch_all(write).await.unwrap();
            assert!(rows.len() > 3_000, "{}", rows.len());
            let place = |c: &Credential| (Place::of(&c.candidate, strategy), c.candidate.id.clone());
            let mut all: Vec<_> = selector.credentials(rows).unwrap().iter().map(place).collect();
            all.sort();
            for limit in [1, 2, 40, 256, 1_000] {
                let best = best(&mut Reader::Db(store.db()), &selector, now, limit, false).await.unwrap();
                let mut best: Vec<_> = best.iter().map(place).collect();
                best.sort();
                assert_eq!(best, all[..limit], "{strategy}, the first {limit}");
            }
        }
    }
}
