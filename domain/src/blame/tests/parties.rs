//! What clients print when the credential, the account or the client is at fault.

use super::*;

#[test]
fn the_credential_is_at_fault() {
    check(
        Fault::Credential,
        FlagCredentialThenBan,
        "API_ID_INVALID",
        &[
            "API_ID_INVALID",
            "api_id_invalid",
            "ApiIdInvalidError: The api_id/api_hash combination is invalid (caused by SendCodeRequest)",
            "telethon.errors.rpcerrorlist.ApiIdInvalidError: The api_id/api_hash combination is invalid (caused by InvokeWithLayerRequest(InitConnectionRequest(GetConfigRequest)))",
            "The api_id/api_hash combination is invalid (caused by SendCodeRequest)",
            "Telegram says: [400 API_ID_INVALID] - The api_id/api_hash combination is invalid (caused by \"auth.SendCode\")",
            "pyrogram.errors.exceptions.bad_request_400.ApiIdInvalid: Telegram says: [400 API_ID_INVALID] - The api_id/api_hash combination is invalid (caused by \"auth.SendCode\")",
            "RPCError: 400: API_ID_INVALID (caused by auth.SendCode)",
            "Error { code: 400 message: \"API_ID_INVALID\" }",
            "{\"@type\":\"error\",\"code\":400,\"message\":\"API_ID_INVALID\"}",
            "rpcDoRequest: rpc error code 400: API_ID_INVALID",
            "request error: rpc error 400: API_ID_INVALID caused by auth.sendCode",
        ],
    );
    check(
        Fault::Credential,
        BANNED,
        "API_ID_PUBLISHED_FLOOD",
        &[
            "API_ID_PUBLISHED_FLOOD",
            "telethon.errors.rpcerrorlist.ApiIdPublishedFloodError: This API id was published somewhere, you can't use it now (caused by SendCodeRequest)",
            "This API id was published somewhere, you can\u{2019}t use it now (caused by SendCodeRequest)",
            "[400 API_ID_PUBLISHED_FLOOD] - You are using an API key that is limited on the server side (caused by \"auth.SendCode\")",
            "400: API_ID_PUBLISHED_FLOOD (caused by auth.SendCode)",
            "Error : 400 : API_ID_PUBLISHED_FLOOD",
        ],
    );
    check(
        Fault::Credential,
        MarkLoginOnly,
        "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN",
        &[
            "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN",
            "PhoneNumberAppSignupForbiddenError: You can't sign up using this app (caused by SendCodeRequest)",
            "You can't sign up using this app (caused by SignUpRequest)",
            "Telegram says: [400 PHONE_NUMBER_APP_SIGNUP_FORBIDDEN] - You can't sign up using this app (caused by \"auth.SendCode\")",
        ],
    );
}

#[test]
fn the_client_is_at_fault() {
    check(
        Fault::Client,
        AlertClient,
        "UPDATE_APP_TO_LOGIN",
        &[
            "UPDATE_APP_TO_LOGIN",
            "{\"@type\":\"error\",\"code\":406,\"message\":\"UPDATE_APP_TO_LOGIN\"}",
            "telethon.errors.rpcerrorlist.UpdateAppToLoginError:  (caused by SendCodeRequest)",
            "Telegram says: [406 Not Acceptable] - [406 UPDATE_APP_TO_LOGIN] (caused by \"auth.SendCode\")",
            "RPCError: 406: UPDATE_APP_TO_LOGIN (caused by auth.SendCode)",
        ],
    );
    check(
        Fault::Client,
        FlagAccountHolders,
        "AUTH_KEY_DUPLICATED",
        &[
            "AUTH_KEY_DUPLICATED",
            "406: AUTH_KEY_DUPLICATED",
            "RPCError: 406: AUTH_KEY_DUPLICATED (caused by InvokeWithLayer)",
            "telethon.errors.rpcerrorlist.AuthKeyDuplicatedError: The authorization key (session file) was used under two different IP addresses simultaneously, and can no longer be used. Use the same session exclusively, or use different sessions (caused by InvokeWithLayerRequest)",
            "The authorization key (session file) was used under two different IP addresses simultaneously, and can no longer be used.",
            "[406 AUTH_KEY_DUPLICATED] - The same authorization key (session file) was used in more than one place simultaneously. You must delete your session file and log in again",
        ],
    );
    let transport_404 = [
        "-404",
        "TRANSPORT_404",
        "transport \u{2212}404",
        "transport error: 404",
        "Invalid transport response -404",
        "telethon.errors.common.InvalidBufferError: Invalid response buffer (HTTP code 404)",
        "Error: Invalid response buffer (HTTP code 404)",
        "Server sent transport error: 404 (auth key not found)",
        "telethon.errors.common.AuthKeyNotFound: \nThe server claims it doesn't know about the authorization key (session\nfile) currently being used.",
        "bad status: transport error: bad status (-404)",
    ];
    check(Fault::Client, Nothing, "TRANSPORT_404", &transport_404);
    check(
        Fault::Client,
        Nothing,
        "TRANSPORT_444",
        &["-444", "Server sent transport error: 444 (invalid DC)", "mtproto: transport error -444", "[-444]"],
    );
}

