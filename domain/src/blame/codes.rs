//! The codes that are known by name, and the other names and sentences they go by.
//!
//! Telegram's names are from core.telegram.org/api/errors and from the lists that Telethon and
//! Pyrogram ship; the names for what happens below Telegram's protocol (`CONNECTION_REFUSED`,
//! `TRANSPORT_404`, …) are this project's. A code that is missing here is judged pending.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What codes have in common; [`super::judge`] decides by this alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// The credential is refused; one report may be the client's own mistake.
    CredentialInvalid,
    /// The credential is known to be public.
    CredentialPublished,
    /// The credential may log in but not sign up.
    LoginOnly,
    /// The client's build is too old.
    ClientBuild,
    /// A wait for this account and method.
    FloodWait,
    /// A wait that a premium account would not have.
    PremiumWait,
    /// Part of the ordinary conversation.
    NotFailure,
    /// The phone number asked too often.
    PhoneFlood,
    /// The account is limited for spam.
    PeerFlood,
    /// The account no longer exists.
    AccountGone,
    /// The session is no longer valid.
    SessionGone,
    /// One session was used in two places.
    SessionShared,
    /// The account is frozen.
    Frozen,
    /// Telegram itself fails.
    Server,
    /// Too many connections from one address.
    TransportFlood,
    /// The transport refuses the session or the data centre.
    TransportClient,
    /// The network or the proxy.
    Network,
    /// Known by name, yet no rule says whose fault it is.
    Pending,
}

impl Family {
    /// Network errors are looked for last: Telegram's own answer beats what is said around it.
    pub(super) fn is_network(self) -> bool {
        self == Self::Network
    }
}

/// A wait that Telegram asks for, which a number of seconds belongs to.
pub(super) const FLOOD_WAIT: &str = "FLOOD_WAIT";
/// The code of an error of Telegram's servers that has no better name.
pub(super) const SERVER_ERROR: &str = "RPC_SERVER_ERROR";
/// Telegram's own timeout (503), which is not the network's.
pub(super) const RPC_TIMEOUT: &str = "RPC_TIMEOUT";
/// The connection took too long.
pub(super) const TIMEOUT: &str = "TIMEOUT";
/// A connection that failed, and nothing says how.
pub(super) const CONNECTION_FAILED: &str = "CONNECTION_FAILED";
/// The proxy refused or broke the connection.
pub(super) const PROXY_ERROR: &str = "PROXY_ERROR";
/// The proxy wants other credentials.
pub(super) const PROXY_AUTH: &str = "PROXY_AUTH";
/// Transport −404: the authorization key is unknown to the server.
pub(super) const TRANSPORT_404: &str = "TRANSPORT_404";
/// Transport −429: too many connections from this address.
pub(super) const TRANSPORT_FLOOD: &str = "TRANSPORT_FLOOD";
/// Transport −444: the data centre does not exist there.
pub(super) const TRANSPORT_444: &str = "TRANSPORT_444";

