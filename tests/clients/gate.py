"""A road to the server that notes what passes and can lose, delay or refuse it."""

import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# The answer never arrives, though the server has done what was asked.
LOST = "lost"


@dataclass(frozen=True)
class Refusal:
    """An answer in the server's place. Without a number it is not in the server's form."""

    status: int
    number: int | None = None
    retry_after: int | None = None


@dataclass(frozen=True)
class Passed:
    """A request and its answer, as the server or a refusal gave it."""

    at: float
    path: str
    key: str | None
    body: dict
    status: int
    data: dict


class Gate:
    """Listens until the end of a `with` block; `faults[path]` are met in order, then the road is free."""

    def __init__(self, server: str, faults: dict[str, list] | None = None) -> None:
        self.server = urlsplit(server)
        self.faults = {path: list(these) for path, these in (faults or {}).items()}
        self.passed: list[Passed] = []
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                gate._pass(self)

            def log_message(self, *_) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> "Gate":
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._http.shutdown()
        self._http.server_close()

    def of(self, path: str) -> list[Passed]:
        return [one for one in self.passed if one.path == path]

    def _pass(self, request: BaseHTTPRequestHandler) -> None:
        at = time.monotonic()
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        path = request.path.rsplit("/", 1)[-1]
        waiting = self.faults.get(path)
        fault = waiting.pop(0) if waiting else None
        status, headers, answer = _refuse(fault) if isinstance(fault, Refusal) else self._ask(request, body)
        data = json.loads(answer).get("data") if status == 200 else None
        key = request.headers.get("Idempotency-Key")
        self.passed.append(Passed(at, path, key, json.loads(body), status, data or {}))
        if fault == LOST:
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        request.send_response(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection", "date", "content-length"):
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def _ask(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list, bytes]:
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        server = http.client.HTTPConnection(self.server.hostname, self.server.port, timeout=30)
        server.request("POST", request.path, body, headers)
        answer = server.getresponse()
        return answer.status, answer.getheaders(), answer.read()


def _refuse(refusal: Refusal) -> tuple[int, list, bytes]:
    headers = [] if refusal.retry_after is None else [("Retry-After", str(refusal.retry_after))]
    if refusal.number is None:
        return refusal.status, [*headers, ("Content-Type", "text/html")], b"<h1>busy</h1>"
    error = {"code": "test", "number": refusal.number, "message": "said by the test"}
    body = {"title": "Test", "status": refusal.status, "success": False, "error": error}
    return refusal.status, [*headers, ("Content-Type", "application/problem+json")], json.dumps(body).encode()
