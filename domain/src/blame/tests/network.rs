//! What clients print when Telegram, the proxy or the network fails, and what nobody has listed.

use super::*;

#[test]
fn telegram_is_at_fault() {
    let printed = [
        ("AUTH_RESTART", "AUTH_RESTART"),
        ("AuthRestartError: Restart the authorization process (caused by SendCodeRequest)", "AUTH_RESTART"),
        ("AUTH_RESTART_12", "AUTH_RESTART"),
        ("RPC_CALL_FAIL", "RPC_CALL_FAIL"),
        (
            "RpcCallFailError: Telegram is having internal issues, please try again later. (caused by SendCodeRequest)",
            "RPC_CALL_FAIL",
        ),
        ("Telegram is having internal issues, please try again later. (caused by SendCodeRequest)", "RPC_SERVER_ERROR"),
        ("[500 RPC_MCGET_FAIL] - Telegram is having internal problems. Please try again later", "RPC_MCGET_FAIL"),
        ("INTERDC_5_CALL_ERROR", "INTERDC_X_CALL_ERROR"),
        (
            "[500 INTERDC_X_CALL_ERROR] - An error occurred while Telegram was intercommunicating with DC5.",
            "INTERDC_X_CALL_ERROR",
        ),
        (
            "InterdcCallErrorError: An error occurred while communicating with DC 5 (caused by SendCodeRequest)",
            "INTERDC_X_CALL_ERROR",
        ),
        ("500: INTERDC_2_CALL_RICH_ERROR", "INTERDC_X_CALL_RICH_ERROR"),
        ("RPCError -500: No workers running (caused by SendCodeRequest)", "NO_WORKERS_RUNNING"),
        ("[-503 Timeout]", "RPC_TIMEOUT"),
        ("-503: Timeout", "RPC_TIMEOUT"),
        ("503: Timeout (caused by auth.SendCode)", "RPC_TIMEOUT"),
        (
            "Telegram says: [-503 Timeout] - Telegram is having internal problems. Please try again later.",
            "RPC_SERVER_ERROR",
        ),
        (
            "telethon.errors.rpcerrorlist.TimeoutError: Timeout while fetching data (caused by SendCodeRequest)",
            "RPC_TIMEOUT",
        ),
        ("TimedOutError: RPCError -503: Timeout (caused by SendCodeRequest)", "RPC_TIMEOUT"),
        ("RPCError: 500: TIMEOUT", "RPC_TIMEOUT"),
        ("The postponed call has timed out (caused by SendCodeRequest)", "RPC_TIMEOUT"),
        ("-500", "RPC_SERVER_ERROR"),
        ("[500 SOMETHING_BROKE]", "RPC_SERVER_ERROR"),
        ("ServerError: RPCError 500: WEIRD_FAIL (caused by SendCodeRequest)", "RPC_SERVER_ERROR"),
        ("{\"@type\":\"error\",\"code\":500,\"message\":\"Internal Server Error\"}", "RPC_SERVER_ERROR"),
        ("{\"message\":\"Internal\",\"code\":500}", "RPC_SERVER_ERROR"),
        ("500 INTERNAL", "RPC_SERVER_ERROR"),
        ("InternalServerError", "RPC_SERVER_ERROR"),
        ("HistoryGetFailedError: Fetching of history failed", "HISTORY_GET_FAILED"),
        ("WORKER_BUSY_TOO_LONG_RETRY", "WORKER_BUSY_TOO_LONG_RETRY"),
    ];
    for (text, canonical) in printed {
        check(Fault::Telegram, CountOutage, canonical, &[text]);
    }
}

