"""Where this process keeps its state, and what time it is. This module is the only reader of the environment; all
other modules get a `Settings`. The module knows paths and the clock. It reads a single file, the note with which a home
says that it watches another Dagster project.
"""

from __future__ import annotations

import json
import os
import pwd
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from ops_project.visible import visible_line

PACKAGE_DIR = Path(__file__).resolve().parent
PROJECT_ROOT = PACKAGE_DIR.parent
CONFIG_DIR = PACKAGE_DIR / "config"
# The files that take the place of shipped ones where the home watches another Dagster project.
CONFIG_OF_PROJECTS_DIR = PACKAGE_DIR / "config_of_projects"
RUNBOOK_DIR = PACKAGE_DIR / "runbooks"
DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"

# An as-of time that is a plain date means 08:00 in New York. By then, the work of the night must be finished.
AS_OF_DATE_TIME = time(8, 0)
AS_OF_DATE_ZONE = ZoneInfo("America/New_York")
# The range leaves room at both ends, so that times can be added and subtracted.
AS_OF_YEARS = range(1971, 2200)


class SettingsError(ValueError):
    """A setting that cannot be used. The message names the setting and says what would be right."""


TIME_FORMS = "2026-03-05 (08:00 New York) or an ISO time (UTC without an offset)"
"""The forms that `parse_as_of` reads, for the help of the options."""


def parse_as_of(text: str) -> datetime:
    """Read an as-of time. It is either a date, which means 08:00 in New York, or an ISO 8601 time. A time without an
    offset is in UTC.
    """
    try:
        if len(text) == len("2011-02-18"):
            moment = datetime.combine(date.fromisoformat(text), AS_OF_DATE_TIME, AS_OF_DATE_ZONE)
        else:
            moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise SettingsError(
            f"as-of time {text!r} is not understood ({error}); write 2011-02-18 or 2011-02-18T08:00:00+00:00"
        ) from None
    if moment.year not in AS_OF_YEARS:
        raise SettingsError(f"as-of time {text!r} lies outside the years {AS_OF_YEARS[0]} to {AS_OF_YEARS[-1]}")
    return moment


def _folder(given: str | Path, what: str) -> Path:
    """The absolute path of a folder. Raises SettingsError if the system cannot have such a path."""
    try:
        found = Path(given).expanduser().resolve()
        found.stat()
    except FileNotFoundError:
        return found
    # An unknown ~user or a loop of links raises RuntimeError; a zero byte raises ValueError.
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SettingsError(f"{what} {str(given)!r} cannot be used: {reason}") from None
    return found


def _note(home: Path) -> Path:
    return home / "state" / "watched.json"


def _watched(home: Path) -> tuple[Path | None, str | None]:
    """(Dagster's home, the configuration folder) of the other project that `home` watches; None if it watches none.
    Raises SettingsError if the note cannot be read, because the home would be taken for one of our pipelines.
    """
    file = _note(home)
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return Path(said["dagster_home"]), said.get("config")
    except (FileNotFoundError, NotADirectoryError):
        return None, None
    except PermissionError:  # The check of the home says in words why it cannot be read.
        return None, None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{file} cannot be read ({type(error).__name__}: {error}); remove it, and start the watched project again"
        ) from None


def account() -> str:
    """The account that runs this process, as the system names it. The environment is not asked, because anybody may set
    it. In a container, the account may have only a number.
    """
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def given_user() -> str:
    """The content of OPS_USER; empty if it is not set."""
    # Bytes that are not UTF-8 could not be stored anywhere.
    return visible_line(os.environ.get("OPS_USER", ""))


def current_user() -> str:
    """The user in whose name a command acts: OPS_USER, or the account if it is not set."""
    return given_user() or visible_line(account())


