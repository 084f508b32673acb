"""Errors of HTTP clients: requests, urllib, urllib3 and httpx2 against a server that misbehaves."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ops_project.model.failure_class import FailureClass
from tests.operations.diagnosis.make_errors import Case

STATUSES: dict[int, FailureClass] = {
    400: "code_error",
    401: "config_error",
    403: "config_error",
    404: "source_missing",
    408: "timeout",
    409: "lock_contention",
    410: "source_missing",
    413: "resource_exhausted",
    422: "data_invalid",
    429: "resource_exhausted",
    500: "connection_failure",
    502: "connection_failure",
    503: "connection_failure",
    504: "timeout",
    507: "storage_full",
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        what = self.path.rpartition("/")[2]
        if what.isdecimal():
            self.send_response(int(what))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif what == "slow":
            time.sleep(1.0)
        elif what == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 10)
        elif what == "hangup":
            self.connection.shutdown(socket.SHUT_RDWR)
        elif what == "garbage":
            self.wfile.write(b"this is no answer\r\n\r\n")
        elif what == "text":
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"oops")
        elif what == "gzip":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"oops")
        elif what == "loop":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def served() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def cases(url: str) -> list[Case]:
    import httpx2
    import requests
    import urllib3

    def by_requests(path: str, timeout: float = 0.4) -> Callable[[], object]:
        def call() -> object:
            answer = requests.get(path, timeout=timeout)
            answer.raise_for_status()
            return answer.json()

        return call

    def by_httpx(path: str, timeout: float = 0.4) -> Callable[[], object]:
        def call() -> object:
            answer = httpx2.get(path, timeout=timeout, follow_redirects=True)
            answer.raise_for_status()
            return answer.json()

        return call

    def by_urllib(path: str) -> Callable[[], object]:
        def call() -> object:
            with urllib.request.urlopen(path, timeout=0.4) as answer:
                return json.loads(answer.read())

        return call

    def by_urllib3(path: str) -> Callable[[], object]:
        pool = urllib3.PoolManager(retries=urllib3.Retry(1, redirect=2, backoff_factor=0), timeout=0.4)
        return lambda: pool.request("GET", path).json()

    closed, https = "http://127.0.0.1:1", url.replace("http:", "https:")
    clients: dict[str, Callable[[str], Callable[[], object]]] = {
        "requests": by_requests,
        "httpx": by_httpx,
        "urllib": by_urllib,
    }
    found: list[Case] = [
        (f"{name} {status}", expected, ask(f"{url}/{status}"))
        for status, expected in STATUSES.items()
        for name, ask in clients.items()
    ]
    bad: list[tuple[str, FailureClass, str]] = [
        ("refused", "connection_failure", f"{closed}/x"),
        ("no name", "connection_failure", "http://no-such-host.invalid/x"),
        ("slow", "timeout", f"{url}/slow"),
        ("cut", "source_partial", f"{url}/cut"),
        ("hangup", "connection_failure", f"{url}/hangup"),
        ("tls", "connection_failure", f"{https}/text"),
        ("no json", "data_invalid", f"{url}/text"),
        ("loop", "code_error", f"{url}/loop"),
        ("scheme", "code_error", "gopher://127.0.0.1/x"),
    ]
    found += [
        (f"{name} {what}", expected, ask(path))
        for what, expected, path in bad
        for name, ask in {**clients, "urllib3": by_urllib3}.items()
        if (name, what) not in {("urllib", "scheme"), ("urllib", "loop")}
    ]
    return [
        *found,
        ("requests gzip", "source_partial", by_requests(f"{url}/gzip")),
        ("requests no scheme", "code_error", by_requests("127.0.0.1/x")),
        ("requests no host", "code_error", by_requests("http://")),
        ("urllib scheme", "config_error", by_urllib("gopher://127.0.0.1/x")),
        ("httpx no host", "code_error", by_httpx("http://")),
        ("urllib garbage", "connection_failure", by_urllib(f"{url}/garbage")),
        ("requests garbage", "connection_failure", by_requests(f"{url}/garbage")),
    ]
