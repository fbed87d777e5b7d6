//! The journal as a CSV file, streamed page by page so that memory stays small however long it is.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::TenantId;
use futures::stream;
use store::Store;
use store::history::{HistoryFilter, JournalRow};

use crate::error::{ApiError, Result};

/// Rows read at once.
const STEP: usize = 500;

/// The columns of a file, and a row's cells in their order. Cells are neutralised by whoever makes
/// them.
pub(super) struct Columns {
    pub name: &'static str,
    pub header: &'static [&'static str],
    pub cells: fn(JournalRow) -> Vec<String>,
}

struct Walk {
    store: Store,
    tenant: TenantId,
    filter: HistoryFilter,
    columns: &'static Columns,
    before: Option<i64>,
    first: bool,
    done: bool,
}

/// All rows of a filter, the newest first.
pub(super) fn stream_csv(store: Store, tenant: TenantId, filter: HistoryFilter, columns: &'static Columns) -> Response {
    let walk = Walk { store, tenant, filter, columns, before: None, first: true, done: false };
    let body = Body::from_stream(stream::try_unfold(walk, |mut walk| async move {
        if walk.done {
            return Ok::<_, std::io::Error>(None);
        }
        let chunk = walk.chunk().await.map_err(|e| std::io::Error::other(format!("{e:?}")))?;
        Ok(Some((chunk, walk)))
    }));
    let disposition = format!("attachment; filename=\"{}\"", columns.name);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, disposition.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, body).into_response()
}

impl Walk {
    async fn chunk(&mut self) -> Result<Vec<u8>> {
        let page = self.store.history(&self.tenant, &self.filter, self.before, STEP).await?;
        self.before = page.next;
        self.done = page.next.is_none();
        let mut writer = csv::Writer::from_writer(Vec::new());
        if std::mem::take(&mut self.first) {
            writer.write_record(self.columns.header).map_err(|e| ApiError::internal(&e))?;
        }
        for row in page.rows {
            writer.write_record((self.columns.cells)(row)).map_err(|e| ApiError::internal(&e))?;
        }
        writer.into_inner().map_err(|e| ApiError::internal(&e))
    }
}