/// Every code with a rule, or with a name that must not be mistaken for one that has a rule.
pub(super) const CODES: &[(&str, Family)] = &[
    ("API_ID_INVALID", Family::CredentialInvalid),
    ("API_ID_PUBLISHED_FLOOD", Family::CredentialPublished),
    ("PHONE_NUMBER_APP_SIGNUP_FORBIDDEN", Family::LoginOnly),
    ("UPDATE_APP_TO_LOGIN", Family::ClientBuild),
    (FLOOD_WAIT, Family::FloodWait),
    ("FLOOD_PREMIUM_WAIT", Family::PremiumWait),
    ("SLOWMODE_WAIT", Family::NotFailure),
    ("PHONE_NUMBER_FLOOD", Family::PhoneFlood),
    ("PHONE_PASSWORD_FLOOD", Family::PhoneFlood),
    ("PHONE_NUMBER_BANNED", Family::AccountGone),
    ("USER_DEACTIVATED", Family::AccountGone),
    ("USER_DEACTIVATED_BAN", Family::AccountGone),
    ("AUTH_KEY_UNREGISTERED", Family::SessionGone),
    ("SESSION_REVOKED", Family::SessionGone),
    ("SESSION_EXPIRED", Family::SessionGone),
    ("AUTH_KEY_DUPLICATED", Family::SessionShared),
    ("FROZEN_METHOD_INVALID", Family::Frozen),
    ("PEER_FLOOD", Family::PeerFlood),
    ("SESSION_PASSWORD_NEEDED", Family::NotFailure),
    ("PHONE_CODE_EMPTY", Family::NotFailure),
    ("PHONE_CODE_EXPIRED", Family::NotFailure),
    ("PHONE_CODE_INVALID", Family::NotFailure),
    ("PHONE_CODE_HASH_EMPTY", Family::NotFailure),
    ("FILE_MIGRATE", Family::NotFailure),
    ("NETWORK_MIGRATE", Family::NotFailure),
    ("PHONE_MIGRATE", Family::NotFailure),
    ("STATS_MIGRATE", Family::NotFailure),
    ("USER_MIGRATE", Family::NotFailure),
    // Telegram's 500 and 503.
    (SERVER_ERROR, Family::Server),
    (RPC_TIMEOUT, Family::Server),
    ("API_CALL_ERROR", Family::Server),
    ("AUTH_RESTART", Family::Server),
    ("CALL_OCCUPY_FAILED", Family::Server),
    ("CDN_UPLOAD_TIMEOUT", Family::Server),
    ("CHAT_GET_FAILED", Family::Server),
    ("CHAT_ID_GENERATE_FAILED", Family::Server),
    ("CHAT_OCCUPY_LOC_FAILED", Family::Server),
    ("CHAT_OCCUPY_USERNAME_FAILED", Family::Server),
    ("CHP_CALL_FAIL", Family::Server),
    ("ENCRYPTION_OCCUPY_ADMIN_FAILED", Family::Server),
    ("ENCRYPTION_OCCUPY_FAILED", Family::Server),
    ("FOLDER_DEAC_AUTOFIX_ALL", Family::Server),
    ("GROUPCALL_ADD_PARTICIPANTS_FAILED", Family::Server),
    ("GROUPED_ID_OCCUPY_FAILED", Family::Server),
    ("HISTORY_GET_FAILED", Family::Server),
    ("IMAGE_ENGINE_DOWN", Family::Server),
    ("INTERDC_X_CALL_ERROR", Family::Server),
    ("INTERDC_X_CALL_RICH_ERROR", Family::Server),
    ("MEMBER_FETCH_FAILED", Family::Server),
    ("MEMBER_NO_LOCATION", Family::Server),
    ("MEMBER_OCCUPY_PRIMARY_LOC_FAILED", Family::Server),
    ("MEMBER_OCCUPY_USERNAME_FAILED", Family::Server),
    ("MSGID_DECREASE_RETRY", Family::Server),
    ("MSG_RANGE_UNSYNC", Family::Server),
    ("MT_SEND_QUEUE_TOO_LONG", Family::Server),
    ("NEED_CHAT_INVALID", Family::Server),
    ("NEED_MEMBER_INVALID", Family::Server),
    ("NO_WORKERS_RUNNING", Family::Server),
    ("PARTICIPANT_CALL_FAILED", Family::Server),
    ("PERSISTENT_TIMESTAMP_OUTDATED", Family::Server),
    ("PHOTO_CREATE_FAILED", Family::Server),
    ("POSTPONED_TIMEOUT", Family::Server),
    ("PTS_CHANGE_EMPTY", Family::Server),
    ("RANDOM_ID_DUPLICATE", Family::Server),
    ("REG_ID_GENERATE_FAILED", Family::Server),
    ("RPC_CALL_FAIL", Family::Server),
    ("RPC_CONNECT_FAILED", Family::Server),
    ("RPC_MCGET_FAIL", Family::Server),
    ("SIGN_IN_FAILED", Family::Server),
    ("STORAGE_CHECK_FAILED", Family::Server),
    ("STORE_INVALID_SCALAR_TYPE", Family::Server),
    ("UNKNOWN_METHOD", Family::Server),
    ("UPLOAD_NO_VOLUME", Family::Server),
    ("VOLUME_LOC_NOT_FOUND", Family::Server),
    ("WORKER_BUSY_TOO_LONG_RETRY", Family::Server),
    ("WP_ID_GENERATE_FAILED", Family::Server),
    // Below Telegram's protocol.
    (TRANSPORT_FLOOD, Family::TransportFlood),
    (TRANSPORT_404, Family::TransportClient),
    (TRANSPORT_444, Family::TransportClient),
    (PROXY_ERROR, Family::Network),
    (PROXY_AUTH, Family::Network),
    (TIMEOUT, Family::Network),
    (CONNECTION_FAILED, Family::Network),
    ("CONNECTION_REFUSED", Family::Network),
    ("CONNECTION_RESET", Family::Network),
    ("CONNECTION_CLOSED", Family::Network),
    ("UNREACHABLE", Family::Network),
    ("DNS", Family::Network),
    ("TLS", Family::Network),
    // Named so that they are not taken for one of the above.
    ("2FA_CONFIRM_WAIT", Family::Pending),
    ("FLOOD_TEST_PHONE_WAIT", Family::Pending),
    ("PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT", Family::Pending),
    ("TAKEOUT_INIT_DELAY", Family::Pending),
    ("CLIENT_NOT_RUNNING", Family::Pending),
];

