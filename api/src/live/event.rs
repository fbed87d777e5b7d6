//! A row of the journal as clients see it, rendered once for all of them.

use axum::extract::ws::Utf8Bytes;
use domain::event::Action;
use domain::{ApiId, TenantId, Timestamp};
use serde_json::{Map, Value, json};
use store::tail::Event;

/// An event on its way.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// Its number in the journal; the cursor.
    pub seq: i64,
    /// Whose.
    pub tenant: TenantId,
    /// Only those who may read the audit log get it.
    pub audit_only: bool,
    /// A later event of the same name about the same thing says all that this one says.
    pub subject: String,
    /// The message.
    pub text: Utf8Bytes,
}

impl From<Event> for Rendered {
    fn from(event: Event) -> Self {
        let known = event.action.parse::<Action>().ok();
        let key = key_of(&event);
        let message = json!({
            "type": "event",
            "event": event.action,
            "key": key,
            "version": event.seq,
            "cursor": event.seq.to_string(),
            "timestamp": Timestamp::from_millis(event.at).to_rfc3339(),
            "data": data_of(&event),
        });
        Self {
            seq: event.seq,
            subject: format!("{} {key}", event.action),
            tenant: TenantId::from(event.tenant_id),
            audit_only: !known.is_some_and(Action::is_live),
            text: message.to_string().into(),
        }
    }
}

/// What the event is about: an account where it is bound or let go, else the credential, else the
/// row itself.
fn key_of(event: &Event) -> String {
    let binding = ["api.allocated", "api.released", "api.renewed"].contains(&event.action.as_str());
    match (&event.account_id, &event.credential_id) {
        (Some(account), Some(_)) if binding => format!("account:{account}"),
        (_, Some(credential)) => format!("credential:{credential}"),
        (Some(account), None) => format!("account:{account}"),
        (None, None) => format!("{}:{}", event.action, event.seq),
    }
}

/// The particulars, with what stands beside them in the row.
fn data_of(event: &Event) -> Value {
    let told = event.data.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let mut data: Map<String, Value> = match told {
        Some(Value::Object(fields)) => fields,
        Some(other) => [("value".to_owned(), other)].into_iter().collect(),
        None => Map::new(),
    };
    data.insert("actor".to_owned(), json!(event.actor));
    let api_id = event.api_id.and_then(ApiId::new);
    for (name, value) in [
        ("account_id", event.account_id.as_ref().map(|id| json!(id))),
        ("credential_id", event.credential_id.as_ref().map(|id| json!(id))),
        ("api_id", api_id.map(|id| json!(id))),
    ] {
        data.extend(value.map(|value| (name.to_owned(), value)));
    }
    Value::Object(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str, account: Option<&str>, credential: Option<&str>) -> Event {
        Event {
            seq: 7,
            tenant_id: "default".to_owned(),
            at: 0,
            action: action.to_owned(),
            actor: "svc:chat".to_owned(),
            account_id: account.map(str::to_owned),
            credential_id: credential.map(str::to_owned),
            api_id: credential.map(|_| 5),
            data: Some(r#"{"strategy":"balanced"}"#.to_owned()),
        }
    }

    #[test]
    fn an_event_says_what_where_and_when() {
        let rendered = Rendered::from(event("api.allocated", Some("+1"), Some("C")));
        let message: Value = serde_json::from_str(&rendered.text).unwrap();
        let data = json!({
            "strategy": "balanced", "actor": "svc:chat", "account_id": "+1", "credential_id": "C", "api_id": "5",
        });
        let expected = json!({
            "type": "event", "event": "api.allocated", "key": "account:+1", "version": 7, "cursor": "7",
            "timestamp": "1970-01-01T00:00:00.000Z", "data": data,
        });
        assert_eq!((message, rendered.audit_only), (expected, false));
    }

    #[test]
    fn subjects_are_what_later_events_stand_for() {
        let subject = |action, account, credential| Rendered::from(event(action, account, credential)).subject;
        assert_eq!(subject("api.failed", Some("+1"), Some("C")), "api.failed credential:C");
        assert_eq!(subject("api.released", Some("+1"), Some("C")), "api.released account:+1");
        assert_eq!(subject("capacity.warning", None, None), "capacity.warning capacity.warning:7");
        assert!(Rendered::from(event("user.signed_in", None, None)).audit_only);
    }
}
