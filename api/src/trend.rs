//! The pool over time, and when it will be full.

use std::collections::HashMap;

use domain::Timestamp;
use domain::runway::Runway;
use domain::trend::{Layout, MAX_HOURS};
use serde::Serialize;
use store::trend::Figures;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::answer::Answer;
use crate::door::doors;
use crate::error::Result;
use crate::extract::{May, Query, rights};
use crate::fields::Moment;
use crate::{Sealed, context};

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new().routes(doors!(trend))
}

/// The pool over time.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrendView {
    /// Hours that the points cover.
    hours: i64,
    /// Seconds from one point to the next: 300, 900, 3600, 21600 or 86400.
    step_seconds: i64,
    /// Every step, the oldest first; the last is the one under way.
    points: Vec<TrendPoint>,
    before: TrendBefore,
    runway: RunwayView,
    /// When all that had happened was last counted; `null` before the first time.
    measured_at: Option<Moment>,
}

/// What happened in one step.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrendPoint {
    /// When the step begins.
    at: Moment,
    /// New allocations.
    allocated: i64,
    /// Allocations that ended, whatever ended them.
    released: i64,
    /// Successes that were noted.
    successes: i64,
    /// Failures that were noted; what is nobody's fault is none.
    failures: i64,
    /// Successes of successes and failures, 0 to 1; `null` without any.
    success_rate: Option<f64>,
    /// Slots of enabled credentials, as last seen in this step; `null` when nobody looked.
    slots: Option<i64>,
    /// How many of them were taken.
    used: Option<i64>,
}

/// What happened in the period just before the points, which is as long as what has passed since they
/// began.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrendBefore {
    allocated: i64,
    released: i64,
    successes: i64,
    failures: i64,
    /// Successes of successes and failures, 0 to 1; `null` without any.
    success_rate: Option<f64>,
    /// Slots that were taken at its end; `null` when nobody looked.
    used: Option<i64>,
}

/// How long the pool lasts if it goes on filling as it did.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunwayView {
    /// Slots that are taken more each day, over the last seven days; less than zero when the pool
    /// empties, `null` when there are too few samples to tell.
    slots_per_day: Option<f64>,
    /// Days until no slot is free; `null` when the pool does not fill, 0 when none is free.
    full_in_days: Option<f64>,
    /// Slots of enabled credentials that are free.
    free: i64,
}

/// The pool over the last hours: what was allocated, released and reported, the slots, and for how
/// long they will last. Steps are aligned to the clock in UTC, and as small as makes 200 points at
/// most. The figures are brought up to date every minute; they go back as far as results are kept.
#[utoipa::path(
    get, path = "/api/admin/api-pool/trend", tag = "pool",
    params(("hours" = Option<i64>, Query, minimum = 1, maximum = 2160, description = "24 when absent")),
    responses((status = 200, description = "The trend", body = Answer<TrendView>))
)]
pub async fn trend(may: May<rights::ReadCredentials>, mut query: Query) -> Result<Answer<TrendView>> {
    let hours = query.number("hours", 1, MAX_HOURS).unwrap_or(24);
    query.end()?;
    let (store, tenant, now) = (&may.app.store, &may.caller.tenant, context::now());
    let layout = Layout::of(hours, now);
    let kept: HashMap<i64, Figures> =
        store.trend(tenant, &layout).await?.into_iter().map(|figures| (figures.at, figures)).collect();
    let of = |at: Timestamp| kept.get(&at.millis()).copied().unwrap_or_default();
    let (samples, slots) = store.samples(tenant, now).await?;
    let (slots, used) = if let Some((slots, last)) = slots.zip(samples.last()) {
        (slots, last.used)
    } else {
        // Nobody has looked yet.
        let totals = store.totals(tenant).await?;
        (totals.slots, totals.used)
    };
    Ok(Answer::new(TrendView {
        hours,
        step_seconds: layout.step / domain::time::SECOND,
        points: layout.moments().map(|at| TrendPoint::of(at, of(at))).collect(),
        before: TrendBefore::from(of(layout.before)),
        runway: RunwayView::from(Runway::of(&samples, slots, used, now)),
        measured_at: store.measured_at().await?.map(Moment),
    }))
}

fn success_rate(figures: &Figures) -> Option<f64> {
    let told = figures.successes + figures.failures;
    (told > 0).then(|| figures.successes as f64 / told as f64)
}

impl TrendPoint {
    fn of(at: Timestamp, figures: Figures) -> Self {
        Self {
            at: Moment(at),
            allocated: figures.allocated,
            released: figures.released,
            successes: figures.successes,
            failures: figures.failures,
            success_rate: success_rate(&figures),
            slots: figures.slots,
            used: figures.used,
        }
    }
}

impl From<Figures> for TrendBefore {
    fn from(figures: Figures) -> Self {
        Self {
            allocated: figures.allocated,
            released: figures.released,
            successes: figures.successes,
            failures: figures.failures,
            success_rate: success_rate(&figures),
            used: figures.used,
        }
    }
}

impl From<Runway> for RunwayView {
    fn from(runway: Runway) -> Self {
        Self { slots_per_day: runway.slots_per_day, full_in_days: runway.full_in_days, free: runway.free }
    }
}
