//! One client: who it is, what it has seen, and what it is sent.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use domain::TenantId;
use domain::access::Permission;
use serde::Deserialize;
use serde_json::json;
use store::{Asked, Origin};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::Live;
use super::event::Rendered;
use super::hub::{News, Seat};
use crate::context::Line;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Need, Principal, identify_token, insist};

/// The most events that a client is sent in a second.
const PER_SECOND: usize = 50;
/// How long events are gathered before they are sent: later ones stand for earlier ones.
const GATHER: Duration = Duration::from_millis(100);
/// How long a new client may take to say who it is.
const INTRODUCTION: Duration = Duration::from_secs(5);
/// The most clients of one process.
const CLIENTS: usize = 5_000;
/// How often a client is asked whether it is still there, and its token looked at.
const PING: Duration = Duration::from_secs(30);
/// How long a client may be silent.
const SILENCE: Duration = Duration::from_secs(75);
/// How often the token is looked at.
const CHECK: Duration = Duration::from_secs(1);
/// How long a message may take to get into the socket; a client that reads so slowly is sent away.
const SLOW: Duration = Duration::from_secs(5);
/// The most rows that a replay reads; who missed more begins anew.
const REPLAY: i64 = 5_000;
/// Rows read at once for a replay.
const STEP: usize = 500;

/// Close codes: 1001 and 1008 of RFC 6455, 1013 of its registry.
const GOING_AWAY: u16 = 1001;
const POLICY: u16 = 1008;
const TRY_AGAIN: u16 = 1013;

/// What a client may say.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    /// Who it is; first of all, and again before its token ends.
    Auth {
        token: String,
        #[serde(default)]
        since: Option<String>,
    },
    Ping,
    Pong,
}

/// How it ends with a client.
enum End {
    /// It has left.
    Left,
    /// It is sent away, with this close code and for this reason.
    Away(u16, Box<ApiError>),
}

/// What comes of a turn with a client, when it goes on.
type Turn<T = ()> = Result<T, End>;

fn away(code: u16, error: ApiError) -> End {
    End::Away(code, Box::new(error))
}

/// One that has not yet said who it is.
pub(super) struct Stranger {
    /// From where it comes.
    pub origin: Origin,
    /// What it has asked for.
    pub asked: Option<Asked>,
    /// Its line in the log, which waits for its name.
    pub line: Option<Arc<Line>>,
    /// Its place among the strangers.
    pub place: OwnedSemaphorePermit,
}

/// Serves a client until it leaves or is sent away.
pub(super) async fn serve(live: Live, mut socket: WebSocket, stranger: Stranger) {
    let outcome = match introduce(&live, &mut socket, stranger).await {
        Ok(mut client) => client.follow(&live, &mut socket).await,
        Err(end) => Err(end),
    };
    let Err(End::Away(code, error)) = outcome else { return };
    // Politely, but not for long: it may be one that does not read.
    let words = json!({ "type": "error", "error": error.body() }).to_string();
    let close = CloseFrame { code, reason: error.body().slug().into() };
    let goodbye = async {
        let told = socket.send(Message::Text(words.into())).await;
        told.and(socket.send(Message::Close(Some(close))).await)
    };
    if !matches!(timeout(CHECK, goodbye).await, Ok(Ok(()))) {
        tracing::debug!("a live client did not hear why it was sent away");
    }
}

