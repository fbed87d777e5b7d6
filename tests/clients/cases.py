"""What a client has to do, one function a case. Each raises AssertionError when it is done wrong."""

import hashlib
import json
import random
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gate import LOST, Gate, Passed, Refusal
from snippets import Client, Run, run

# The case after which a credential may be banned.
BANS = "invalid api_id"
FLOOD, BANNED, INVALID = "420 FLOOD_WAIT_37", "400 PHONE_NUMBER_BANNED", "400 API_ID_INVALID"


@dataclass(frozen=True)
class Server:
    url: str
    token: str

    def _ask(self, path: str, body: dict | None = None) -> tuple[int, dict]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Service-Token": self.token, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/admin/api-pool/{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def account(self, account: str) -> dict | None:
        """What the account holds now."""
        return self._ask(f"account?account_id={urllib.parse.quote(account)}")[1]["data"]

    def refuses(self, account: str) -> int:
        """The number with which an account that holds nothing gets no credential."""
        status, answer = self._ask("allocate", {"account_id": account})
        assert status != 200, f"{account} gets another credential"
        return answer["error"]["number"]

    def release(self, account: str) -> None:
        self._ask("release", {"account_id": account})


class Story:
    """One account and its client, seen from outside."""

    def __init__(self, server: Server, client: Client, cwd: Path) -> None:
        self.server, self.client, self.cwd = server, client, cwd
        self.account = f"+888{random.randrange(10**9):09}"

    def __enter__(self) -> "Story":
        return self

    def __exit__(self, *_) -> None:
        self.server.release(self.account)

    def run(self, command: list[str], says: str = "", faults: dict[str, list] | None = None) -> tuple[Run, Gate]:
        with Gate(self.server.url, faults) as gate:
            done = run(command, self.account, says, gate.url, self.server.token, self.cwd)
        self._keeps_secrets(done, gate)
        return done, gate

    def log_in(self, says: str = "", faults: dict[str, list] | None = None) -> tuple[Run, Gate]:
        return self.run(self.client.login, says, faults)

    def telegram(self) -> list[str]:
        """What Telegram was asked since the last look."""
        log = self.cwd / "telegram.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def _keeps_secrets(self, done: Run, gate: Gate) -> None:
        hashes = [one.data["api_hash"] for one in gate.of("allocate") if one.data]
        for secret in [self.server.token, *hashes]:
            assert secret not in done.output, f"a secret is printed: {done.output}"
            for file in self.cwd.rglob("*"):
                is_there = file.is_file() and secret.encode() in file.read_bytes()
                assert not is_there, f"a secret is in {file.name}"


def only(passed: list[Passed], what: str) -> Passed:
    assert len(passed) == 1, f"{len(passed)} × {what} instead of one"
    return passed[0]


def reports(story: Story, done: Run, gate: Gate, fault: str) -> Passed:
    """Allocated once with a key, told Telegram what it got, and reported what happened."""
    allocated = only(gate.of("allocate"), "allocate")
    assert allocated.key, "allocate without Idempotency-Key"
    report = only(gate.of("result"), f"result ({done.output})")
    is_good = fault == "none"
    assert report.body["success"] is is_good and ("error" not in report.body) is is_good, f"reported {report.body}"
    assert report.body["result_id"], "a report without result_id"
    assert report.body["account_id"] == story.account and str(report.body["api_id"]) == allocated.data["api_id"]
    assert report.data["recorded"] and report.data["fault"] == fault, f"{report.body} became {report.data}"
    assert (done.code == 0) is is_good, f"exit code {done.code}: {done.output}"
    secret = hashlib.sha256(allocated.data["api_hash"].encode()).hexdigest()
    asked = story.telegram()
    for line in asked:
        if line.startswith("SendCode"):
            assert line == f"SendCode {allocated.data['api_id']} {secret}", "Telegram saw another credential"
    tried = [line for line in asked if line.startswith("connect ")]
    assert bool(tried) is (fault == "proxy" and story.client.has_session), f"tried to reach {tried}"
    return allocated


def holds(story: Story, allocated: Passed, state: str) -> None:
    held = story.server.account(story.account)
    assert held, "the account holds nothing any more"
    assert held["allocation_id"] == allocated.data["allocation_id"], "the account was moved"
    assert held["state"] == state, f"the account is {held['state']}, not {state}"


