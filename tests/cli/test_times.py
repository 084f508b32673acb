"""Every command writes a time as `2026-03-03 12:00`."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from ops_project.cli import cli, model, status
from ops_project.cli.output import console
from ops_project.pipeline.learning.registry import Version

AT = "2026-03-03T12:00:30+00:00"


def test_status_says_when_a_domain_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_resource_lines", lambda _: [])
    domain: dict[str, Any] = dict.fromkeys(
        ("last_run", "newest_business_date", "freshness", "open_findings", "open_alerts", "waiting_files")
    )
    domain |= {"domain": "shop", "published": {"as_of": AT, "held": []}}
    rest = dict.fromkeys(
        ("snapshot", "lock", "home", "warehouse", "out_of_date", "backups", "ledger", "dagster", "resources")
    )
    with console.capture() as shown:
        console.print(status._render({"domains": [domain], "unreadable": [], **rest})[0])
    assert "2026-03-03 12:00" in shown.get()


@pytest.mark.parametrize(("written", "shown"), [(AT, "2026-03-03 12:00"), ("", "churn")])
def test_model_list_says_when_a_model_was_trained(written: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Version("churn", "1", "0" * 64, "serving", written, "", {}, {}, {})
    monkeypatch.setattr(model, "_versions", lambda *_: [known])
    answer = CliRunner().invoke(cli, ["model", "list"])
    assert shown in answer.output, answer.output
