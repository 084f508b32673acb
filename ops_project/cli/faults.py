"""What a command prints when something goes wrong: one line that says what happened, where, and what to do next. It
never prints a stack trace.

The stack trace of a fault is written to `logs/faults.log` in the home, for the person who repairs the fault. Ctrl-C is
not a fault.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ops_project.causes import chain
from ops_project.process import interrupts
from ops_project.settings import PROJECT_ROOT, Settings
from ops_project.visible import visible, visible_line

INTERRUPTED = 128 + signal.SIGINT
BROKEN_PIPE = 128 + signal.SIGPIPE
FAULT = 1
MISUSE = 2
LONGEST = 600
"""How many characters of an error's own text are shown. The log has the whole text."""


def ended(command: Callable[[], Any], settings: Callable[[], Settings | None]) -> int:
    """Run `command` and return its exit code. `settings` is called only after a fault, to find the home whose log gets
    the trace.
    """
    with interrupts.watching():
        try:
            result = command()
            # Writing the last part of the answer may be the first step that meets a closed pipe or a full disk.
            sys.stdout.flush()
            return result if isinstance(result, int) else 0
        except SystemExit as error:
            return error.code if isinstance(error.code, int) else FAULT if error.code else 0
        except BaseException as error:
            if _interrupted(error):
                more = [str(one) for one in chain(error) if type(one) is KeyboardInterrupt and one.args]
                say(" ".join(["Interrupted by you.", *more]))
                return INTERRUPTED
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                _forget_output()
                return BROKEN_PIPE
            return _told(error, settings)


def say(words: str) -> None:
    """Print to standard error. If standard error is closed too, nothing is printed and no error is raised."""
    try:
        click.echo(visible(words), err=True)
    except OSError:
        return


def one_line(text: str) -> str:
    """The text of an error in one line of limited length."""
    line = visible_line(" ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} …"


def _interrupted(error: BaseException) -> bool:
    return (
        interrupts.pressed() or isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt)
    )


def _told(error: BaseException, settings: Callable[[], Settings | None]) -> int:
    from ops_project.model.document import ConfigError
    from ops_project.settings import SettingsError

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        say(error.format_message())  # This text is the whole help, which begins with the usage.
        return error.exit_code
    if isinstance(error, click.ClickException):
        _usage(error)
        say(f"Error: {error.format_message()}")
        return error.exit_code
    if isinstance(error, ConfigError):
        count = len(error.problems)
        say(f"The configuration has {count} mistake{'s' if count > 1 else ''}:\n{error}")
        return MISUSE
    if isinstance(error, SettingsError):
        say(f"Error: {error}")
        return MISUSE
    if isinstance(error, click.Abort | EOFError):
        say("Ended: there was no answer to read.")
        return FAULT
    home = settings()
    say(f"Error: {in_words(error, home)}")
    if (file := keep(error, home)) is not None:
        say(f"The trace is in {file}")
    return FAULT


def _usage(error: click.ClickException) -> None:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.UsageError) and context is not None:
        say(context.get_usage())
        say(f"`{context.command_path} --help` says more.")


def in_words(error: BaseException, settings: Settings | None) -> str:
    """The error in one line: what happened, where, and what to do next."""
    found = _known(error, settings)
    if found is not None:
        return found
    if (damaged := _damaged_ledger(settings)) is not None:
        return damaged
    where = _place(error)
    return (
        f"{type(error).__name__}: {one_line(str(error)) or 'no text'}{f' ({where})' if where else ''}. "
        "This is a fault of the program: please report it with the trace, as SECURITY.md says."
    )


def _damaged_ledger(settings: Settings | None) -> str | None:
    """What is wrong with the ledger's file; None if nothing is wrong. A damaged file returns strange values, which
    cause errors in other places.
    """
    if settings is None or not settings.home.is_dir():
        return None
    from ops_project.operations.ledger.damage import damage

    found = damage(settings.ledger_url)
    return None if found is None else str(found)


