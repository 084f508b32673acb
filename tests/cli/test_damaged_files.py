"""Whatever happens to a file that the program keeps in the home, each command that reads the file prints a message."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.dagster_bridge.home import DAGSTER_YAML
from ops_project.settings import Settings
from tests.empty_home import NOW, with_a_snapshot_and_an_alert

AT = NOW.isoformat()
MODEL = {"history": ["1"], "versions": {"1": {"file": "artifacts/1/model.json", "sha256": "0" * 64}}}
RESTORE = {
    "id": "1",
    "source": "snapshot 000001-run-1",
    "by": "ada",
    "at": AT,
    "tables": ["gold.sales"],
    "downstream": [],
    "checksums": [],
    "state": "done",
}
CLOSING = {"job": "master_pipeline", "run_id": "1", "domain": "ecommerce", "state": "closed", "at": AT}
# File in the home → what it holds, and the commands that read it besides `ops status`.
FILES: dict[str, tuple[object, tuple[str, ...]]] = {
    "published/ecommerce/000001-run/manifest.json": ({"id": "1", "as_of": AT, "tables": {}}, ("cycle",)),
    "snapshots/000001-run-1/manifest.json": (None, ("cycle", "alerts list", "sla", "queries")),
    "state/warehouse.json": ({"state": "damaged", "message": "It is damaged.", "at": AT}, ("cycle",)),
    "state/out_of_date.json": ({"gold.sales": {"since": AT, "because": "gold.stock was restored"}}, ()),
    "state/restore.json": (RESTORE, ("restore gold.sales", "restore --undo")),
    "state/closings/master_pipeline.json": (CLOSING, ("cycle",)),
    "state/archive.json": ({"verified": {}, "damaged": [], "last_share": AT}, ("archive verify --share",)),
    "state/backups.json": ({"destination": "x", "since": AT, "backups": [], "proofs": {}}, ("cycle",)),
    "state/recovery_drills.jsonl": ({"started_at": AT}, ("drill recovery --history",)),
    "state/rollback.json": ({"to": "c0ffee"}, ("rollback c0ffee",)),
    "state/home_id": ("abc", ()),
    "state/overlay": ("/nowhere", ("alerts list",)),
    "state/backfills/abc.json": ({"hash": "abc"}, ("backfill ecommerce --apply abc",)),
    "models/serving.json": ({"churn": MODEL}, ("model promote churn 1",)),
    "reports/daily/2026-03-01.json": ({"kind": "daily"}, ("report daily", "report list")),
    "links/links.key": ("x" * 32, ("cycle",)),
    "serve.json": ({"url": "http://x", "process": "1"}, ("cycle",)),
    "ui.json": ({"url": "http://127.0.0.1:3000"}, ("cycle",)),
    "writer.lock": ({"pid": 1, "owner": "ops run", "run": None, "since": AT}, ("restore gold.sales",)),
    "dagster/dagster.yaml": (DAGSTER_YAML, ("rerun abc",)),
}
# No other file holds the content of these files, so the commands report it as unknown.
TOLD = (
    "published/ecommerce/000001-run/manifest.json",
    "snapshots/000001-run-1/manifest.json",
    "state/out_of_date.json",
)


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _endless_link(file: Path) -> None:
    """Replace the file by a link to itself, which no user can read, not even root."""
    file.unlink()
    file.symlink_to(file.name)


def _other_types(file: Path) -> None:
    """Replace each text of the document by a list, and each other value by a text."""
    try:
        found = json.loads(file.read_text())
    except ValueError:
        found = "\0"
    if isinstance(found, dict):
        found = {name: [] if isinstance(value, str) else "x" for name, value in found.items()}
    file.write_text(json.dumps(found))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no text": lambda file: file.write_bytes(bytes(range(128, 256))),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "empty": lambda file: file.write_bytes(b""),
    "a folder": _folder,
    "an endless link": _endless_link,
    "a list": lambda file: file.write_text("[]"),
    "nothing": lambda file: file.write_text("null"),
    "another document": lambda file: file.write_text('{"x": [1]}'),
    "too deep": lambda file: file.write_text("[" * 100_000),
    "zero bytes": lambda file: file.write_bytes(b"\0" * 100),
    "other types": _other_types,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("whole") / "home", as_of=NOW)
    with_a_snapshot_and_an_alert(settings)
    for name, (content, _) in FILES.items():
        file = settings.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            file.write_text(content if isinstance(content, str) else json.dumps(content))
    (settings.home / "links" / "links.key").chmod(0o600)
    (settings.published / "ecommerce" / "current").symlink_to("000001-run")
    return settings


@pytest.fixture
def settings(whole: Settings, tmp_path: Path) -> Iterator[Settings]:
    shutil.copytree(whole.home, tmp_path / "home", symlinks=True)
    yield Settings(home=tmp_path / "home", as_of=NOW)


def ops(settings: Settings, *words: str) -> Result:
    result = CliRunner().invoke(cli, ["--home", str(settings.home), "--as-of", AT, *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exception)
    assert "Traceback" not in result.output and "fault of the program" not in result.output, (words, result.output)
    return result


def test_nothing_is_said_of_files_that_are_whole(settings: Settings) -> None:
    said = " ".join(ops(settings, "status").output.split())
    assert "cannot be read" not in said and "It is damaged." not in said


def holds(settings: Settings, name: str, damage: str, commands: tuple[str, ...]) -> None:
    kept = settings.home / name
    before = settings.home.with_name("before")
    shutil.copytree(settings.home, before, symlinks=True)
    for words in commands:
        shutil.rmtree(settings.home)
        shutil.copytree(before, settings.home, symlinks=True)
        DAMAGES[damage](kept)
        ended = ops(settings, *words.split())
        if words == "status" and name in TOLD:
            said = " ".join(ended.output.split())
            assert str(kept) in said and "cannot be read" in said, said
            assert ended.exit_code == 1
    shutil.rmtree(before)


# Each file is damaged in one way here, and in every way in the long test.
SOME = [(name, damage) for number, name in enumerate(FILES) for damage in list(DAMAGES)[number % 11 :: 11]]


@pytest.mark.parametrize(("name", "damage"), SOME)
def test_a_damaged_file_is_told_in_words(name: str, damage: str, settings: Settings) -> None:
    holds(
        settings, name, damage, ("status", *FILES[name][1][:1]) if name in TOLD else FILES[name][1][:1] or ("status",)
    )


@pytest.mark.soak
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_each_file_damaged_in_each_way(name: str, damage: str, settings: Settings) -> None:
    holds(settings, name, damage, ("status", *FILES[name][1]))
