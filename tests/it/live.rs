//! `/ws`: what happens, as it happens.

mod crowd;
mod story;

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::harness::{Api, PATIENCE, Server};

/// A client that listens.
pub struct Listener {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What a listener was told.
#[derive(Debug, PartialEq)]
pub enum Told {
    Message(Value),
    Closed(u16),
}

impl Listener {
    /// Connects without saying who it is.
    pub async fn connect(server: &Server) -> Self {
        let url = format!("{}/ws", server.base.replacen("http", "ws", 1));
        Self { socket: connect_async(url).await.unwrap().0 }
    }

    /// Connects as somebody; from `since` on, or from now.
    pub async fn of(server: &Server, api: &Api, since: Option<&str>) -> Self {
        let mut listener = Self::connect(server).await;
        let mut auth = json!({ "type": "auth", "token": token(api) });
        if let Some(since) = since {
            auth["since"] = json!(since);
        }
        listener.say(&auth).await;
        assert_eq!(listener.message().await["type"], "ready");
        listener
    }

    pub async fn say(&mut self, words: &Value) {
        self.socket.send(Message::text(words.to_string())).await.unwrap();
    }

    /// The next thing it is told.
    pub async fn next(&mut self) -> Told {
        let told = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => return Told::Message(serde_json::from_str(&text).unwrap()),
                    Some(Ok(Message::Close(frame))) => return Told::Closed(frame.map_or(0, |frame| frame.code.into())),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Told::Closed(0),
                }
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect("something is told")
    }

    pub async fn message(&mut self) -> Value {
        match self.next().await {
            Told::Message(message) => message,
            Told::Closed(code) => panic!("closed with {code}"),
        }
    }

    /// The next event of this name; others are passed over.
    pub async fn event(&mut self, name: &str) -> Value {
        loop {
            let message = self.message().await;
            if message["type"] == "event" && message["event"] == name {
                return message;
            }
        }
    }

    /// All that comes until nothing has come for a while.
    pub async fn drain(&mut self) -> Vec<Value> {
        let mut all = Vec::new();
        while let Ok(Told::Message(message)) = tokio::time::timeout(Duration::from_millis(1_500), self.next()).await {
            all.push(message);
        }
        all
    }
}

/// The bare token of a caller.
pub fn token(api: &Api) -> String {
    let bearer = api.header("authorization").trim_start_matches("Bearer ");
    if bearer.is_empty() { api.header("x-service-token") } else { bearer }.to_owned()
}
