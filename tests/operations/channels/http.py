"""A real HTTP server on loopback that keeps its requests and gives the answers that a test has set."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Request = tuple[str, dict[str, str], Any]
"""Path, headers, and the body: JSON if it can be read as JSON, otherwise text."""
Answer = tuple[int, bytes | Callable[[Any], bytes], dict[str, str]]


class Endpoint:
    """The requests to a server, and its answers."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.accepted: list[Request] = []
        """The requests that were answered with success."""
        self.answers: list[Answer] = []
        """(status, body, headers) for the next requests; then 200."""
        self.body = b"ok"
        self.url = ""


@contextmanager
def http_server() -> Iterator[Endpoint]:
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            raw = self.rfile.read(length)
            if len(raw) < length:
                return  # The sender was killed in the middle of its request. A server does not accept half a request.
            body: Any
            try:
                body = json.loads(raw)
            except ValueError:
                body = raw.decode()
            endpoint.requests.append((self.path, dict(self.headers), body))
            status, answer, headers = endpoint.answers.pop(0) if endpoint.answers else (200, endpoint.body, {})
            if callable(answer):
                answer = answer(body)
            if status < 300:
                endpoint.accepted.append((self.path, dict(self.headers), body))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