def _known(error: BaseException, settings: Settings | None) -> str | None:
    """The line for an error whose next step is known; None for any other. The error is recognised by the name of its
    type, because importing the libraries of these types would slow down the start of every command.
    """
    for one in chain(error):
        names = {cls.__name__ for cls in type(one).__mro__}
        text = one_line(str(one))
        if isinstance(one, OSError):
            return _system(one, settings)
        # The messages of these errors already name the place and the next step.
        if names & {"Unusable", "NoSnapshot", "DbtParseError", "LockTimeout", "ReconcileError", "QueryError"}:
            return text
        if isinstance(one, MemoryError) or "OutOfMemoryException" in names:
            said = text or "the machine gave no more"
            return f"out of memory: {said}. Ask for less, or end other programs that run here."
        if isinstance(one, RecursionError):
            return "the input is nested too deeply to be read. Look for brackets or aliases that never end."
        if names & {"DBAPIError", "DagsterPostgresException"}:
            return _database(one, settings)
        if "duckdb" in type(one).__module__ or type(one).__module__.startswith("_duckdb"):
            return f"DuckDB: {text}. `ops status` shows whether the warehouse and its newest copy can be read."
    return None


def _database(error: BaseException, settings: Settings | None) -> str:
    cause = one_line(str(getattr(error, "orig", None) or error))
    if settings is not None and _is_of_dagster(error):
        from ops_project.dagster_bridge.storage_errors import storage_words

        return storage_words(error, settings.dagster_home)
    ledger = settings.ledger_shown if settings is not None else "the ledger"
    return (
        f"the store {ledger} could not be used: {cause}. Until it can be used again, no alert is read or recorded. "
        "`ops status` says more; the data is not touched."
    )


def _is_of_dagster(error: BaseException) -> bool:
    """Whether Dagster's own storage caused the error. The type of the error does not tell, because the ledger raises
    the same types.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        parts = Path(frame.filename).parts
        if "ledger" in parts and Path(frame.filename).is_relative_to(PROJECT_ROOT):
            return False
        if {"dagster", "dagster_postgres", "dagster_mysql"} & set(parts):
            return True
    return False


def _system(error: OSError, settings: Settings | None) -> str:
    place = visible_line(str(error.filename)) if error.filename else f"the home {settings.home}" if settings else "?"
    reason = error.strerror or str(error)
    steps = {
        errno.ENOSPC: "Free space on that disk, then run the command again: no half-written file is used.",
        errno.EDQUOT: "Free space in your quota, then run the command again: no half-written file is used.",
        errno.EROFS: "It lies on a read-only file system: mount it writable, or choose another home with --home.",
        errno.EACCES: "Let this user read and write it, or choose another home with --home.",
        errno.EPERM: "Let this user read and write it, or choose another home with --home.",
        errno.ENOENT: "Check the path; if another process removed the file, run the command again.",
        errno.ENOTDIR: "A file stands where a folder should be: move it away, or choose another home with --home.",
        errno.EISDIR: "A folder stands where a file should be: move it away, or choose another home with --home.",
        errno.EMFILE: "Raise the limit of open files (ulimit -n), then run it again.",
    }
    return f"{place}: {reason}. {steps.get(error.errno or 0, 'Repair it and run the command again.')}"


def _place(error: BaseException) -> str:
    """The file and line of this project's code that lie deepest in the trace; empty if the trace has none."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(PROJECT_ROOT / "ops_project"):
            return f"{Path(frame.filename).relative_to(PROJECT_ROOT)}:{frame.lineno}"
    return ""


def keep(error: BaseException, settings: Settings | None) -> Path | None:
    """Append the trace to the home's log. Returns the path of the log, or None if no home exists."""
    if settings is None or not settings.home.is_dir():
        return None
    file = settings.home / "logs" / "faults.log"
    lines = traceback.format_exception(error)
    try:
        file.parent.mkdir(exist_ok=True)
        with file.open("a", encoding="utf-8", errors="backslashreplace") as writer:
            writer.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {visible_line(' '.join(sys.argv))}\n")
            writer.writelines(lines)
    except OSError:
        return None
    return file


def _forget_output() -> None:
    """Discard the output that is still buffered, because the reader has closed the pipe. Otherwise Python would report
    a second error.
    """
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return
