"""A webhook on a free port of this machine: what was posted to it is what somebody was told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook:
    """What was posted so far; with `is_down` it answers that it cannot, and so it does to titles
    with the words of `refuses`. `asked`: how often it was, whatever it answered.
    """

    def __init__(self, port: int = 0) -> None:
        self.posted: list[dict[str, Any]] = []
        self.is_down, self.refuses, self.asked = False, "", 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked += 1
                is_refused = bool(outer.refuses) and outer.refuses in body["title"]
                is_taken = not outer.is_down and not is_refused
                if is_taken:
                    outer.posted.append(body)
                self.send_response(200 if is_taken else 503)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing: tests look at what was posted."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"json://127.0.0.1:{self.server.server_port}/hook-with-a-secret"

    @property
    def titles(self) -> list[str]:
        """The first line of each alert."""
        return [post["title"] for post in self.posted]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A webhook that listens until the block ends."""
    hook = Webhook()
    thread = threading.Thread(target=hook.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.server.shutdown()
        hook.server.server_close()
        thread.join()
