"""Runs a script with the real Telethon or Pyrogram, whose way to Telegram ends here.

    telegram.py SCRIPT ARGUMENT…

What Telegram answers is in TELEGRAM_SAYS: nothing for a good login, `420 FLOOD_WAIT_37` and the like for an error when
the code is asked for, `password` when it also wants one, `network` when nothing connects. What it was asked goes to the
file `telegram.log`, who is logged in to the file `telegram.session`; both in the working folder.
"""

import asyncio
import hashlib
import importlib
import os
import runpy
import socket
import sys
from datetime import datetime, timezone
from pathlib import Path

SAYS = os.environ.get("TELEGRAM_SAYS", "")
SESSION = Path("telegram.session")
USER = 777


def close_the_road() -> None:
    """Nothing but this machine can be reached, whatever a library tries."""
    real_connect = socket.socket.connect

    def connect(self, address):
        if self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1"):
            return real_connect(self, address)
        note(f"connect {address[0]}")
        raise TimeoutError(110, "Connection timed out")

    socket.socket.connect = connect


def hurry() -> None:
    """Short pauses of the libraries take no time; to sleep through a flood wait is a mistake of the script."""
    real_sleep, real_wait, real_wait_for = asyncio.sleep, asyncio.wait, asyncio.wait_for

    async def sleep(seconds, result=None):
        if seconds > 5:
            raise AssertionError(f"slept {seconds} s")
        return await real_sleep(seconds / 100, result)

    async def wait(futures, timeout=None, **how):
        return await real_wait(futures, timeout=timeout and timeout / 20, **how)

    async def wait_for(future, timeout):
        return await real_wait_for(future, timeout and timeout / 20)

    asyncio.sleep = sleep
    if SAYS == "network":
        asyncio.wait, asyncio.wait_for = wait, wait_for


def note(line: str) -> None:
    with open("telegram.log", "a") as log:
        log.write(line + "\n")


def refusal(request: str) -> tuple[int, str] | None:
    """The error for a request, or none."""
    if request == "SendCode" and SAYS and SAYS != "password":
        status, message = SAYS.split()
        return int(status), message
    if request == "SignIn" and SAYS == "password":
        return 401, "SESSION_PASSWORD_NEEDED"
    if request.startswith("Get") and request != "GetPassword" and not SESSION.exists():
        return 401, "AUTH_KEY_UNREGISTERED"
    return None


def hear(request: object) -> str:
    """Notes a request and what it changes. Of a secret only a hash is noted."""
    name = type(request).__name__.removesuffix("Request")
    secret = hashlib.sha256(request.api_hash.encode()).hexdigest() if name == "SendCode" else ""
    note(f"{name} {getattr(request, 'api_id', '')} {secret}".rstrip())
    return name


def change(name: str) -> None:
    if name == "CheckPassword" or name == "SignIn":
        SESSION.touch()
    if name == "LogOut":
        SESSION.unlink()


def stand_in_for_telethon() -> None:
    from telethon import errors
    from telethon.network import MTProtoSender
    from telethon.tl import types

    user = types.User(USER, is_self=True, access_hash=1, first_name="Test")
    now = datetime.now(timezone.utc)
    answers = {
        "InvokeWithLayer": None,
        "GetUsers": [user],
        "SendCode": types.auth.SentCode(types.auth.SentCodeTypeApp(5), "hash"),
        "SignIn": types.auth.Authorization(user),
        "GetState": types.updates.State(1, 0, now, 1, 0),
        "GetDifference": types.updates.DifferenceEmpty(now, 1),
        "LogOut": types.auth.LoggedOut(),
    }

    async def connect(self, _connection):
        self._user_connected = True
        self._MTProtoSender__disconnected = asyncio.get_running_loop().create_future()
        return True

    async def disconnect(self):
        if self._user_connected:
            self._user_connected = False
            self._MTProtoSender__disconnected.set_result(None)

    def send(_self, request, ordered=False):
        name = hear(request)
        answer = asyncio.get_running_loop().create_future()
        if error := refusal(name):
            answer.set_exception(errors.rpc_message_to_error(types.RpcError(*error), request))
        else:
            change(name)
            answer.set_result(answers[name])
        return answer

    MTProtoSender.connect, MTProtoSender.disconnect, MTProtoSender.send = connect, disconnect, send


def stand_in_for_pyrogram() -> None:
    from pyrogram.connection import Connection
    from pyrogram.crypto import prime
    from pyrogram.errors import RPCError
    from pyrogram.raw import types
    from pyrogram.session import Auth, Session

    user = types.User(id=USER, is_self=True, access_hash=1, first_name="Test", usernames=[], restriction_reason=[])
    about = types.UserFull(
        id=USER, settings=types.PeerSettings(), notify_settings=types.PeerNotifySettings(), common_chats_count=0
    )
    way = types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        salt1=b"1" * 8, salt2=b"2" * 8, g=3, p=prime.CURRENT_DH_PRIME.to_bytes(256, "big")
    )
    answers = {
        "Ping": None,
        "InvokeWithLayer": None,
        "GetFullUser": types.users.UserFull(full_user=about, chats=[], users=[user]),
        "SendCode": types.auth.SentCode(type=types.auth.SentCodeTypeApp(length=5), phone_code_hash="hash"),
        "SignIn": types.auth.Authorization(user=user),
        "GetPassword": types.account.Password(
            current_algo=way, srp_B=b"3" * 256, srp_id=1, new_algo=way, new_secure_algo=None, secure_random=b""
        ),
        "CheckPassword": types.auth.Authorization(user=user),
        "GetState": types.updates.State(pts=1, qts=0, date=0, seq=1, unread_count=0),
        "LogOut": types.auth.LoggedOut(),
    }

    async def create(_self):
        return bytes(256)

    async def connect(self):
        self.closed = asyncio.Event()

    async def close(self):
        self.closed.set()

    async def recv(self):
        await self.closed.wait()

    async def send(_self, request, wait_response=True, timeout=0):
        name = hear(request)
        if error := refusal(name):
            RPCError.raise_it(types.RpcError(error_code=error[0], error_message=error[1]), type(request))
        change(name)
        return answers[name]

    Auth.create, Session.send = create, send
    Connection.connect, Connection.close, Connection.recv = connect, close, recv


def main() -> None:
    script = Path(sys.argv[1]).resolve()
    close_the_road()
    hurry()
    if SAYS != "network":
        library = "telethon" if "telethon" in script.name else "pyrogram"
        importlib.import_module(library)
        {"telethon": stand_in_for_telethon, "pyrogram": stand_in_for_pyrogram}[library]()
    sys.argv = sys.argv[1:]
    sys.path[0] = str(script.parent)
    runpy.run_path(str(script), run_name="__main__")


main()
