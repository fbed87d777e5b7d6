//! Settings of the tenant, each with where its value comes from.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::Strategy;
use domain::setting::{Key, Kind, Source};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::settings::{Change, Setting, SettingsView as Stored};
use strum::IntoEnumIterator;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use crate::Sealed;
use crate::answer::Answer;
use crate::door::doors;
use crate::error::{ApiError, Result};
use crate::extract::{IfMatch, May, Strict, rights};
use crate::fields::{Moment, whole_of, words};

pub(crate) fn router() -> OpenApiRouter<Sealed> {
    OpenApiRouter::new().routes(doors!(get, update))
}

/// One setting.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingView {
    key: String,
    description: String,
    /// What counts.
    value: Value,
    /// What it is when nobody says.
    default: Value,
    /// Where the value comes from.
    #[schema(schema_with = words::<Source>)]
    source: Source,
    /// The process was started with it: `locked by environment`. It can't be set.
    locked: bool,
    /// What it may be: `strategy`, `percent` (0 to 100) or `days` (1 to 36,500).
    kind: &'static str,
    updated_by: Option<String>,
    updated_at: Option<Moment>,
}

impl From<Setting> for SettingView {
    fn from(setting: Setting) -> Self {
        let (updated_by, updated_at) = setting.updated.unzip();
        Self {
            key: setting.key.to_string(),
            description: setting.key.description().to_owned(),
            value: setting.value,
            default: setting.key.default_value(),
            source: setting.source,
            locked: !matches!(setting.source, Source::Default | Source::Setting),
            kind: match setting.key.kind() {
                Kind::Strategy => "strategy",
                Kind::Percent => "percent",
                Kind::Days => "days",
            },
            updated_by,
            updated_at: updated_at.map(Moment),
        }
    }
}

/// All settings.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingsView {
    settings: Vec<SettingView>,
    /// Moves with every change; the `ETag`.
    version: i64,
}

fn answer(stored: Stored) -> Answer<SettingsView> {
    let version = stored.version;
    let settings = stored.settings.into_iter().map(SettingView::from).collect();
    Answer::new(SettingsView { settings, version }).etag(version)
}

/// All settings, each with value, default and source.
#[utoipa::path(
    get, path = "/api/admin/settings", tag = "settings",
    responses((status = 200, description = "The settings", body = Answer<SettingsView>))
)]
pub async fn get(may: May<rights::ReadSettings>) -> Result<Answer<SettingsView>> {
    Ok(answer(may.app.store.settings(&may.caller.tenant).await?))
}

/// Settings by key; what is absent stays, what is `null` goes back to its default.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct SettingsChange {
    values: BTreeMap<String, Value>,
}

impl PartialSchema for SettingsChange {
    fn schema() -> RefOr<Schema> {
        let may_be = |kind| ObjectBuilder::new().schema_type(SchemaType::from_iter([kind, Type::Null]));
        let known = |key: Key| match key.kind() {
            Kind::Strategy => {
                let words = Strategy::iter().map(|s| Value::from(s.to_string())).chain([Value::Null]);
                may_be(Type::String).enum_values(Some(words))
            }
            Kind::Percent => may_be(Type::Number).minimum(Some(0)).maximum(Some(100)),
            Kind::Days => may_be(Type::Integer).minimum(Some(1)).maximum(Some(36_500)),
        };
        let whole = ObjectBuilder::new()
            .description(Some("What is absent stays, what is `null` goes back to its default."))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let add = |all: ObjectBuilder, key: Key| {
            all.property(key.to_string(), known(key).description(Some(key.description())))
        };
        Key::iter().fold(whole, add).into()
    }
}

impl ToSchema for SettingsChange {}

impl SettingsChange {
    fn read(self) -> Result<Change> {
        let known = |(key, value): (String, Value)| {
            let key = Key::from_str(&key).map_err(|_| {
                let keys: Vec<String> = Key::iter().map(|key| key.to_string()).collect();
                ApiError::field(&key, format!("is not a setting; there are {}", keys.join(", ")))
            })?;
            Ok((key, (!value.is_null()).then(|| without_point(key, value))))
        };
        self.values.into_iter().map(known).collect()
    }
}

/// Some clients write `30.0` for 30.
fn without_point(key: Key, value: Value) -> Value {
    let whole = value.as_f64().filter(|_| value.is_f64() && key.kind() == Kind::Days).and_then(whole_of);
    whole.map_or(value, Value::from)
}

/// Changes settings, for the next allocation on every process. One that the environment has set is
/// locked: 409.
#[utoipa::path(
    put, path = "/api/admin/settings", tag = "settings", request_body = SettingsChange,
    params(("If-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Changed", body = Answer<SettingsView>),
        (status = 409, description = "A setting is locked"),
    )
)]
pub async fn update(
    may: May<rights::WriteSettings>,
    IfMatch(expected): IfMatch,
    Strict(change): Strict<SettingsChange>,
) -> Result<Answer<SettingsView>> {
    let (store, caller) = (&may.app.store, &may.caller);
    store.change_settings(&caller.tenant, &caller.origin, &change.read()?, expected).await?;
    Ok(answer(store.settings(&caller.tenant).await?))
}