#[test]
fn the_proxy_is_at_fault() {
    for text in [
        "-429",
        "TRANSPORT_FLOOD",
        "transport \u{2212}429",
        "transport error: 429",
        "Server sent transport error: 429 (transport flood)",
        "InvalidBufferError: Invalid response buffer (HTTP code 429)",
        "Server indicated flood error at transport level: Invalid response buffer (HTTP code 429)",
        "protocol error: -429",
    ] {
        check(Fault::Proxy, COOL_PROXY, "TRANSPORT_FLOOD", &[text]);
    }
    let printed = [
        ("ConnectionRefusedError: [Errno 111] Connection refused", "CONNECTION_REFUSED"),
        ("ConnectionRefusedError: [WinError 10061] 由於目標電腦拒絕連線，無法連線。", "CONNECTION_REFUSED"),
        (
            "[WinError 10061] No connection could be made because the target machine actively refused it",
            "CONNECTION_REFUSED",
        ),
        ("OSError: [Errno 111] Connect call failed ('149.154.167.51', 443)", "CONNECTION_REFUSED"),
        ("Error: connect ECONNREFUSED 149.154.167.50:443", "CONNECTION_REFUSED"),
        ("io error: Connection refused (os error 111)", "CONNECTION_REFUSED"),
        ("ECONNRESET", "CONNECTION_RESET"),
        ("Error: read ECONNRESET", "CONNECTION_RESET"),
        ("ConnectionResetError: [Errno 104] Connection reset by peer", "CONNECTION_RESET"),
        ("connection reset by peer", "CONNECTION_RESET"),
        ("read tcp 10.0.0.2:41234->149.154.167.50:443: read: connection reset by peer", "CONNECTION_RESET"),
        ("[WinError 10054] An existing connection was forcibly closed by the remote host", "CONNECTION_RESET"),
        ("BrokenPipeError: [Errno 32] Broken pipe", "CONNECTION_CLOSED"),
        ("asyncio.exceptions.IncompleteReadError: 0 bytes read on a total of 8 expected bytes", "CONNECTION_CLOSED"),
        ("Error: socket hang up", "CONNECTION_CLOSED"),
        ("Server closed the connection: 0 bytes read on a total of 4 expected bytes", "CONNECTION_CLOSED"),
        ("Timeout", "TIMEOUT"),
        ("timeout", "TIMEOUT"),
        ("TIMEOUT", "TIMEOUT"),
        ("TimeoutError", "TIMEOUT"),
        ("asyncio.TimeoutError", "TIMEOUT"),
        ("asyncio.exceptions.TimeoutError", "TIMEOUT"),
        ("socket.timeout: timed out", "TIMEOUT"),
        ("TimeoutError: [Errno 110] Connect call failed ('149.154.167.50', 443)", "TIMEOUT"),
        ("TimeoutError: Request timed out", "TIMEOUT"),
        ("Error: connect ETIMEDOUT 149.154.167.50:443", "TIMEOUT"),
        ("UND_ERR_CONNECT_TIMEOUT", "TIMEOUT"),
        ("Elapsed(()): deadline has elapsed", "TIMEOUT"),
        ("dial tcp 149.154.167.50:443: i/o timeout", "TIMEOUT"),
        ("socket.gaierror: [Errno -2] Name or service not known", "DNS"),
        ("Error: getaddrinfo ENOTFOUND venus.web.telegram.org", "DNS"),
        ("getaddrinfo EAI_AGAIN proxyless.example", "PROXY_ERROR"),
        ("failed to lookup address information: Temporary failure in name resolution", "DNS"),
        ("ssl.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1129)", "TLS"),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "TLS"),
        ("invalid peer certificate: UnknownIssuer", "TLS"),
        ("TLS handshake failed", "TLS"),
        ("Error: write EPROTO 140:error:1408F10B:SSL routines", "TLS"),
        ("OSError: [Errno 113] No route to host", "UNREACHABLE"),
        ("connect ENETUNREACH 2001:67c:4e8:f002::a:443", "UNREACHABLE"),
        ("ConnectionError: Connection to Telegram failed 5 time(s)", "CONNECTION_FAILED"),
        (
            "requests.exceptions.ConnectionError: HTTPSConnectionPool: Max retries exceeded (Caused by NewConnectionError('[Errno 111] Connection refused'))",
            "CONNECTION_REFUSED",
        ),
        (
            "socks.ProxyConnectionError: Error connecting to SOCKS5 proxy 127.0.0.1:1080: [Errno 111] Connection refused",
            "PROXY_ERROR",
        ),
        ("python_socks._errors.ProxyError: General SOCKS server failure", "PROXY_ERROR"),
        ("ProxyTimeoutError: Proxy connection timed out: 10", "PROXY_ERROR"),
        ("SocksClientError: Socks5 proxy rejected connection - HostUnreachable", "PROXY_ERROR"),
        ("GeneralProxyError: Socket error: Connection closed unexpectedly", "PROXY_ERROR"),
        ("ProxyError", "PROXY_ERROR"),
        ("ProxyError: HTTP/1.1 503 Service Unavailable", "PROXY_ERROR"),
        ("OSError: Tunnel connection failed: 503 Service Unavailable", "PROXY_ERROR"),
        ("502 Bad Gateway", "PROXY_ERROR"),
        ("SOCKS5 authentication failed", "PROXY_AUTH"),
        ("socks.SOCKS5AuthError: SOCKS5 authentication failed", "PROXY_AUTH"),
        ("SocksClientError: Socks5 Authentication failed", "PROXY_AUTH"),
        ("407 Proxy Authentication Required", "PROXY_AUTH"),
        ("OSError: Tunnel connection failed: 407 Proxy Authentication Required", "PROXY_AUTH"),
    ];
    for (text, canonical) in printed {
        check(Fault::Proxy, CountProxyFailure, canonical, &[text]);
        assert_eq!(recognise(text).number, None, "{text}");
    }
}

