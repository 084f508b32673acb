"""Arbitrary bytes as names, values, files and configuration, given to every command: no trace, no hang, no escape, and
nothing is written outside of the home."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ops_project.cli import cli
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.settings import CONFIG_DIR, DBT_PROJECT_DIR, Settings
from tests.cli.test_every_command import LEAVES, leaf
from tests.cli.watched import writes_outside
from tests.empty_home import NOW, with_a_snapshot_and_an_alert

# Each of these texts is a name, a path, markup, SQL or an escape sequence for some program.
SHARP = (
    "[/b] [click]",
    "\x1b[2J\x1b]0;x\x07",
    "../../../outside",
    "/proc/self/environ",
    "'; DROP TABLE x; --",
    "$(touch outside) `touch outside`",
    "{{ 1 }} {x} %s",
    "\udcff\udc80",
    "x" * 5_000,
    "\r\n\t \u2028",
    "\u202e\u200b\u0000".replace("\0", ""),
    "gold.daily_revenue",
    "2026-13-45",
    "9" * 40,
    "nan",
)
BYTES = st.binary(max_size=60)
# A shell passes bytes that are not UTF-8 as lone surrogates. No argument can hold a NUL.
TEXT = st.sampled_from(SHARP) | BYTES.map(lambda data: os.fsdecode(data.replace(b"\0", b"")))
STRANGER = TEXT.map(lambda text: f"x{text}")
NUMBER = st.integers(-(2**70), 2**70).map(str) | st.integers(0, 3).map(str) | TEXT
CONTENT = (
    BYTES
    | st.lists(st.lists(TEXT, min_size=1, max_size=4), min_size=1, max_size=4).map(
        lambda rows: b"\n".join(",".join(row).encode("utf-8", "surrogateescape") for row in rows)
    )
    | st.sampled_from([b"id\n1\n", b'[{"id": 1}, {"id": "\\ud83d"}]', b"PAR1", b"\x1f\x8b", b"&x *x", b"[" * 3_000])
)
FILE_NAME = BYTES.map(lambda data: data.replace(b"\0", b"").replace(b"/", b"")[:60]).filter(
    lambda name: name not in (b"", b".", b"..")
)
# These options are always given. Without them a command would run for ever, run all domains, or write into the project
# itself.
STRANGERS = {"run": "--domain", "simulate": "--domain"}
ALWAYS = {
    "watch": ["--looks", "1"],
    "ui": ["--port", "PORT"],
    "serve": ["--port", "PORT"],
    "reference": ["--check"],
    "metadata generate": ["--models", "FOLDER"],
}
CONFIGURATION = sorted(str(file.relative_to(CONFIG_DIR)) for file in CONFIG_DIR.rglob("*.yaml"))
DEADLINE_MS = 60_000
RULES = settings(
    deadline=DEADLINE_MS,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
QUICK, LONG = settings(RULES, max_examples=2), settings(RULES, max_examples=60)


class Place:
    """A home with a ledger, a snapshot and an alert, and folders beside it in which nothing may appear."""

    def __init__(self, root: Path, port: str) -> None:
        self.root, self.port = root, port
        self.home, self.inputs, self.elsewhere = root / "home", root / "inputs", root / "elsewhere"
        for folder in (self.home, self.inputs, self.elsewhere):
            folder.mkdir()
        dbt_manifest.load()  # the first command of a tree would make the manifest
        with_a_snapshot_and_an_alert(Settings(home=self.home, as_of=NOW))

    def invoke(self, *words: str) -> None:
        before = Path.cwd()
        os.chdir(self.elsewhere)
        try:
            with writes_outside(self.home, DBT_PROJECT_DIR / "target", Path(os.devnull)) as outside:
                result = CliRunner().invoke(cli, ["--home", str(self.home), "--as-of", NOW.isoformat(), *words])
        finally:
            os.chdir(before)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise AssertionError(f"{words} raised") from result.exception
        faults = self.home / "logs" / "faults.log"
        assert not faults.exists(), faults.read_text(errors="replace")
        assert "Traceback" not in result.output
        assert "\x1b" not in result.output
        assert not outside
        assert not list(self.elsewhere.iterdir())

    def file(self, name: bytes, content: bytes) -> str:
        for old in self.inputs.iterdir():
            old.unlink()
        path = self.inputs / os.fsdecode(name)
        path.write_bytes(content)
        return str(path)

    def folder(self) -> str:
        folder = self.home / "named by the user"
        folder.mkdir(exist_ok=True)
        return str(folder)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield Place(tmp_path_factory.mktemp("arbitrary"), str(taken.getsockname()[1]))


@pytest.fixture
def place(shared: Place) -> Place:
    """One home for all examples. The files that one command leaves there are input for the next command."""
    shutil.rmtree(shared.home / "logs", ignore_errors=True)
    return shared


def value(draw: st.DrawFn, place: Place, param: click.Parameter) -> str:
    """A value for an argument or an option, sometimes of its type."""
    kind = param.type.name
    if kind == "file":
        return place.file(draw(FILE_NAME), draw(CONTENT))
    if kind == "directory":
        return place.folder()
    if isinstance(param.type, click.Choice):
        return draw(st.sampled_from(list(param.type.choices)) | TEXT)
    if kind.startswith(("integer", "float", "decimal")) or kind == "Decimal":
        return draw(NUMBER)
    if kind == "datetime":
        return draw(st.dates(date(1, 1, 1), date(9999, 12, 31)).map(str) | TEXT)
    return draw(TEXT)


def line(draw: st.DrawFn, place: Place, words: list[str]) -> list[str]:
    """A command with arbitrary values. Required arguments and options are always given, and the others sometimes."""
    name = " ".join(words)
    options, arguments = [], []
    for param in leaf(words).params:
        if isinstance(param, click.Argument):
            arguments += [value(draw, place, param)] if param.required or draw(st.booleans()) else []
        elif isinstance(param, click.Option):
            if param.opts[0] == STRANGERS.get(name):
                options += [param.opts[0], draw(STRANGER)]
            elif param.is_flag:
                options += [param.opts[0]] if draw(st.booleans()) else []
            elif param.required or draw(st.booleans()):
                options += [param.opts[0], value(draw, place, param)]
    options += [{"PORT": place.port, "FOLDER": place.folder()}.get(word, word) for word in ALWAYS.get(name, [])]
    return [*words, *options, *(["--", *arguments] if arguments else [])]


def tried(place: Place, words: list[str], how: settings) -> None:
    @how
    @given(st.data())
    def holds(data: Any) -> None:
        place.invoke(*line(data.draw, place, words))

    holds()


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_a_command_takes_or_refuses_anything(words: list[str], place: Place) -> None:
    tried(place, words, QUICK)


def texts(words: list[str]) -> list[click.Parameter]:
    """The arguments and options of a command that take any text, and so may become the name of a file."""
    return [
        param
        for param in leaf(words).params
        if param.type.name == "text"
        and not (
            isinstance(param, click.Option) and (param.is_flag or param.opts[0] in ALWAYS.get(" ".join(words), []))
        )
    ]


@pytest.mark.parametrize("words", [words for words in LEAVES if texts(words)], ids=" ".join)
def test_a_text_that_is_too_long_for_the_name_of_a_file_is_refused(
    words: list[str], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", place.folder())  # a draft is made in the folder that TMPDIR names
    for long in texts(words):
        place.invoke(*line_with(long, place, words))


def line_with(long: click.Parameter, place: Place, words: list[str]) -> list[str]:
    """A command with one text of 5,000 characters; the other required arguments are short."""
    options, arguments = [], []
    name = " ".join(words)
    for param in leaf(words).params:
        if param is not long and not param.required and STRANGERS.get(name) != param.opts[0]:
            continue
        text = "x" * 5_000 if param is long else "1" if param.type.name.startswith("integer") else "x"
        if param.type.name in ("file", "directory"):
            text = place.folder() if param.type.name == "directory" else place.file(b"x", b"id\n1\n")
        if isinstance(param, click.Argument):
            arguments.append(text)
        else:
            options += [param.opts[0], text]
    options += [{"PORT": place.port, "FOLDER": place.folder()}.get(word, word) for word in ALWAYS.get(name, [])]
    return [*words, *options, *(["--", *arguments] if arguments else [])]


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_a_command_takes_or_refuses_anything_for_long(words: list[str], place: Place) -> None:
    tried(place, words, LONG)


def configured(place: Place, how: settings, names: list[str], commands: list[list[str]]) -> None:
    """Arbitrary bytes in place of a configuration file, or in the place of one of its words."""
    overlay = place.root / "overlay"

    @how
    @given(st.sampled_from(names), st.sampled_from(commands), CONTENT | TEXT, st.integers(0, 10_000))
    def holds(name: str, words: list[str], content: bytes | str, at: int) -> None:
        shutil.rmtree(overlay, ignore_errors=True)
        file = overlay / name
        file.parent.mkdir(parents=True)
        if isinstance(content, str):
            shipped = (CONFIG_DIR / name).read_bytes()
            parts = shipped.split(b" ")
            parts[at % len(parts)] = content.encode("utf-8", "surrogateescape")
            content = b" ".join(parts)
        file.write_bytes(content)
        place.invoke("--config", str(overlay), *words)

    holds()


READS_CONFIGURATION = [["feed", "list"], ["config", "show"], ["rules", "lint"], ["owners", "list"], ["status"]]


def test_any_configuration_is_taken_or_told(place: Place) -> None:
    configured(place, settings(RULES, max_examples=10), CONFIGURATION, READS_CONFIGURATION[:2])


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", CONFIGURATION)
def test_any_configuration_is_taken_or_told_for_long(name: str, place: Place) -> None:
    configured(place, LONG, [name], READS_CONFIGURATION)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_any_file_that_arrives_is_landed_or_told(place: Place) -> None:
    inbound = place.home / "inbound" / "ecommerce"
    inbound.mkdir(parents=True)
    names = st.sampled_from([b"orders_2026-03-01.csv", b"customers_2026-03-01.csv"]) | FILE_NAME

    @settings(RULES, max_examples=12)
    @given(names, CONTENT)
    def holds(name: bytes, content: bytes) -> None:
        (inbound / os.fsdecode(name)).write_bytes(content)
        place.invoke("run", "--domain", "ecommerce")

    holds()