/// Other single words for a code, squashed: class names, `errno` names, older spellings.
const ALIASES: &[(&str, &str)] = &[
    ("PREVIOUSCHATIMPORTACTIVEWAITMIN", "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT"),
    ("TWOFACONFIRMWAIT", "2FA_CONFIRM_WAIT"),
    ("AUTHKEYNOTFOUND", TRANSPORT_404),
    ("ECONNREFUSED", "CONNECTION_REFUSED"),
    ("WSAECONNREFUSED", "CONNECTION_REFUSED"),
    ("ECONNRESET", "CONNECTION_RESET"),
    ("WSAECONNRESET", "CONNECTION_RESET"),
    ("ECONNABORTED", "CONNECTION_RESET"),
    ("CONNECTIONABORTED", "CONNECTION_RESET"),
    ("EPIPE", "CONNECTION_CLOSED"),
    ("BROKENPIPE", "CONNECTION_CLOSED"),
    ("INCOMPLETEREAD", "CONNECTION_CLOSED"),
    ("SERVERDISCONNECTED", "CONNECTION_CLOSED"),
    ("REMOTEDISCONNECTED", "CONNECTION_CLOSED"),
    ("UNEXPECTEDEOF", "CONNECTION_CLOSED"),
    ("UNDERRSOCKET", "CONNECTION_CLOSED"),
    ("EHOSTUNREACH", "UNREACHABLE"),
    ("ENETUNREACH", "UNREACHABLE"),
    ("EHOSTDOWN", "UNREACHABLE"),
    ("ENETDOWN", "UNREACHABLE"),
    ("NOROUTETOHOST", "UNREACHABLE"),
    ("NETWORKUNREACHABLE", "UNREACHABLE"),
    ("HOSTUNREACHABLE", "UNREACHABLE"),
    ("TIMEDOUT", TIMEOUT),
    ("ETIMEDOUT", TIMEOUT),
    ("WSAETIMEDOUT", TIMEOUT),
    ("ESOCKETTIMEDOUT", TIMEOUT),
    ("CONNECTTIMEOUT", TIMEOUT),
    ("CONNECTIONTIMEOUT", TIMEOUT),
    ("READTIMEOUT", TIMEOUT),
    ("WRITETIMEOUT", TIMEOUT),
    ("POOLTIMEOUT", TIMEOUT),
    ("SOCKETTIMEOUT", TIMEOUT),
    ("SERVERTIMEOUT", TIMEOUT),
    ("REQUESTTIMEOUT", TIMEOUT),
    ("UNDERRCONNECTTIMEOUT", TIMEOUT),
    ("UNDERRHEADERSTIMEOUT", TIMEOUT),
    ("GAIERROR", "DNS"),
    ("ENOTFOUND", "DNS"),
    ("EAIAGAIN", "DNS"),
    ("EAINONAME", "DNS"),
    ("GETADDRINFO", "DNS"),
    ("NXDOMAIN", "DNS"),
    ("UNKNOWNHOST", "DNS"),
    ("NAMERESOLUTION", "DNS"),
    ("SSL", "TLS"),
    ("SSLEOF", "TLS"),
    ("SSLCERTVERIFICATION", "TLS"),
    ("SSLHANDSHAKE", "TLS"),
    ("CLIENTCONNECTORSSL", "TLS"),
    ("CLIENTCONNECTORCERTIFICATE", "TLS"),
    ("CERTIFICATEVERIFYFAILED", "TLS"),
    ("ERRTLSCERTALTNAMEINVALID", "TLS"),
    ("DEPTHZEROSELFSIGNEDCERT", "TLS"),
    ("SELFSIGNEDCERTINCHAIN", "TLS"),
    ("UNABLETOVERIFYLEAFSIGNATURE", "TLS"),
    ("EPROTO", "TLS"),
    ("CONNECTIONERROR", CONNECTION_FAILED),
    ("CLIENTCONNECTOR", CONNECTION_FAILED),
    ("CLIENTCONNECTION", CONNECTION_FAILED),
    ("CLIENTOSERROR", CONNECTION_FAILED),
    ("NEWCONNECTIONERROR", CONNECTION_FAILED),
    ("CONNECTERROR", CONNECTION_FAILED),
    ("CONNECTEXCEPTION", CONNECTION_FAILED),
    ("SOCKETEXCEPTION", CONNECTION_FAILED),
    ("NETWORKERROR", CONNECTION_FAILED),
];