#[test]
fn anything_else_is_pending_and_keeps_its_name() {
    let printed = [
        ("CHAT_WRITE_FORBIDDEN", "CHAT_WRITE_FORBIDDEN"),
        ("chat_write_forbidden", "CHAT_WRITE_FORBIDDEN"),
        (
            "telethon.errors.rpcerrorlist.ChatWriteForbiddenError: You can't write in this chat (caused by SendMessageRequest)",
            "CHAT_WRITE_FORBIDDEN",
        ),
        (
            "pyrogram.errors.exceptions.forbidden_403.ChatWriteForbidden: Telegram says: [403 CHAT_WRITE_FORBIDDEN] - You don't have rights",
            "CHAT_WRITE_FORBIDDEN",
        ),
        ("RPCError: 400: PHONE_NUMBER_INVALID (caused by auth.SendCode)", "PHONE_NUMBER_INVALID"),
        ("BadRequestError: RPCError 400: SOMETHING_NEW (caused by SendCodeRequest)", "SOMETHING_NEW"),
        ("{\"@type\":\"error\",\"code\":400,\"message\":\"SOMETHING_NEW\"}", "SOMETHING_NEW"),
        ("[400 FILE_PART_3_MISSING]", "FILE_PART_X_MISSING"),
        ("[400 BOT_RESPONSE_TIMEOUT]", "BOT_RESPONSE_TIMEOUT"),
        ("INPUT_USER_DEACTIVATED", "INPUT_USER_DEACTIVATED"),
        (
            "InputUserDeactivatedError: The specified user was deleted (caused by GetUsersRequest)",
            "INPUT_USER_DEACTIVATED",
        ),
        ("AUTH_KEY_INVALID", "AUTH_KEY_INVALID"),
        ("The target user has been deleted/deactivated", "UNKNOWN"),
        ("You don't have rights to send messages in this chat", "UNKNOWN"),
        ("Sha256HashInvalidError: The provided SHA256 hash is invalid", "SHA256_HASH_INVALID"),
        ("SESSION_TOO_FRESH_3600", "SESSION_TOO_FRESH"),
        ("KeyError: 'phone'", "KEY_ERROR"),
        ("ValueError: Unknown proxy protocol 'socks6'", "VALUE_ERROR"),
        ("TypeError: Cannot read properties of undefined (reading 'timeout')", "TYPE_ERROR"),
        ("ConnectionError: Cannot send requests while disconnected", "CLIENT_NOT_RUNNING"),
        ("ConnectionError: Client has not been started yet", "CLIENT_NOT_RUNNING"),
        ("RPCError", "RPC_ERROR"),
        ("2024-05-01 12:34:56,567 ERROR something odd", "UNKNOWN"),
        ("Error { code: 404 message: \"Not Found\" }", "UNKNOWN"),
        ("it did not work", "UNKNOWN"),
        ("", "UNKNOWN"),
        ("   \n", "UNKNOWN"),
        ("400", "UNKNOWN"),
        ("SOMETHING", "SOMETHING"),
        ("Error: Auth failed", "UNKNOWN"),
        ("登入失敗", "UNKNOWN"),
    ];
    for (text, canonical) in printed {
        check(Fault::Pending, AwaitEvidence, canonical, &[text]);
    }
}

#[test]
fn a_traceback_is_read_by_its_last_exception() {
    let chained = "Traceback (most recent call last):\n  File \"a.py\", line 3, in go\n    except FloodWaitError:\n\
        telethon.errors.rpcerrorlist.AuthRestartError: Restart the authorization process (caused by SendCodeRequest)\n\n\
        During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  \
        File \"a.py\", line 9, in go\n    raise ApiIdInvalidError\n\
        telethon.errors.rpcerrorlist.PhoneNumberBannedError: The used phone number has been banned (caused by SendCodeRequest)\n";
    check(Fault::Account, RetireAccount, "PHONE_NUMBER_BANNED", &[chained, &chained.replace('\n', "\\n")]);
    let node = "Error: read ECONNRESET\n    at TLSWrap.onStreamRead (node:internal/stream_base_commons:217:20)\n    at ProxyAgent.<anonymous> (/app/node_modules/socks/build/client.js:500:12)";
    check(Fault::Proxy, CountProxyFailure, "CONNECTION_RESET", &[node]);
    let long = format!(
        "Traceback (most recent call last):\n{}FloodWaitError: A wait of 7 seconds is required",
        "  File \"資料.py\"\n".repeat(9000)
    );
    check(Fault::Account, FloodCoolAccount { seconds: 7 }, "FLOOD_WAIT", &[&long]);
}
