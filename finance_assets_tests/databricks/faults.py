"""Faults: what a workspace's API does on a bad day, planted by method and route."""

import asyncio
import email.utils
import json
import re
import threading
from dataclasses import dataclass, field


@dataclass
class Fault:
    """A misbehaviour of the next `times` requests to a route.

    `kind`: `status` answers with `status`; `delay` answers late, `delay_answer` after it did
    what was asked; `drop` closes the connection;
    `headers` answers with other headers;
    `truncate` sends half the body; `lose_answer` does what was asked and then closes it.
    """

    method: str
    route: str
    kind: str
    times: int = 1
    status: int = 503
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)

    def fits(self, method: str, path: str) -> bool:
        """Whether it applies to a request."""
        return self.times > 0 and method == self.method and bool(re.search(self.route, path))


class FaultyApp:
    """An ASGI app around another that plays the planted faults, and keeps count of requests."""

    def __init__(self, app) -> None:
        self._app = app
        self._lock = threading.Lock()
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []

    def plant(self, *faults: Fault) -> None:
        """Let these happen to the next requests that fit."""
        with self._lock:
            self.faults.extend(faults)

    def _next(self, method: str, path: str) -> Fault | None:
        with self._lock:
            self.requests.append((method, path))
            for fault in self.faults:
                if fault.fits(method, path):
                    fault.times -= 1
                    return fault
        return None

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fault = self._next(scope["method"], scope["path"])
        told = {"date": email.utils.formatdate(usegmt=True)}
        if fault is not None and fault.kind == "headers":
            told |= fault.headers
        send = _with_headers(send, told)
        if fault is None or fault.kind == "headers":
            await self._app(scope, receive, send)
        elif fault.kind == "status":
            await _answer(send, fault)
        elif fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
        elif fault.kind == "delay_answer":
            await self._app(scope, receive, _late(send, fault.seconds))
        elif fault.kind == "drop":
            receive.__self__.transport.abort()
        elif fault.kind == "lose_answer":
            await self._app(scope, receive, _nowhere)
            receive.__self__.transport.abort()
        else:
            await self._app(scope, receive, _half(send, receive))


async def _nowhere(message) -> None:
    """Takes an answer and sends it to nobody."""


def _late(send, seconds: float):
    """A send that waits before the first word."""

    async def late(message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(seconds)
        await send(message)

    return late


def _half(send, receive):
    """A send that breaks off in the middle of the body."""

    async def broken(message) -> None:
        if message["type"] == "http.response.body" and len(message.get("body", b"")) > 1:
            body = message["body"]
            await send({**message, "body": body[: len(body) // 2], "more_body": True})
            receive.__self__.transport.close()
        elif message["type"] == "http.response.start":
            await send(message)

    return broken


def _with_headers(send, headers: dict[str, str]):
    """Send with some headers replaced."""
    ours = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def replaced(message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", []) if pair[0].decode() not in headers]
            message = {**message, "headers": [*kept, *ours]}
        await send(message)

    return replaced


async def _answer(send, fault: Fault) -> None:
    body = json.dumps({"error_code": "PLANTED", "message": "planted"}).encode()
    if fault.status == 429:
        body = json.dumps({"error_code": "RESOURCE_EXHAUSTED", "message": "slow down"}).encode()
    elif fault.status == 503:
        body = b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "later"}'
    elif fault.status == 500:
        body = b'{"error_code": "INTERNAL_ERROR", "message": "oops"}'
    elif fault.status == 502:
        body = b"<html>Bad Gateway</html>"
    headers = {"content-type": "application/json", **fault.headers}
    encoded = [(k.encode(), v.encode()) for k, v in headers.items()]
    encoded.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": fault.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
