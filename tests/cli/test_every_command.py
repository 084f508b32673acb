"""Every command, called with a home that is missing, with a home that cannot be used, with an unknown name, and with
Ctrl-C. It never prints a trace.
"""

from __future__ import annotations

import signal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli, faults
from ops_project.cli.home import USES, Use, use_of
from ops_project.cli.reference import walk

STRANGER = "no-such-name"
LEAVES = sorted(
    (path.removeprefix("ops ").split() for path, command in walk(cli, "ops") if not isinstance(command, click.Group)),
)
MAKERS = [words for words in LEAVES if use_of(tuple(words)) is Use.MAKES]
READERS = [words for words in LEAVES if use_of(tuple(words)) in (Use.READS, Use.LOOKS)]
# Without these options a command would run for ever, or write into the project.
ENDS = {"watch": ["--looks", "1"], "metadata generate": ["--models", "MODELS"]}


def leaf(words: list[str]) -> click.Command:
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    return command


def filled(words: list[str], folder: Path) -> list[str]:
    """The command with an unknown name for every argument, and for every option that takes one or is required."""
    line = list(words)
    for param in leaf(words).params:
        if isinstance(param, click.Argument):
            line.append("1" if isinstance(param.type, click.types.IntParamType) else STRANGER)
        elif isinstance(param, click.Option) and param.required:
            line += [param.opts[-1], STRANGER]
        elif isinstance(param, click.Option) and param.opts[0] in ("--domain", "--feed"):
            line += [param.opts[0], STRANGER]
    return line + [word.replace("MODELS", str(folder)) for word in ENDS.get(" ".join(words), [])]


def invoke(*words: str) -> Result:
    result = CliRunner().invoke(cli, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def test_every_use_names_a_command() -> None:
    known = {" ".join(words[:length]) for words in LEAVES for length in range(1, len(words) + 1)}
    assert known >= set(USES)


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_home_that_is_missing_is_told_and_not_made(words: list[str], tmp_path: Path) -> None:
    home = tmp_path / "typo"
    result = invoke("--home", str(home), *filled(words, tmp_path))
    assert result.exit_code != 0
    assert not home.exists()
    assert f"there is no home {home}" in result.stderr or "Usage" in result.stderr


@pytest.mark.parametrize("words", MAKERS, ids=" ".join)
def test_a_command_that_makes_a_home_says_so(words: list[str], tmp_path: Path, occupied: str) -> None:
    home = tmp_path / "new"
    more = ["--port", occupied] if words == ["ui"] else ["--domain", STRANGER]
    result = invoke("--home", str(home), *words, *more)
    assert result.exit_code != 0
    assert f"made a new home: {home}" in result.stderr
    assert home.is_dir()


@pytest.mark.parametrize("words", READERS + MAKERS, ids=" ".join)
@pytest.mark.parametrize("kind", ["file", "below a file", "no name", "below nothing"])
def test_a_home_that_cannot_be_used_is_one_line(words: list[str], kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    home = {
        "file": str(tmp_path / "file"),
        "below a file": str(tmp_path / "file" / "home"),
        "no name": "x" * 300,
        "below nothing": "/proc/nope",
    }[kind]
    result = invoke("--home", home, *filled(words, tmp_path))
    assert result.exit_code != 0
    assert len([line for line in result.stderr.splitlines() if line.startswith("Error: ")]) == 1
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("words", [w for w in LEAVES if w not in (["ui"], ["serve"], ["reference"])], ids=" ".join)
def test_a_name_that_nobody_knows_is_told(words: list[str], tmp_path: Path) -> None:
    home, models = tmp_path / "home", tmp_path / "models"
    home.mkdir()
    models.mkdir()
    line = filled(words, models)
    result = invoke("--home", str(home), *line)
    if STRANGER in line:
        assert result.exit_code in (1, 2), result.output
        assert result.output.strip()
    assert not list(models.iterdir())


@pytest.mark.parametrize(
    "words", [["nonsense"], ["alerts", "nonsense"], ["status", "--nonsense"], ["sql"]], ids=" ".join
)
def test_a_command_that_does_not_exist_is_told(words: list[str], tmp_path: Path) -> None:
    result = invoke("--home", str(tmp_path), *words)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_ctrl_c_ends_every_command_alike(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    command = leaf(words)
    monkeypatch.setattr(command, "callback", pressed)
    monkeypatch.setattr(command, "params", [])
    result = invoke("--home", str(tmp_path), *words)
    assert result.exit_code == faults.INTERRUPTED
    assert "Interrupted by you." in result.stderr
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("error", [RuntimeError("Query interrupted"), click.Abort(), SystemError("ended")], ids=repr)
def test_ctrl_c_that_a_library_turned_into_its_own_error_is_ctrl_c(error: Exception) -> None:
    def command() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise error from None

    assert faults.ended(command, lambda: None) == faults.INTERRUPTED


class _Odd(Exception):
    """An error of a library that the program does not expect."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device", "/x/y"), "/x/y: No space left on device. Free space"),
        (PermissionError(13, "Permission denied", "/x/y"), "/x/y: Permission denied. Let this user"),
        (OSError(30, "Read-only file system", "/x/y"), "/x/y: Read-only file system. It lies on a read-only"),
        (MemoryError(), "out of memory"),
        (RecursionError("maximum depth"), "nested too deeply"),
        (_Odd("[/b] \x1b[2J\nsecond line"), "_Odd: [/b] \\x1b[2J second line"),
        (KeyError("x"), "KeyError: 'x'"),
        (UnicodeEncodeError("ascii", "é", 0, 1, "no"), "UnicodeEncodeError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_any_error_is_a_line_and_its_trace_is_kept(
    error: BaseException, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    command = leaf(["status"])
    monkeypatch.setattr(command, "callback", fails)
    result = invoke("--home", str(tmp_path), "status")
    assert result.exit_code == faults.FAULT
    assert words in result.stderr
    assert "\x1b" not in result.stderr
    trace = (tmp_path / "logs" / "faults.log").read_text()
    assert "Traceback" in trace
    assert type(error).__name__ in trace


def test_a_home_that_takes_no_log_is_no_second_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError("x")

    (tmp_path / "logs").write_text("in the way")
    monkeypatch.setattr(leaf(["status"]), "callback", fails)
    assert invoke("--home", str(tmp_path), "status").exit_code == faults.FAULT


def test_every_number_has_both_bounds() -> None:
    """Without a limit, a number would cause an error in the first store or calendar that cannot hold it."""
    kinds = (click.types.IntParamType, click.types.FloatParamType)
    unbounded = [
        (" ".join(words), *parameter.opts)
        for words in LEAVES
        for parameter in leaf(words).params
        if isinstance(parameter.type, kinds)
        and (getattr(parameter.type, "min", None) is None or getattr(parameter.type, "max", None) is None)
    ]
    assert not unbounded


@pytest.mark.parametrize("words", [[], ["feed"], ["alerts"], ["incidents"]])
def test_a_group_without_a_command_prints_its_help_once(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(words, prog_name="ops")
    said = capsys.readouterr().err
    assert said.count("Usage:") == 1 and "Commands:" in said and "Error" not in said