def good_login(story: Story, says: str = "") -> None:
    """Logs in, comes back to the same credential, leaves, and may leave again."""
    first = reports(story, *story.log_in(says), "none")
    assert not first.data["existing"]
    holds(story, first, "active")
    done, gate = story.log_in()
    asked = story.telegram()
    assert reports(story, done, gate, "none").data["existing"]
    assert not story.client.has_session or not any("SendCode" in one for one in asked), "logged in again"
    assert gate.of("allocate")[0].key != first.key, "one key for two calls"
    holds(story, first, "active")
    assert not gate.of("release"), "released after a login"
    done, _ = story.run(story.client.log_out)
    assert done.code == 0, done.output
    assert story.server.account(story.account) is None, "still holds a credential after leaving"
    done, _ = story.run(story.client.release)
    assert done.code == 0, f"a second release fails: {done.output}"


def flood(story: Story) -> None:
    """Reports the wait, and doesn't ask Telegram again while it lasts."""
    allocated = reports(story, *story.log_in(FLOOD), "account")
    holds(story, allocated, "cooling")
    done, gate = story.log_in()
    assert done.code != 0, "logs in though the account rests"
    assert not story.telegram() and not gate.of("result"), "asks Telegram though the account rests"
    holds(story, allocated, "cooling")


def banned(story: Story) -> None:
    """Reports it, and gives the credential back."""
    reports(story, *story.log_in(BANNED), "account")
    assert story.server.account(story.account) is None, "a banned account keeps its credential"
    assert story.server.refuses(story.account) == 3008


def stays(story: Story, says: str, fault: str) -> None:
    """Reports a failure that isn't the account's, which keeps its credential."""
    allocated = reports(story, *story.log_in(says), fault)
    holds(story, allocated, "active")
    if story.client.has_session and fault == "proxy":
        # Libraries connect in another way when they have a session.
        reports(story, *story.log_in(), "none")
        reports(story, *story.log_in(says), fault)
        holds(story, allocated, "active")


def tries_again(story: Story) -> None:
    """Comes through lost answers and a busy server, and nothing counts twice."""
    busy = {"allocate": [Refusal(503, 5002, 3), LOST], "result": [Refusal(429, 4001, 3), LOST]}
    done, gate = story.log_in("", busy)
    assert done.code == 0, done.output
    for path, name in (("allocate", "key"), ("result", "result_id")):
        tries = gate.of(path)
        assert len(tries) == 3, f"{len(tries)} tries of {path}"
        same = {one.key or "" if name == "key" else one.body[name] for one in tries}
        assert len(same) == 1 and "" not in same, f"the tries of {path} differ in {name}: {same}"
        assert tries[1].at - tries[0].at >= 3, f"Retry-After of {path} is not kept"
    again = [(one.data.get("allocation_id"), one.data.get("existing")) for one in gate.of("allocate")[1:]]
    assert again[0] == again[1] and again[0][1] is False, f"the same key is answered differently: {again}"
    assert [one.data.get("recorded") for one in gate.of("result")] == [None, True, False], "counted twice"
    done, gate = story.run(story.client.release, "", {"release": [Refusal(503), LOST]})
    assert done.code == 0 and [one.status for one in gate.of("release")] == [503, 200, 404], done.output


def waits_for_room(story: Story) -> None:
    done, gate = story.log_in("", {"allocate": [Refusal(409, 3001, 1)] * 3})
    at = [one.at for one in gate.of("allocate")]
    assert done.code == 0 and len(at) == 4, done.output
    assert at[3] - at[2] > at[1] - at[0] + 1, "the pauses don't grow"


def takes_no(story: Story) -> None:
    """Asks once, when asking again changes nothing."""
    for refusal in (Refusal(409, 3002), Refusal(409, 3008, 1), Refusal(422, 2001), Refusal(403)):
        done, gate = story.log_in("", {"allocate": [refusal]})
        assert done.code != 0 and len(gate.of("allocate")) == 1, f"{refusal}: {done.output}"
        assert str(refusal.number or refusal.status) in done.output, f"doesn't say why: {done.output}"
    assert not story.telegram()
    done, gate = story.run(story.client.release, "", {"release": [Refusal(403, 1003)]})
    assert done.code != 0 and len(gate.of("release")) == 1, "hides a refused release"


Case = Callable[[Story], None]


def for_client(client: Client) -> list[tuple[str, Case]]:
    """Its cases. The two libraries share what speaks to the server, so one of them shows that."""
    these: list[tuple[str, Case]] = [("good login", good_login), ("flood wait", flood), ("banned number", banned)]
    if client.name == "pyrogram":
        these.append(("password", partial(good_login, says="password")))
    else:
        these += [("tries again", tries_again), ("waits for room", waits_for_room), ("takes no", takes_no)]
    these.append(("no network", partial(stays, says="network", fault="proxy")))
    these.append(("Telegram fails", partial(stays, says="500 RPC_CALL_FAIL", fault="telegram")))
    these.append((BANS, partial(stays, says=INVALID, fault="credential")))
    return these
