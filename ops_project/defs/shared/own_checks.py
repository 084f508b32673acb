"""The user's own checks: the queries of checks.yaml, and the functions of the overlay's checks.py."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import dagster as dg

from asset_checks.own import ATTRIBUTE, OwnCheck, build_own_checks, query_check
from ops_project.catalog import Catalog, ConfigError, ConfigProblem
from ops_project.defs.shared.checking import guarded
from ops_project.defs.shared.permanent import TEST_SECONDS
from ops_project.defs.shared.site import Site
from ops_project.model.failure_class import FAILURE_CLASSES
from ops_project.model.severity import SEVERITIES

FILE = "checks.py"
MODULE = "ops_own_checks"


def own_checks(site: Site, domain: str, layer: str, keys: Iterable[dg.AssetKey]) -> dg.AssetChecksDefinition | None:
    """One step with the checks of the tables of a layer; None if they have none. Raises ConfigError."""
    tables = {".".join(key.path) for key in keys}
    return build_own_checks(
        name=f"{domain}_{layer}_own_checks",
        checks=[check for check in all_of(site.catalog) if check.table in tables],
        parameters=site.catalog.checks,
        connect=lambda context: context.resources.warehouse.connection(),
        clock=lambda context: context.resources.warehouse.now,
        timezone=site.catalog.platform.timezone,
        runbook=site.catalog.domain(domain).runbook,
        required_resource_keys={"warehouse"},
        op_tags={"ops/timeout_seconds": str(TEST_SECONDS)},
        guard=guarded,
    )


def require_tables(catalog: Catalog, built: Iterable[dg.AssetKey]) -> None:
    """Raises ConfigError if a check names a table that no step builds, because the check would never run."""
    tables = {".".join(key.path) for key in built}
    document, problems = catalog.documents["checks.yaml"], []
    for check in all_of(catalog):
        if check.table not in tables and not _of_switched_off(catalog, check.table):
            words = f"check {check.name!r}: nothing builds the table {check.table!r}"
            if check.name in catalog.checks.queries:
                problems.append(document.problem(("queries", check.name, "table"), words))
            else:
                problems.append(_problem(_file(catalog), _line(check), words))
    if problems:
        raise ConfigError(problems)


def all_of(catalog: Catalog) -> list[OwnCheck]:
    """The user's checks. Raises ConfigError if checks.py cannot be used, or two checks have the same name."""
    found = [
        query_check(
            name=name,
            table=item.table,
            sql=item.sql,
            low=item.min,
            high=item.max,
            description=item.description,
            severity=item.severity,
            blocking=item.blocking,
            failure_class=item.failure_class,
            runbook=item.runbook,
        )
        for name, item in catalog.checks.queries.items()
    ]
    path = _file(catalog)
    if path is None:
        return found
    written = _functions(path, path.stat().st_mtime_ns)
    problems = []
    for check in written:
        if check.name in catalog.checks.queries:
            problems.append(_problem(path, _line(check), f"check {check.name!r} is in checks.yaml as well"))
        if check.severity not in SEVERITIES:
            words = f"check {check.name!r}: severity {check.severity!r}; valid: {', '.join(SEVERITIES)}"
            problems.append(_problem(path, _line(check), words))
        if check.failure_class not in FAILURE_CLASSES:
            words = f"check {check.name!r}: failure_class {check.failure_class!r}; valid: {', '.join(FAILURE_CLASSES)}"
            problems.append(_problem(path, _line(check), words))
    if problems:
        raise ConfigError(problems)
    return [*found, *written]


def _of_switched_off(catalog: Catalog, table: str) -> bool:
    """Whether the table may belong to a domain that is switched off. The tables of such a domain are not known. So
    every table outside of bronze may belong to one.
    """
    return bool(catalog.switched_off) and not table.startswith("bronze.")


def _file(catalog: Catalog) -> Path | None:
    path = catalog.overlay / FILE if catalog.overlay is not None else None
    return path if path is not None and path.is_file() else None


@lru_cache(maxsize=4)
def _functions(path: Path, _changed: int) -> tuple[OwnCheck, ...]:
    spec = importlib.util.spec_from_file_location(MODULE, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise ConfigError([_problem(path, error.lineno or 1, f"not valid Python: {error.msg}")]) from None
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = lines[-1] if lines else 1
        raise ConfigError([_problem(path, line or 1, f"{type(error).__name__}: {error}")]) from None
    found = [getattr(item, ATTRIBUTE) for item in vars(module).values() if hasattr(item, ATTRIBUTE)]
    if not found:
        words = "no function in it is a check; write @check(table=…) of asset_checks.own above one"
        raise ConfigError([_problem(path, 1, words)])
    return tuple(found)


def _line(check: OwnCheck) -> int:
    code = getattr(check.compute, "__code__", None)
    return int(code.co_firstlineno) if code is not None else 1


def _problem(path: Path | None, line: int, words: str) -> ConfigProblem:
    return ConfigProblem(str(path), line, words)
