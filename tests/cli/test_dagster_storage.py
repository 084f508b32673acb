"""A file of Dagster's storage is damaged: the commands that need it name it and the next step, and messages about
alerts are still sent.
"""

from __future__ import annotations

import json
import shutil
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge.runs import open_instance
from ops_project.dagster_bridge.storage_damage import FILES
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings
from tests import postgres
from tests.empty_home import NOW, with_a_snapshot_and_an_alert

RUNS = FILES[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an alert about which a message was sent, and a storage of Dagster without runs."""
    settings = Settings(home=tmp_path_factory.mktemp("whole") / "home", as_of=NOW)
    with_a_snapshot_and_an_alert(settings)
    dagster_home.ensure(settings)
    with settings.exported(), open_instance(settings):
        pass
    assert ops(settings, "cycle").exit_code == 0
    return settings.home


@pytest.fixture
def settings(whole: Path, tmp_path: Path) -> Settings:
    shutil.copytree(whole, tmp_path / "home")
    return Settings(home=tmp_path / "home", as_of=NOW)


def ops(settings: Settings, *words: str, at: timedelta = timedelta()) -> Result:
    moment = (NOW + at).isoformat()
    result = CliRunner().invoke(cli, ["--home", str(settings.home), "--as-of", moment, *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output and "fault of the program" not in result.output, result.output
    return result


def told(settings: Settings) -> str:
    return "".join(file.read_text(encoding="utf-8") for file in settings.home.rglob("alerts.jsonl"))


def overwritten(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:8192] = b"\xa5" * 4096
    file.write_bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_status_names_a_file_that_is_damaged_inside_or_gone(settings: Settings, name: str) -> None:
    file = settings.dagster_home / name
    overwritten(file)
    ended = ops(settings, "status")
    said = " ".join(ended.output.split())
    assert ended.exit_code == 1 and f"{file} is damaged" in said and "`ops backup list`" in said
    assert "never ran" not in said and "unknown" in said
    file.unlink()
    ended = ops(settings, "status")
    assert ended.exit_code == 1 and f"{file} is not there" in " ".join(ended.output.split())
    assert json.loads(ops(settings, "status", "--json").stdout)["dagster"]


def test_alerts_are_told_while_runs_cannot_be_seen(settings: Settings) -> None:
    file = settings.dagster_home / RUNS
    file.write_bytes(b"this is not a database" * 500)
    open_ledger(settings).append([Signal("asset.failure", FIRING, NOW, NOW, "2", 1.0, asset="gold/customer_metrics")])
    ended = ops(settings, "cycle", at=timedelta(minutes=20))
    assert ended.exit_code == 1 and f"{file} is not a database" in " ".join(ended.stderr.split())
    assert "alerts were not recorded" not in ended.output
    shown = ops(settings, "alerts", "list").output
    assert "customer_metrics" in shown, "what the ledger knows is decided"
    assert "customer_metrics" in told(settings), "and told"
    assert f"{file} is not a database" in told(settings), "and that runs cannot be seen is an alert itself"


def test_a_run_that_cannot_begin_is_an_alert(settings: Settings) -> None:
    file = settings.dagster_home / RUNS
    file.write_bytes(b"this is not a database" * 500)
    ended = ops(settings, "run", "--domain", "ecommerce", at=timedelta(minutes=20))
    assert ended.exit_code == 1 and f"{file} is not a database" in " ".join(ended.stderr.split())
    assert f"{file} is not a database" in told(settings)


def test_a_watcher_goes_on_and_says_it_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    (settings.dagster_home / RUNS).write_bytes(b"this is not a database" * 500)
    ended = ops(settings, "watch", "--looks", "3")
    assert ended.exit_code == 0 and ended.output.count("is not a database") == 1
    assert "the check failed" not in ended.output


@pytest.mark.parametrize("content", [b"\x80\xff", b"storage: [", b"storage: {custom: {module: nope, class: X}}", None])
def test_a_dagster_yaml_that_cannot_be_used_is_named(settings: Settings, content: bytes | None) -> None:
    """`None`: a link that leads to itself, which nobody can read."""
    file = settings.dagster_home / "dagster.yaml"
    file.unlink()
    if content is None:
        file.symlink_to(file.name)
    else:
        file.write_bytes(content)
    for words in ("status", "cycle"):
        ended = ops(settings, words, at=timedelta(minutes=20))
        assert ended.exit_code == 1 and f"{file} cannot be used" in " ".join(ended.output.split()), ended.output
        assert "never ran" not in ended.output


@pytest.fixture
def on_a_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The storage is on a server that does not answer, because nothing listens on the port of its address."""
    pytest.importorskip("dagster_postgres", reason="the extra `postgres` is not installed here")
    shutil.rmtree(settings.dagster_home)
    settings.dagster_home.mkdir()
    (settings.dagster_home / "dagster.yaml").write_text(postgres.DAGSTER_YAML, encoding="utf-8")
    monkeypatch.setenv("OPS_DAGSTER_URL", "postgresql+psycopg2://ada:hush@127.0.0.1:1/dagster")
    monkeypatch.setattr("dagster_postgres.utils.calculate_delay", lambda **_: 0.0)
    return settings


def test_a_server_that_does_not_answer_is_one_line_everywhere(on_a_server: Settings, free: str) -> None:
    lines = (
        ["status"],
        ["cycle"],
        ["rerun", "abc"],
        ["ui", "--port", free],
        ["run", "--domain", "ecommerce"],
    )
    for words in lines:
        ended = ops(on_a_server, *words, at=timedelta(minutes=20))
        said = " ".join(ended.output.split())
        assert ended.exit_code == 1, words
        assert "Dagster's storage postgresql://ada:***@127.0.0.1:1/dagster could not be used: " in said, words
        assert "See whether the server runs" in said and ".db files" not in said
        assert "hush" not in said and "Retrying" not in said
        assert words == ["cycle"] or said.count("could not be used") == 1
    assert "Dagster's storage postgresql://" in told(on_a_server) and "hush" not in told(on_a_server)


@pytest.fixture
def free() -> str:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
