"""Two threads of a process may have different configurations: each masks its own secrets."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from ops_project.model.alerting.receiver import Receiver, WebhookChannel
from ops_project.operations.channels import registry
from ops_project.settings import Settings


def test_a_thread_that_comes_between_two_lines_hides_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path)
    mine, other = (
        {name: Receiver(title="A hook", channels=[WebhookChannel(type="webhook", url_env=name)])}
        for name in ("MY_HOOK", "OTHER_HOOK")
    )
    monkeypatch.setenv("MY_HOOK", "https://mine.example.com/secret")
    monkeypatch.setenv("OTHER_HOOK", "https://other.example.com/secret")

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != registry.__file__:
            return None
        if event == "line":
            registry.secret_values(other, settings)
            registry.secret_names(other)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        values, names = registry.secret_values(mine, settings), registry.secret_names(mine)
    finally:
        sys.settrace(before)
    assert "https://mine.example.com/secret" in values and "https://other.example.com/secret" not in values
    assert names == {"MY_HOOK"}
