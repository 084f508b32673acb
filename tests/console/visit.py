"""A visitor of the console: a client with the session and the form token that a browser would have."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx2
from starlette.testclient import TestClient

from ops_project.console.app import create_app
from ops_project.settings import Settings
from tests.operations.incidents.world import IncidentWorld

TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')
HERE = ("127.0.0.1", 50_000)
ELSEWHERE = ("192.0.2.7", 50_000)


class Visit:
    """One browser. `at`: the address from which it comes."""

    def __init__(
        self,
        day: IncidentWorld,
        at: tuple[str, int] = HERE,
        base: str = "http://localhost",
        run: Callable[[Settings, list[str]], tuple[bool, str]] | None = None,
        **headers: str,
    ) -> None:
        more: dict[str, Any] = {"run_command": run} if run is not None else {}
        self.app = create_app(day.settings, clock=lambda: day.now, **more)
        self.client = TestClient(self.app, base_url=base, client=at, headers=headers, follow_redirects=False)
        self.day = day

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.app.state.site.reader.close()

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.client.get(path, headers=headers)

    def text(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
        return answer.text

    def token(self, path: str = "/") -> str:
        found = TOKEN.search(self.text(path))
        assert found is not None, f"no form on {path}"
        return found[1]

    def send(
        self, path: str, token: str | None = None, headers: dict[str, str] | None = None, **fields: str
    ) -> httpx2.Response:
        """A form of the console, with its token."""
        data = {"token": self.token() if token is None else token, **fields}
        return self.client.post(path, data=data, headers=headers)

    def act_as(self, person: str) -> Visit:
        assert self.send("/who", who=person).status_code == 303
        return self

    def done(self, path: str, **fields: str) -> str:
        """Send a form, follow the redirect, and return the page."""
        answer = self.send(path, None, None, **fields)
        assert answer.status_code == 303, (answer.status_code, answer.text[:500])
        return self.text(answer.headers["location"])
