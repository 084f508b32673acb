"""Sends one POST with JSON. It follows no redirect, sets one deadline for the whole call, and limits the size of the
answer.

A redirect would turn the POST into a GET whose success means nothing, or would send the message and its token to
another host. General HTTP clients read as much as the other side sends, and for as long as it sends. So the senders
share this small client.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from ops_project.operations.channels.deadline import Deadline
from ops_project.operations.channels.protocol import TIMEOUT_SECONDS, DeliveryError

ANSWER_BYTES = 65_536
"""How many bytes of an answer are read. The senders need only a few words of it."""
DAY, DAY_DIGITS = 86_400, 5
REDIRECTS = range(300, 400)
AGENT = "ops-project"


@dataclass(frozen=True)
class Answer:
    """The answer of a service: its status, the beginning of its body, and its headers with names in lower case."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is something else."""
        try:
            body = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}

    def retry_after(self) -> timedelta | None:
        """How long the service asks us to wait; None if it gives no time that can be used."""
        words = self.headers.get("retry-after", "").strip()
        if not (words.isascii() and words.isdigit()):
            return None
        # Python refuses to convert a text with thousands of digits into a number.
        return timedelta(seconds=min(int(words[-DAY_DIGITS:]), DAY) if not words[:-DAY_DIGITS].strip("0") else DAY)


def wrong_address(url: str) -> str:
    """Why `url` cannot be the address of a service; empty if it can be. The text never contains the address."""
    if any(character.isspace() or ord(character) < 32 for character in url):
        return "it contains a blank or a control character"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "its host or port cannot be read"
    if parts.scheme not in ("http", "https"):
        return "it does not begin with https:// or http://"
    if not parts.hostname:
        return "it names no host"
    return "its port is 0" if port == 0 else ""


def post(
    service: str,
    url: str,
    body: object,
    headers: Mapping[str, str] | None = None,
    *,
    seconds: float = TIMEOUT_SECONDS,
) -> Answer:
    """Send `body` as JSON. Raises DeliveryError if there is no answer, or if the answer is a redirect. `service`: the
    name that messages show. They never show the address, because it may contain a secret.
    """
    if words := wrong_address(url):
        raise DeliveryError(f"{service}: its address is not usable: {words}", service_down=True)
    deadline = Deadline(seconds)
    try:
        answer = _exchange(url, json.dumps(body).encode(), headers or {}, deadline)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # If the deadline has shut the socket down, the call ends with one of these errors.
        words = str(deadline.error()) if deadline.passed else _words(error)
        raise DeliveryError(f"{service}: {words}", service_down=True) from error
    if answer.status in REDIRECTS:
        raise DeliveryError(
            f"{service}: it answers {answer.status}, a redirect, which is not followed: set the new address"
        )
    return answer


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if isinstance(error, OSError) else type(error).__name__


def _exchange(url: str, body: bytes, headers: Mapping[str, str], deadline: Deadline) -> Answer:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host = parts.hostname or ""
    port = parts.port or (443 if secure else 80)
    proxy = _proxy(parts.scheme, host)
    at = (proxy.hostname or "", proxy.port or 8080) if proxy is not None else (host, port)
    raw = deadline.connect(*at)
    connected: socket.socket = raw
    with deadline.ends(raw):
        try:
            raw.settimeout(deadline.remaining())
            target = parts.path or "/"
            target += f"?{parts.query}" if parts.query else ""
            if proxy is not None and secure:
                _tunnel(raw, host, port, proxy)
            elif proxy is not None:
                target, headers = f"http://{parts.netloc.rpartition('@')[2]}{target}", {**headers, **_login(proxy)}
            if secure:
                connected = _tls().wrap_socket(raw, server_hostname=host)
            connection = http.client.HTTPConnection(host, port)
            connection.sock = connected
            connection.putrequest("POST", target)
            sent = {"Content-Type": "application/json", "User-Agent": AGENT, **headers, "Content-Length": len(body)}
            for name, value in sent.items():
                connection.putheader(name, str(value))
            connection.endheaders(body)
            response = connection.getresponse()
            text = response.read(ANSWER_BYTES).decode("utf-8", "replace")
            if deadline.passed:
                raise deadline.error()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, text, found)
        finally:
            with suppress(OSError):
                connected.close()


def _proxy(scheme: str, host: str) -> SplitResult | None:
    """The proxy for this address according to the usual variables (https_proxy, no_proxy); None if there is none."""
    found = getproxies().get(scheme)
    if not found or proxy_bypass(host):
        return None
    return urlsplit(found if "://" in found else f"http://{found}")


def _login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    both = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}


def _tunnel(raw: socket.socket, host: str, port: int, proxy: SplitResult) -> None:
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
    lines += [f"{name}: {value}" for name, value in _login(proxy).items()]
    raw.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = http.client.HTTPResponse(raw, method="CONNECT")
    answer.begin()
    if answer.status != 200:
        raise OSError(f"the proxy {proxy.hostname} refuses the connection ({answer.status})")


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
