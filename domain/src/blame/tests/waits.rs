//! What clients print about waits, and when nobody is at fault.

use super::*;

#[test]
fn floods_carry_their_seconds() {
    let flood = [
        ("FLOOD_WAIT_37", 37),
        ("flood_wait_37", 37),
        ("420 FLOOD_WAIT_37", 37),
        ("FloodWaitError: A wait of 37 seconds is required (caused by SendCodeRequest)", 37),
        (
            "telethon.errors.rpcerrorlist.FloodWaitError: A wait of 86399 seconds is required (caused by ResendCodeRequest)",
            86399,
        ),
        ("A wait of 37 seconds is required (caused by auth.SendCode)", 37),
        ("FloodWaitError('A wait of 12 seconds is required (caused by SendCodeRequest)')", 12),
        ("[420 FLOOD_WAIT_X] - A wait of 37 seconds is required (caused by \"auth.SendCode\")", 37),
        (
            "pyrogram.errors.exceptions.flood_420.FloodWait: Telegram says: [420 FLOOD_WAIT_X] - A wait of 60259 seconds is required (caused by \"auth.SendCode\")",
            60259,
        ),
        ("[session] Waiting for 21 seconds before continuing (required by \"auth.SendCode\")", 21),
        ("RPCError: 420: FLOOD_WAIT_37 (caused by auth.SendCode)", 37),
        ("Error { code: 429 message: \"Too Many Requests: retry after 37\" }", 37),
        ("Error {\n  code = 429\n  message = \"Too Many Requests: retry after 3600\"\n}", 3600),
        ("{'message': 'Too Many Requests: retry after 74447', 'code': 429, '@type': 'error'}", 74447),
        (
            "[Error : 420 : FLOOD_WAIT_291] from Session:5:main::Connect::TCP::Socks5 [91.108.56.111:443] to DcId{5}",
            291,
        ),
        ("rpcDoRequest: rpc error code 420: FLOOD_WAIT (2)", 2),
        ("request error: rpc error 420: FLOOD_WAIT caused by auth.sendCode (value: 31)", 31),
        ("RpcError { code: 420, name: \"FLOOD_WAIT\", value: Some(44), caused_by: Some(3193124286) }", 44),
        ("sleeping on FLOOD_WAIT for 5s before retrying", 5),
        ("{\"_\":\"rpc_error\",\"error_code\":420,\"error_message\":\"FLOOD_WAIT_86\"}", 86),
        ("{\"code\":420,\"text\":\"FLOOD_WAIT_%d\",\"seconds\":19}", 19),
        ("Telegram returned an RPC error: FLOOD_WAIT_28 (FLOOD_WAIT_28), caused by auth.php:12", 28),
        ("FLOOD_WAIT: 需等待 37 秒", 37),
        ("FloodError: A wait of 9 seconds is required", 9),
        ("Flood wait, try again in 2 minutes", 120),
        ("429 Too Many Requests", 60),
        ("FLOOD_WAIT_99999999999999999999", 30 * DAY),
        ("FLOOD_WAIT_31536000", 30 * DAY),
        ("FLOOD_WAIT", 60),
        ("FLOOD_WAIT_X (420)", 60),
        ("FLOOD_WAIT_-5", 60),
    ];
    for (text, seconds) in flood {
        check(Fault::Account, FloodCoolAccount { seconds }, "FLOOD_WAIT", &[text]);
    }
    let premium = [
        ("FLOOD_PREMIUM_WAIT_12", 12),
        (
            "telethon.errors.rpcerrorlist.FloodPremiumWaitError: A wait of 12 seconds is required in non-premium accounts (caused by GetFileRequest)",
            12,
        ),
        ("A wait of 8 seconds is required in non-premium accounts (caused by GetFileRequest)", 8),
        ("Telegram says: [420 Flood] - [420 FLOOD_PREMIUM_WAIT_3] (caused by \"upload.GetFile\")", 3),
        ("RPCError 420: FLOOD_PREMIUM_WAIT_3 (caused by SaveBigFilePartRequest)", 3),
        ("RpcError { code: 420, name: \"FLOOD_PREMIUM_WAIT\", value: Some(4), caused_by: None }", 4),
        ("FLOOD_PREMIUM_WAIT_X", 60),
    ];
    for (text, seconds) in premium {
        check(Fault::Account, CoolAccount { seconds }, "FLOOD_PREMIUM_WAIT", &[text]);
    }
}