/// Numbers of the operating systems that clients print beside `errno`, `WinError` or `os error`
/// (Linux, macOS, Windows).
const OS_ERRORS: &[(u32, &str)] = &[
    (32, "CONNECTION_CLOSED"),
    (51, "UNREACHABLE"),
    (54, "CONNECTION_RESET"),
    (60, TIMEOUT),
    (61, "CONNECTION_REFUSED"),
    (65, "UNREACHABLE"),
    (101, "UNREACHABLE"),
    (103, "CONNECTION_RESET"),
    (104, "CONNECTION_RESET"),
    (110, TIMEOUT),
    (111, "CONNECTION_REFUSED"),
    (113, "UNREACHABLE"),
    (121, TIMEOUT),
    (10051, "UNREACHABLE"),
    (10053, "CONNECTION_RESET"),
    (10054, "CONNECTION_RESET"),
    (10060, TIMEOUT),
    (10061, "CONNECTION_REFUSED"),
    (10065, "UNREACHABLE"),
    (11001, "DNS"),
    (11004, "DNS"),
];

static BY_WORD: LazyLock<HashMap<String, &'static (&'static str, Family)>> = LazyLock::new(|| {
    let mut words: HashMap<String, &'static (&'static str, Family)> =
        CODES.iter().map(|known| (squash(known.0), known)).collect();
    // `INTERDC_5_CALL_ERROR` loses its number before it is looked up, so its `X` goes as well.
    for known in CODES.iter().filter(|(name, _)| name.contains("_X_")) {
        words.insert(squash(&known.0.replace("_X_", "_")), known);
    }
    for (alias, name) in ALIASES {
        if let Some(known) = CODES.iter().find(|(canonical, _)| canonical == name) {
            words.insert((*alias).to_owned(), known);
        }
    }
    words
});

/// Upper case without underscores, so that `FloodWait`, `FLOOD_WAIT` and `flood_wait` are one.
pub(super) fn squash(word: &str) -> String {
    word.chars().filter(|c| *c != '_').map(|c| c.to_ascii_uppercase()).collect()
}

/// The known code behind a squashed word.
pub(super) fn by_word(squashed: &str) -> Option<(&'static str, Family)> {
    BY_WORD.get(squashed).map(|known| **known)
}

/// The family of a canonical name.
pub(super) fn family(canonical: &str) -> Option<Family> {
    by_word(&squash(canonical)).filter(|(name, _)| *name == canonical).map(|(_, family)| family)
}

/// The code behind a number of the operating system.
pub(super) fn by_os_error(number: u32) -> Option<&'static str> {
    OS_ERRORS.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

#[cfg(test)]
pub(super) fn aliases() -> &'static [(&'static str, &'static str)] {
    ALIASES
}