#[test]
fn the_account_is_at_fault() {
    let day = PhoneFloodCoolAccount { seconds: DAY };
    check(
        Fault::Account,
        day,
        "PHONE_NUMBER_FLOOD",
        &[
            "PHONE_NUMBER_FLOOD",
            "PhoneNumberFloodError: You asked for the code too many times. (caused by SendCodeRequest)",
            "You asked for the code too many times. (caused by SendCodeRequest)",
            "[400 PHONE_NUMBER_FLOOD]",
        ],
    );
    check(
        Fault::Account,
        day,
        "PHONE_PASSWORD_FLOOD",
        &[
            "PHONE_PASSWORD_FLOOD",
            "PhonePasswordFloodError: You have tried logging in too many times (caused by SendCodeRequest)",
            "Telegram says: [406 PHONE_PASSWORD_FLOOD] - You have tried to log-in too many times (caused by \"auth.SendCode\")",
            "You have tried to log-in too many times",
        ],
    );
    check(
        Fault::Account,
        CoolAccount { seconds: DAY },
        "PEER_FLOOD",
        &[
            "PEER_FLOOD",
            "telethon.errors.rpcerrorlist.PeerFloodError: Too many requests (caused by SendMessageRequest)",
            "Too many requests (caused by SendMessageRequest)",
            "400: PEER_FLOOD (caused by messages.SendMessage)",
            "The account is limited (spam-reported) and cannot message non-contacts; account-wide with no defined duration",
        ],
    );
    check(
        Fault::Account,
        RetireAccount,
        "PHONE_NUMBER_BANNED",
        &[
            "PHONE_NUMBER_BANNED",
            "PhoneNumberBannedError",
            "telethon.errors.rpcerrorlist.PhoneNumberBannedError: The used phone number has been banned from Telegram and cannot be used anymore. Maybe check https://www.telegram.org/faq_spam (caused by SendCodeRequest)",
            "{\"@type\":\"error\",\"code\":400,\"message\":\"PHONE_NUMBER_BANNED\"}",
            "[400 PHONE_NUMBER_BANNED] - The phone number is banned from Telegram and cannot be used",
        ],
    );
    check(
        Fault::Account,
        RetireAccount,
        "USER_DEACTIVATED",
        &[
            "USER_DEACTIVATED",
            "UserDeactivatedError: The user has been deleted/deactivated (caused by GetUsersRequest)",
            "The user has been deleted/deactivated (caused by GetUsersRequest)",
            "401: USER_DEACTIVATED",
        ],
    );
    check(
        Fault::Account,
        RetireAccount,
        "USER_DEACTIVATED_BAN",
        &[
            "UserDeactivatedBanError: The user has been deleted/deactivated (caused by GetUsersRequest)",
            "Telegram says: [401 USER_DEACTIVATED_BAN] - The user has been deleted/deactivated (caused by \"users.GetFullUser\")",
        ],
    );
    check(
        Fault::Account,
        AccountMustLogIn,
        "AUTH_KEY_UNREGISTERED",
        &[
            "AUTH_KEY_UNREGISTERED",
            "The key is not registered in the system (caused by GetUsersRequest)",
            "AuthKeyUnregisteredError: The key is not registered in the system (caused by GetStateRequest)",
            "[401 AUTH_KEY_UNREGISTERED] - The key is not registered in the system. Delete your session file and login again",
            "Error { code: 401 message: \"AUTH_KEY_UNREGISTERED\" }",
        ],
    );
    check(
        Fault::Account,
        AccountMustLogIn,
        "SESSION_REVOKED",
        &[
            "SessionRevokedError: The authorization has been invalidated, because of the user terminating all sessions (caused by GetStateRequest)",
            "RPCError: 401: SESSION_REVOKED (caused by users.GetUsers)",
        ],
    );
    check(
        Fault::Account,
        AccountMustLogIn,
        "SESSION_EXPIRED",
        &["SessionExpiredError: The authorization has expired (caused by GetStateRequest)", "session_expired"],
    );
    check(
        Fault::Account,
        FreezeAccount,
        "FROZEN_METHOD_INVALID",
        &[
            "FROZEN_METHOD_INVALID",
            "FrozenMethodInvalidError: You tried to use a method that is not available for frozen accounts (caused by ImportContactsRequest)",
            "Telegram says: [420 Flood] - [420 FROZEN_METHOD_INVALID] (caused by \"contacts.ImportContacts\")",
        ],
    );
}