async fn introduce(live: &Live, socket: &mut WebSocket, stranger: Stranger) -> Turn<Client> {
    let Stranger { origin, asked, line, place } = stranger;
    let malformed =
        || away(POLICY, ApiError::new(Code::Malformed, "the first message must be {\"type\":\"auth\",\"token\":…}"));
    let first = timeout(INTRODUCTION, socket.recv()).await.map_err(|_| malformed())?;
    let Some(Ok(Message::Text(text))) = first else { return Err(malformed()) };
    let Ok(Said::Auth { token, since }) = serde_json::from_str(&text) else { return Err(malformed()) };
    let principal = identify(live, &token).await?;
    if let Some(line) = line {
        line.asked_by(&principal.name());
    }
    let (tenant, sees_audit) = admit(live, principal, &origin, asked.as_ref()).await?;
    // A seat is for those who are known.
    let seat = live.hub.seat(CLIENTS).ok_or_else(|| away(TRY_AGAIN, ApiError::overloaded()))?;
    drop(place);
    let newest = live.store.newest_event().await.map_err(|error| away(TRY_AGAIN, error.into()))?;
    let now = Instant::now();
    let mut client = Client {
        token,
        tenant,
        sees_audit,
        cursor: newest,
        sent: 0,
        second: now,
        heard: now,
        origin,
        asked,
        _seat: seat,
    };
    client.say(socket, &json!({ "type": "ready", "cursor": newest.to_string() })).await?;
    if let Some(since) = since {
        let since = since.parse::<i64>().ok().filter(|since| *since >= 0);
        let wrong = || away(POLICY, ApiError::field("since", "must be a cursor that we have sent"));
        client.replay(live, socket, since.ok_or_else(wrong)?, newest).await?;
    }
    Ok(client)
}

fn refused(error: ApiError) -> End {
    away(if error.is_ours() { TRY_AGAIN } else { POLICY }, error)
}

/// Whose token it is.
async fn identify(live: &Live, token: &str) -> Turn<Principal> {
    identify_token(&live.store, &live.signer, token).await.map_err(refused)
}

/// Whether they may listen, and whether to the audit trail too.
async fn admit(live: &Live, principal: Principal, origin: &Origin, asked: Option<&Asked>) -> Turn<(TenantId, bool)> {
    let origin = Origin { actor: principal.name(), ..origin.clone() };
    let caller = Caller { tenant: principal.tenant(), principal, origin };
    let need = Need::Permission(Permission::ReadCredentials);
    insist(&live.store, &caller, need, asked.cloned()).await.map_err(refused)?;
    let sees_audit = caller.principal.permits(Permission::ReadAudit);
    Ok((caller.tenant, sees_audit))
}

/// A client that has said who it is.
struct Client {
    token: String,
    tenant: TenantId,
    sees_audit: bool,
    /// The last event that it was sent or that was not for it.
    cursor: i64,
    /// Events sent since `second` began.
    sent: usize,
    second: Instant,
    /// When it last said anything.
    heard: Instant,
    origin: Origin,
    asked: Option<Asked>,
    _seat: Seat,
}

impl Client {
    async fn follow(&mut self, live: &Live, socket: &mut WebSocket) -> Turn {
        let mut bell = live.hub.listen();
        // Something may have come since the introduction.
        bell.mark_changed();
        let (mut ping, mut check) = (interval(PING), interval(CHECK));
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        loop {
            tokio::select! {
                rung = bell.changed() => {
                    rung.map_err(|_| End::Left)?;
                    tokio::time::sleep(GATHER).await;
                    bell.mark_unchanged();
                    self.send_news(live, socket).await?;
                }
                said = socket.recv() => self.hear(live, socket, said).await?,
                _ = ping.tick() => {
                    self.say(socket, &json!({ "type": "ping" })).await?;
                    self.send(socket, Message::Ping(axum::body::Bytes::new())).await?;
                }
                _ = check.tick() => {
                    if live.is_draining() {
                        return Err(away(GOING_AWAY, ApiError::new(Code::Overloaded, "shutting down")));
                    }
                    if self.heard.elapsed() > SILENCE {
                        return Err(away(POLICY, ApiError::new(Code::Malformed, "no pong for too long")));
                    }
                    self.admit(live).await?;
                    if self.is_muted() {
                        self.send_news(live, socket).await?;
                    }
                }
            }
        }
    }

    /// Looks at its token, and at what they are now.
    async fn admit(&mut self, live: &Live) -> Turn {
        let principal = identify(live, &self.token).await?;
        (self.tenant, self.sees_audit) = admit(live, principal, &self.origin, self.asked.as_ref()).await?;
        Ok(())
    }

