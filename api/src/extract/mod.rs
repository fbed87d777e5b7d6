//! What handlers take: who asks, the body, the query, an id. Each says clearly what is wrong.

mod body;
mod id;
mod principal;
mod query;

pub(crate) use body::UPLOAD_LIMIT;
pub use body::{Lenient, Member, Object, Small, Strict, Upload};
pub use id::{Id, IfMatch};
pub use principal::{Anyone, Caller, May, Need, Principal, Right, rights};
pub(crate) use principal::{identify, identify_token, insist};
pub(crate) use query::one_of;
pub use query::{Cursor, Query, SliceSort};
