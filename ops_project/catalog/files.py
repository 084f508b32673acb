"""The files that are read: the shipped files, and the files of the overlay that replace or extend them."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from ops_project.model.alerting.calendar import Calendar
from ops_project.model.alerting.metric import Metrics
from ops_project.model.alerting.receiver import Receivers
from ops_project.model.alerting.retention import Retention
from ops_project.model.alerting.route import Routes
from ops_project.model.alerting.rule import Rules
from ops_project.model.alerting.sla import Slas
from ops_project.model.base import Model
from ops_project.model.checklist import Checklists
from ops_project.model.checks import Checks
from ops_project.model.console import Console
from ops_project.model.document import ConfigError, ConfigProblem, Document
from ops_project.model.domain import Domains
from ops_project.model.failure_rules import FailureClasses
from ops_project.model.freshness import Freshness
from ops_project.model.learning import Learning
from ops_project.model.oncall.escalation import EscalationFile
from ops_project.model.oncall.schedule import OnCallFile
from ops_project.model.owner import Owners
from ops_project.model.platform import Platform
from ops_project.model.reconciliation import Reconciliations
from ops_project.model.roles import Roles
from ops_project.nearest import did_you_mean
from ops_project.settings import CONFIG_DIR, CONFIG_OF_PROJECTS_DIR, DBT_PROJECT_DIR

# One file, one model. The name is the attribute of Catalog that holds it.
FILES: dict[str, type[Model]] = {
    "platform": Platform,
    "owners": Owners,
    "domains": Domains,
    "freshness": Freshness,
    "reconciliations": Reconciliations,
    "checks": Checks,
    "models": Learning,
    "metrics": Metrics,
    "rules": Rules,
    "routes": Routes,
    "receivers": Receivers,
    "calendar": Calendar,
    "slas": Slas,
    "oncall": OnCallFile,
    "escalation": EscalationFile,
    "failure_classes": FailureClasses,
    "roles": Roles,
    "checklists": Checklists,
    "retention": Retention,
    "console": Console,
}
FEEDS_DIR = "feeds"
# Other modules read the YAML files in these folders of the overlay. The dbt project contains three of the folders.
DBT_FOLDERS = ("models", "macros", "tests")
FOLDERS = ("metadata", *DBT_FOLDERS)
# The folders below models/<domain> of the overlay that are built. The shipped domains have other folders.
LAYERS = ("staging", "intermediate", "silver", "marts", "gold")


def resolve(relative: str, overlay: Path | None, watches: bool = False) -> Path:
    """The path of a file of the configuration: the overlay's if it is there, otherwise the shipped one. `watches`: for
    a home that watches another Dagster project. For such a home, some files have a version without the parts that are
    only about our pipelines.
    """
    # A folder of this name, or a link that leads nowhere, is taken too: `read` then says what is wrong with it.
    if overlay is not None and os.path.lexists(overlay / relative):
        return overlay / relative
    if watches and (CONFIG_OF_PROJECTS_DIR / relative).is_file():
        return CONFIG_OF_PROJECTS_DIR / relative
    return CONFIG_DIR / relative


def read(relative: str, overlay: Path | None, watches: bool = False) -> Document:
    """The parsed file. Raises ConfigError if it cannot be read, is not UTF-8 or not valid YAML."""
    path = resolve(relative, overlay, watches)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError([ConfigProblem(str(path), 1, f"not UTF-8 ({error.reason} at byte {error.start})")]) from None
    except OSError as error:
        raise ConfigError([ConfigProblem(str(path), 1, _unreadable(path, error))]) from None
    return _parsed(text, path)


def _unreadable(path: Path, error: OSError) -> str:
    if path.is_symlink() and not path.exists():
        return f"this is a link to {path.readlink()}, which does not exist; mend or remove the link"
    if path.is_dir():
        return "this is a folder, and a file is needed; rename or remove the folder"
    if isinstance(error, FileNotFoundError):
        return "this file is needed and does not exist"
    return f"this file cannot be read ({error.strerror or error})"


@lru_cache(maxsize=64)
def _parsed(text: str, path: Path) -> Document:
    """The document of a text. After an edit of one file, only that file is parsed."""
    return Document.parse(text, path)


def paths_of_feeds(overlay: Path | None, watches: bool = False) -> list[str]:
    if watches:
        return []
    names = {path.name for path in (CONFIG_DIR / FEEDS_DIR).glob("*.yaml")}
    if overlay is not None:
        names |= {path.name for path in (overlay / FEEDS_DIR).glob("*.yaml")}
    return [f"{FEEDS_DIR}/{name}" for name in sorted(names)]


def additions(name: str, overlay: Path | None) -> list[str]:
    """The overlay's files that extend <name>.yaml, sorted by name. The paths are relative to the overlay."""
    if overlay is None:
        return []
    return sorted(path.relative_to(overlay).as_posix() for path in (overlay / f"{name}.d").glob("*.yaml"))


def words_of_projects(name: str, overlay: Path | None, watches: bool) -> list[Document]:
    """The file that a home over another Dagster project lays over the shipped <name>.yaml, if there is one. A file of
    the overlay that replaces the shipped file needs no such addition.
    """
    if not watches or (overlay is not None and (overlay / f"{name}.yaml").is_file()):
        return []
    path = CONFIG_OF_PROJECTS_DIR / "words" / f"{name}.yaml"
    return [_parsed(path.read_text(encoding="utf-8"), path)] if path.is_file() else []


def layers_of(domain: str) -> tuple[str, ...]:
    """The folders below models/<domain> that are built."""
    shipped = DBT_PROJECT_DIR / "models" / domain
    if not shipped.is_dir():
        return LAYERS
    return tuple(sorted(path.name for path in shipped.iterdir() if path.is_dir() and any(path.rglob("*.sql"))))


def strangers(overlay: Path | None, documents: dict[str, Document], watches: bool = False) -> list[ConfigProblem]:
    """Reports each YAML file of the overlay that nothing reads, because its name must be a mistake."""
    if overlay is None:
        return []
    # A feeds file that could not be parsed is not reported here. Its own mistake is reported.
    valid = {f"{name}.yaml" for name in FILES} | set(documents) | set(paths_of_feeds(overlay, watches))
    feeds = "" if watches else f"{FEEDS_DIR}/<domain>.yaml, "
    added = {path for name in FILES for path in additions(name, overlay)}
    return [
        ConfigProblem(
            str(path),
            1,
            f"nothing reads this file{did_you_mean(relative, sorted(valid))}; valid: {', '.join(sorted(valid))}, "
            f"{feeds}and <name>.d/*.yaml to add to <name>.yaml",
        )
        for path in sorted(overlay.rglob("*.y*ml"))
        if (relative := path.relative_to(overlay).as_posix()) not in valid | added
        and relative.partition("/")[0] not in FOLDERS
    ]