    /// Sends what is new, at most so much of it in a second.
    async fn send_news(&mut self, live: &Live, socket: &mut WebSocket) -> Turn {
        if self.second.elapsed() >= Duration::from_secs(1) {
            (self.second, self.sent) = (Instant::now(), 0);
        }
        if self.is_muted() {
            return Ok(());
        }
        let (news, head) = live.hub.since(self.cursor);
        let events = match news {
            News::Events(events) => self.gathered(events),
            News::Missed => return self.lag(socket, head).await,
        };
        for event in events {
            if self.sent >= PER_SECOND {
                return self.lag(socket, head).await;
            }
            self.sent += 1;
            self.cursor = event.seq;
            self.send(socket, Message::Text(event.text.clone())).await?;
        }
        // The hub may be behind what the client has seen in the database.
        self.cursor = self.cursor.max(head);
        Ok(())
    }

    /// Whether this client may see it.
    fn may_see(&self, event: &Rendered) -> bool {
        event.tenant == self.tenant && (self.sees_audit || !event.audit_only)
    }

    /// What this client may see; of several about the same thing the last.
    fn gathered(&self, events: Vec<Arc<Rendered>>) -> Vec<Arc<Rendered>> {
        let mine: Vec<_> = events.into_iter().filter(|event| self.may_see(event)).collect();
        let last: HashMap<&str, i64> = mine.iter().map(|event| (event.subject.as_str(), event.seq)).collect();
        mine.iter().filter(|event| last[event.subject.as_str()] == event.seq).cloned().collect()
    }

    /// Tells it that it has missed some, and goes on from `head` when the second is over.
    async fn lag(&mut self, socket: &mut WebSocket, head: i64) -> Turn {
        self.cursor = self.cursor.max(head);
        self.sent = PER_SECOND + 1;
        self.say(socket, &json!({ "type": "lagged", "cursor": self.cursor.to_string() })).await
    }

    /// It was told that it has missed some: what comes until the second is over waits.
    fn is_muted(&self) -> bool {
        self.sent > PER_SECOND
    }

    /// Sends what came behind `since`, up to `newest`; each event for itself, since whatever was missed
    /// may have come far apart.
    async fn replay(&mut self, live: &Live, socket: &mut WebSocket, since: i64, newest: i64) -> Turn {
        let failed = |error: store::StoreError| away(TRY_AGAIN, error.into());
        let oldest = live.store.oldest_event().await.map_err(failed)?.unwrap_or(newest + 1);
        if since > newest || newest - since > REPLAY || since + 1 < oldest {
            return self.lag(socket, newest).await;
        }
        let mut at = since;
        while at < newest {
            let events = live.store.events_after(at, STEP).await.map_err(failed)?;
            let Some(last) = events.last() else { break };
            at = last.seq;
            let events = events.into_iter().filter(|event| event.seq <= newest).map(Rendered::from);
            for event in events.filter(|event| self.may_see(event)) {
                self.send(socket, Message::Text(event.text)).await?;
            }
        }
        Ok(())
    }

    async fn hear(&mut self, live: &Live, socket: &mut WebSocket, said: Option<Result<Message, axum::Error>>) -> Turn {
        let Some(Ok(message)) = said else { return Err(End::Left) };
        self.heard = Instant::now();
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return Err(End::Left),
            // The protocol's own pings are answered by the library.
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Binary(_) => Utf8Bytes::default(),
        };
        match serde_json::from_str(&text) {
            Ok(Said::Ping) => self.say(socket, &json!({ "type": "pong" })).await,
            Ok(Said::Pong) => Ok(()),
            Ok(Said::Auth { token, .. }) => {
                self.token = token;
                self.admit(live).await
            }
            Err(_) => {
                let why = ApiError::new(Code::Malformed, "a message must be of type auth, ping or pong");
                Err(away(POLICY, why))
            }
        }
    }

    async fn say(&self, socket: &mut WebSocket, words: &serde_json::Value) -> Turn {
        self.send(socket, Message::Text(words.to_string().into())).await
    }

    async fn send(&self, socket: &mut WebSocket, message: Message) -> Turn {
        match timeout(SLOW, socket.send(message)).await {
            Ok(sent) => sent.map_err(|_| End::Left),
            Err(_) => Err(away(TRY_AGAIN, ApiError::new(Code::Overloaded, "too slow to follow; come back with since"))),
        }
    }
}
