"""The person that `--by` names is a person of owners.yaml, in every command."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from ops_project import catalog
from ops_project.cli import cli
from ops_project.cli.person import person_of
from ops_project.settings import Settings, account
from tests.cli.test_every_command import LEAVES, leaf
from tests.operations.incidents.world import IncidentWorld

# `ops sql --unmasked` refuses everybody outside of one role, and records the attempt with the name that was given.
TAKES_BY = [words for words in LEAVES if any("--by" in param.opts for param in leaf(words).params) and words != ["sql"]]


def ops(home: Path, *words: str, env: dict[str, str | None] | None = None, config: Path | None = None) -> Result:
    more = ["--config", str(config)] if config is not None else []
    return CliRunner(env=env).invoke(cli, ["--home", str(home), *more, *words])


@pytest.mark.parametrize("words", TAKES_BY, ids=" ".join)
def test_a_name_that_nobody_has_is_refused(words: list[str], tmp_path: Path) -> None:
    typo = ops(tmp_path, *words, "--by", "enginer-a")
    assert typo.exit_code == 2, typo.output
    assert (
        "'enginer-a' is not a person of owners.yaml (did you mean engineer-a?); valid: business-analyst" in typo.output
    )
    empty = ops(tmp_path, *words, "--by", " ")
    assert empty.exit_code == 2 and "--by is empty" in empty.output


def test_a_typing_error_does_not_stop_the_escalation(tmp_path: Path) -> None:
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    day.job_fails(assets=("gold/kpi_aggregate_profit",))
    day.advance("1m")
    at = ["--as-of", day.now.isoformat()]
    for deed in ("ack", "take"):
        assert ops(day.settings.home, *at, "incidents", deed, "1", "--by", "nobody-known").exit_code == 2
    assert (found := day.ledger.incident(1)) is not None and (found.status, found.responder) == ("triggered", "")
    assert ops(day.settings.home, *at, "incidents", "ack", "1", "--by", "engineer.b@example.com").exit_code == 0
    assert (found := day.ledger.incident(1)) is not None and found.responder == "engineer-b"


def test_an_account_is_recorded_as_it_is_and_a_broken_configuration_stops_no_acknowledgement(tmp_path: Path) -> None:
    day = IncidentWorld(tmp_path / "home", "2026-03-04 04:10")
    day.job_fails(assets=("gold/kpi_aggregate_profit",))
    day.advance("1m")
    (broken := tmp_path / "config").mkdir()
    (broken / "owners.yaml").write_text("people: 1\n", encoding="utf-8")
    given = ["--as-of", day.now.isoformat(), "incidents"]
    done = ops(day.settings.home, *given, "ack", "1", "--by", "someone", config=broken)
    assert done.exit_code == 0, done.output
    assert ops(day.settings.home, *given, "unack", "1", env={"OPS_USER": None}).exit_code == 0
    assert day.ledger.incident_timeline(1)[-1].by == account()
    assert ops(day.settings.home, *given, "note", "1", "seen", env={"OPS_USER": " "}).exit_code == 2


UNATTENDED = [["backup", "create"]]
"""A job also runs these. A wrong name must not stop it."""


@pytest.mark.parametrize("words", [words for words in TAKES_BY if words not in UNATTENDED], ids=" ".join)
def test_a_name_in_ops_user_follows_the_same_rule(words: list[str], tmp_path: Path) -> None:
    typo = ops(tmp_path, *words, env={"OPS_USER": "enginer-a"})
    assert typo.exit_code == 2, typo.output
    assert "OPS_USER 'enginer-a' is not a person of owners.yaml (did you mean engineer-a?)" in typo.output
    empty = ops(tmp_path, *words, env={"OPS_USER": " "})
    assert empty.exit_code == 2 and "OPS_USER is empty" in empty.output


@pytest.mark.parametrize(("given", "recorded"), [("nightly-backup", "nightly-backup"), (" ", account())])
@pytest.mark.parametrize("words", UNATTENDED, ids=" ".join)
def test_the_name_of_a_job_in_ops_user_does_not_stop_unattended_work(
    words: list[str], given: str, recorded: str, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    done = ops(tmp_path / "home", *words, "--at", str(tmp_path / "backups"), env={"OPS_USER": given})
    assert done.exit_code == 0, done.output
    assert "OPS_USER" in done.stderr and f"{recorded!r} is recorded" in done.stderr
    refused = ops(tmp_path / "home", *words, "--at", str(tmp_path / "backups"), "--by", given)
    assert refused.exit_code == 2


def test_ops_user_may_be_an_address_and_by_goes_before_it(tmp_path: Path) -> None:
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    day.job_fails(assets=("gold/kpi_aggregate_profit",))
    day.advance("1m")
    given = ["--as-of", day.now.isoformat(), "incidents"]
    assert (
        ops(day.settings.home, *given, "note", "1", "seen", env={"OPS_USER": "engineer.b@example.com"}).exit_code == 0
    )
    assert day.ledger.incident_timeline(1)[-1].by == "engineer-b"
    by = ops(day.settings.home, *given, "note", "1", "seen", "--by", "engineer-a", env={"OPS_USER": "nobody-known"})
    assert by.exit_code == 0, by.output


def test_a_team_is_no_person(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="'team:operations' is not a person"):
        person_of(catalog.load(Settings(home=tmp_path)).owners, "team:operations", "--by")