@dataclass(frozen=True)
class Settings:
    """One home, one configuration overlay, one clock."""

    home: Path
    overlay: Path | None = None
    as_of: datetime | None = None
    watched: Path | None = None
    """Dagster's home of another project, if this home watches one. Such a home has no pipelines of ours."""

    @classmethod
    def load(
        cls,
        home: str | Path | None = None,
        overlay: str | Path | None = None,
        as_of: str | datetime | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Settings:
        """The settings from these arguments. An argument takes precedence over its variable (OPS_HOME, OPS_CONFIG,
        OPS_AS_OF), and a variable over the default.
        """
        env = os.environ if environ is None else environ
        home = _folder(home or env.get("OPS_HOME") or PROJECT_ROOT / "data", "home")
        watched, config = _watched(home)
        named_by = (
            "--config" if overlay else "OPS_CONFIG" if env.get("OPS_CONFIG") else "config= of the watched project"
        )
        overlay = overlay or env.get("OPS_CONFIG") or config
        return cls._of(home, overlay, as_of or env.get("OPS_AS_OF") or None, watched, named_by=named_by)

    @classmethod
    def _of(
        cls,
        home: Path,
        overlay: str | Path | None,
        as_of: str | datetime | None,
        watched: Path | None,
        *,
        named_by: str,
    ) -> Settings:
        overlay_dir = _folder(overlay, "configuration folder") if overlay else None
        if overlay_dir is not None and not overlay_dir.is_dir():
            wrong = "is not a folder" if overlay_dir.exists() else "does not exist"
            raise SettingsError(f"configuration folder {overlay_dir} {wrong}; {named_by} takes a folder")
        if isinstance(as_of, str):
            as_of = parse_as_of(as_of)
        if as_of is not None and as_of.tzinfo is None:
            raise SettingsError(f"as-of time {as_of} has no time zone")
        return cls(home=home, overlay=overlay_dir, as_of=as_of, watched=watched)

    @classmethod
    def watching(
        cls,
        home: str | Path | None = None,
        overlay: str | Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Settings:
        """The settings inside another Dagster project, whose home is DAGSTER_HOME. By default the state is kept in the
        folder `operations` of that home. Raises SettingsError if the state would lie in a home of our own pipelines.
        """
        env = os.environ if environ is None else environ
        dagster = _folder(env.get("DAGSTER_HOME") or PROJECT_ROOT / "data" / "dagster", "DAGSTER_HOME")
        where = _folder(home or env.get("OPS_HOME") or dagster / "operations", "home")
        # The note is written from here and not read. So a damaged note stops nobody, and an old one decides nothing.
        named_by = "config=" if overlay else "OPS_CONFIG"
        overlay = overlay or env.get("OPS_CONFIG")
        found = cls._of(where, overlay, env.get("OPS_AS_OF") or None, dagster, named_by=named_by)
        if found.warehouse.exists():
            raise SettingsError(f"home {found.home} holds a warehouse; give operations over another project its own")
        return found

    def watch(self) -> None:
        """Make the home, and note in it which Dagster home it watches, and with which configuration. Without the note
        a command would take the home for one of our pipelines.
        """
        file = _note(self.home)
        said = {"dagster_home": str(self.watched), "config": str(self.overlay) if self.overlay else None}
        text = json.dumps(said, indent=2) + "\n"
        if not file.is_file() or file.read_bytes() != text.encode():
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_name(f".{file.name}-{os.getpid()}")
            partial.write_text(text, encoding="utf-8")
            partial.replace(file)

    def now(self) -> datetime:
        """The present time in UTC; the as-of time if one is set. Only entry points may call this."""
        return self.as_of or datetime.now(UTC)

    @property
    def inbound(self) -> Path:
        return self.home / "inbound"

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    @property
    def warehouse(self) -> Path:
        """The warehouse's DuckDB file. Files that the writer spills to disk lie in the same folder."""
        return self.home / "warehouse" / "warehouse.duckdb"

    @property
    def snapshots(self) -> Path:
        return self.home / "snapshots"

    @property
    def published(self) -> Path:
        return self.home / "published"

    @property
    def ledger_url(self) -> str:
        """The SQLAlchemy URL of the ledger: OPS_LEDGER_URL, otherwise an SQLite file in the home."""
        return os.environ.get("OPS_LEDGER_URL") or self._embedded_ledger

    @cached_property
    def _embedded_ledger(self) -> str:
        return f"sqlite:///{self.home / 'ledger' / 'ledger.db'}"

    @property
    def ledger_shown(self) -> str:
        """The place of the ledger, as people may see it: the path of the file, or the URL without its password."""
        url = self.ledger_url
        if url.startswith("sqlite:///"):
            return url.removeprefix("sqlite:///")
        return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)

    @property
    def models(self) -> Path:
        """The folder of the embedded model registry. It holds the registry's database and files, and the record of
        which version is in use.
        """
        return self.home / "models"

    @property
    def registry_url(self) -> str:
        """The URI of MLflow's tracking and registry: OPS_REGISTRY_URL, otherwise an SQLite file in the home."""
        return os.environ.get("OPS_REGISTRY_URL") or f"sqlite:///{self.models / 'mlflow.db'}"

    @property
    def dagster_home(self) -> Path:
        return self.watched or self.home / "dagster"

    @property
    def lock(self) -> Path:
        return self.home / "writer.lock"

    @property
    def links(self) -> Path:
        """The folder of the key that signs links in messages."""
        return self.home / "links"

    @property
    def truth(self) -> Path:
        """The record of what `ops simulate --fault` did. Only tests may read it."""
        return self.home / "truth.json"

    def environ(self) -> dict[str, str]:
        """The variables that make a child process see this home, overlay and clock."""
        variables = {
            "OPS_HOME": str(self.home),
            "DAGSTER_HOME": str(self.dagster_home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            # The events of a run's plan are stored together and not one by one; see
            # ops_project/dagster_bridge/storage.py.
            "DAGSTER_EVENT_BATCH_SIZE": "1000",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_LOGGING_LEVEL": "ERROR",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        }
        if self.overlay is not None:
            variables["OPS_CONFIG"] = str(self.overlay)
        if self.as_of is not None:
            variables["OPS_AS_OF"] = self.as_of.isoformat()
        return variables

    def export(self, **more: str) -> None:
        """Set the variables in this process, for libraries that read the environment themselves (Dagster, dbt). `more`:
        further variables.
        """
        os.environ.update(self.environ() | more)

    def options(self) -> list[str]:
        """The options of `ops` with which a command sees this home, overlay and clock."""
        words = ["--home", str(self.home)]
        words += ["--config", str(self.overlay)] if self.overlay is not None else []
        return words + (["--as-of", self.as_of.isoformat()] if self.as_of is not None else [])

    @property
    def user(self) -> str:
        """The name of the user: OPS_USER, or the account if it is not set."""
        return current_user()

    @contextmanager
    def exported(self, **more: str) -> Iterator[None]:
        """Set the variables as `export` does, for the length of a block. Afterwards the environment is as it was
        before.
        """
        before = dict(os.environ)
        self.export(**more)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    @staticmethod
    def secret(name: str) -> str | None:
        """A secret from the environment; None if it is not set or empty."""
        return os.environ.get(name) or None