#[test]
fn waits_of_another_kind_are_no_flood() {
    check(
        Fault::None,
        Nothing,
        "SLOWMODE_WAIT",
        &[
            "SLOWMODE_WAIT_30",
            "SlowModeWaitError: A wait of 30 seconds is required before sending another message in this chat (caused by SendMessageRequest)",
            "A wait of 30 seconds is required before sending another message in this chat",
            "[420 SLOWMODE_WAIT_X] - A wait of 30 seconds is required to send messages in this chat.",
            "pyrogram.errors.exceptions.flood_420.SlowmodeWait: Telegram says: [420 SLOWMODE_WAIT_X]",
        ],
    );
    let unlisted = [
        ("A wait of 5 seconds is required in the test servers", "FLOOD_TEST_PHONE_WAIT"),
        (
            "TakeoutInitDelayError: A wait of 5 seconds is required before being able to initiate the takeout",
            "TAKEOUT_INIT_DELAY",
        ),
        (
            "[420 2FA_CONFIRM_WAIT_X] - A wait of 5 seconds is required because this account is active",
            "2FA_CONFIRM_WAIT",
        ),
        ("StoryNewWaitError: A wait of 5 seconds is required", "STORY_NEW_WAIT"),
        ("[420 STORY_SEND_WAIT_X] - A wait of 5 seconds is required", "STORY_SEND_WAIT"),
    ];
    for (text, canonical) in unlisted {
        check(Fault::Pending, AwaitEvidence, canonical, &[text]);
    }
}

#[test]
fn nobody_is_at_fault() {
    check(
        Fault::None,
        Nothing,
        "SESSION_PASSWORD_NEEDED",
        &[
            "SESSION_PASSWORD_NEEDED",
            "SessionPasswordNeededError: Two-steps verification is enabled and a password is required (caused by SignInRequest)",
            "Telegram says: [401 SESSION_PASSWORD_NEEDED] - The two-step verification is enabled and a password is required (caused by \"auth.SignIn\")",
            "RPCError: 401: SESSION_PASSWORD_NEEDED (caused by auth.SignIn)",
        ],
    );
    check(
        Fault::None,
        Nothing,
        "PHONE_CODE_INVALID",
        &[
            "PhoneCodeInvalidError: The phone code entered was invalid (caused by SignInRequest)",
            "The phone code entered was invalid (caused by SignInRequest)",
            "400: PHONE_CODE_INVALID (caused by auth.SignIn)",
        ],
    );
    check(Fault::None, Nothing, "PHONE_CODE_EXPIRED", &["The confirmation code has expired (caused by SignInRequest)"]);
    check(Fault::None, Nothing, "PHONE_CODE_HASH_EMPTY", &["PhoneCodeHashEmptyError"]);
    check(Fault::None, Nothing, "PHONE_CODE_SOMETHING_NEW", &["PHONE_CODE_SOMETHING_NEW"]);
    let redirections = [
        ("PHONE_MIGRATE_4", "PHONE_MIGRATE", 4),
        (
            "PhoneMigrateError: The phone number a user is trying to use for authorization is associated with DC 4 (caused by SendCodeRequest)",
            "PHONE_MIGRATE",
            4,
        ),
        (
            "Telegram says: [303 USER_MIGRATE_X] - The user whose identity is being used to execute queries is associated with DC5 (for registration)",
            "USER_MIGRATE",
            5,
        ),
        ("The source IP address is associated with DC 2 (caused by SendCodeRequest)", "NETWORK_MIGRATE", 2),
        ("303: FILE_MIGRATE_1", "FILE_MIGRATE", 1),
        ("[303 STORY_MIGRATE_3]", "STORY_MIGRATE", 3),
    ];
    for (text, canonical, centre) in redirections {
        check(Fault::None, Nothing, canonical, &[text]);
        assert_eq!(recognise(text).number, Some(centre), "{text}");
    }
}
