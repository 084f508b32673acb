"""Finds in dagster.yaml where Dagster keeps its runs and events: in its own folder, in PostgreSQL, or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Variable = Callable[[str], str | None]
UNREADABLE = (OSError, ValueError, RecursionError, yaml.YAMLError)
# Dagster can configure these three storages one by one, or all of them with `storage`.
KINDS = ("storage", "run_storage", "event_log_storage", "schedule_storage")


@dataclass(frozen=True)
class StoragePlace:
    """Where the storage is. If both fields are empty, all of it is in Dagster's folder."""

    postgres: tuple[str, ...] = ()
    """The PostgreSQL URLs. They may contain passwords."""
    elsewhere: tuple[str, ...] = ()
    """Descriptions of the storages that are neither in the folder nor in PostgreSQL."""


def storage_place(folder: Path, variable: Variable) -> StoragePlace:
    """Where the storage is, as the dagster.yaml of `folder` says. No storage is opened.

    `folder`: Dagster's home.

    `variable`: returns a variable of the environment, or None if it is not set.
    """
    file = folder / "dagster.yaml"
    try:
        configured = list(_configured(file))
    except FileNotFoundError:
        return StoragePlace()
    except UNREADABLE as error:
        return StoragePlace(elsewhere=(f"{file} cannot be read: {' '.join(str(error).split())}",))
    postgres: list[str] = []
    elsewhere: list[str] = []
    for kind, name, config in configured:
        url, words = _place(folder, name, config, variable)
        if url and url not in postgres:
            postgres.append(url)
        if words:
            elsewhere.append(f"{kind} of {file}: {words}")
    return StoragePlace(tuple(postgres), tuple(elsewhere))


def is_in_folder(folder: Path, variable: Variable) -> bool:
    """Whether all of the storage lies in Dagster's folder. Dagster is not imported."""
    try:
        configured = list(_configured(folder / "dagster.yaml"))
    except FileNotFoundError:
        return True
    except UNREADABLE:
        return False
    return not any(
        _is_postgres(name, config) or _place(folder, name, config, variable)[1] for _, name, config in configured
    )


def _configured(file: Path) -> Iterator[tuple[str, str, Any]]:
    """(kind, name, config) of each storage that is configured. Raises one of UNREADABLE."""
    said = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    for kind in KINDS:
        if isinstance(said, dict) and said.get(kind):
            for name, config in _parts(said[kind]):
                yield kind, name, config if isinstance(config, dict) else {}


def _parts(said: Any) -> Iterator[tuple[str, Any]]:
    """(name, config) of each storage. dagster.yaml has `{sqlite: …}`, `{postgres: …}` or `{custom: …}`, or the keys
    module, class and config.
    """
    if not isinstance(said, dict):
        yield str(said), None
    elif "module" in said:
        yield f"{said['module']}.{said.get('class', '')}", said.get("config")
    else:
        for name, config in said.items():
            if name == "custom" and isinstance(config, dict):
                yield f"{config.get('module')}.{config.get('class', '')}", config.get("config")
            else:
                yield str(name), config


def _is_postgres(name: str, config: dict[str, Any]) -> bool:
    return "postgres" in name.lower() or bool({"postgres_url", "postgres_db"} & config.keys())


def _place(folder: Path, name: str, config: dict[str, Any], variable: Variable) -> tuple[str, str]:
    """The URL of a storage, and a description.

    URL: given if the storage is in PostgreSQL.

    Description: given if the storage is elsewhere, or if its URL is not known.

    Both are empty if the storage is in the folder.
    """
    if _is_postgres(name, config):
        try:
            return _url(config, variable), ""
        except (KeyError, ImportError, ValueError) as error:
            return "", f"the address of its PostgreSQL is not known: {error}"
    if "base_dir" in config:
        base = _resolved(config["base_dir"], lambda one: str(folder) if one == "DAGSTER_HOME" else variable(one))
        if isinstance(base, str) and Path(base).resolve().is_relative_to(folder.resolve()):
            return "", ""
        return "", f"it lies in {base}"
    if name == "sqlite" or name.startswith(("dagster._core.storage", "dagster.core.storage", "ops_project.")):
        return "", ""
    return "", f"{name} is not a storage that is known here"


def _url(config: dict[str, Any], variable: Variable) -> str:
    from dagster_postgres.utils import pg_url_from_config

    plain = {
        name: (
            {key: _resolved(item, variable) for key, item in value.items()}
            if name == "postgres_db" and isinstance(value, dict)
            else _resolved(value, variable)
        )
        for name, value in config.items()
    }
    return str(pg_url_from_config(plain))


def _resolved(value: Any, variable: Variable) -> Any:
    """Replaces `{env: NAME}` by the value of this variable of the environment. Raises KeyError with the variable's
    name.
    """
    if isinstance(value, dict) and set(value) == {"env"}:
        name = str(value["env"])
        found = variable(name)
        if found is None:
            raise KeyError(f"the variable {name} is not set")
        return found
    return value
