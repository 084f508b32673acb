"""The origin of all columns. It is read once for each version of the SQL and the contracts."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ops_project.column_lineage import Column, ColumnLineage, Origin
from ops_project.pipeline.column_lineage import declared, landed
from ops_project.pipeline.landing.write.tables import OPS_TABLES, bronze_types
from ops_project.pipeline.learning.tables import TABLES

if TYPE_CHECKING:
    from ops_project.catalog import Catalog
    from ops_project.model.feed.feed import Feed
    from ops_project.pipeline.dbt_engine.manifest import DbtManifest

CACHED = "column_lineage-"
KEEP = 3
# Raise this number when the code reads SQL in another way. Answers that were stored under an earlier number are then
# not used.
READER = 2
logger = logging.getLogger(__name__)


def column_lineage(catalog: Catalog, dbt: DbtManifest) -> ColumnLineage:
    """The origin of every column of every table. Reading 100 models takes seconds, so the answer is stored beside the
    parsed project.
    """
    feeds = list(catalog.feeds.values())
    version = version_of(feeds, dbt)
    kept = dbt.folder / f"{CACHED}{version}.json"
    try:
        return ColumnLineage.load(json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        found = _read(feeds, dbt, version)
    _keep(kept, found)
    return found


def version_of(feeds: Iterable[Feed], dbt: DbtManifest) -> str:
    """A version that is the same for the same SQL, the same contracts and the same declarations."""
    digest = sha256(f"{READER};{dbt.key};".encode())
    for origins in (landed.of_feeds(feeds), declared.of_python()):
        for column, origin in sorted(origins.items()):
            parents = ",".join(map(str, origin.parents))
            digest.update(f"{column}={origin.state}:{parents}:{origin.personal};".encode())
    return digest.hexdigest()[:16]


def _read(feeds: Iterable[Feed], dbt: DbtManifest, version: str) -> ColumnLineage:
    from ops_project.pipeline.column_lineage.models import of_models

    feeds = list(feeds)
    known = {f"bronze.{feed.name}": tuple(bronze_types(feed)) for feed in feeds}
    known |= {f"ops.{table}": _ddl_columns(ddl) for table, ddl in OPS_TABLES.items()}
    known |= {table: tuple(name.strip('"') for name in columns) for table, columns in TABLES.items()}
    own: dict[Column, Origin] = {
        Column(table.replace(".", "/"), name): Origin("absent", reason="the platform's own journal")
        for table, columns in known.items()
        if table.startswith("ops.")
        for name in (*columns, "*")
    }
    models = of_models(dbt.json, dbt.compiled, known)
    return ColumnLineage({**own, **landed.of_feeds(feeds), **models, **declared.of_python()}, version)


def _ddl_columns(ddl: str) -> tuple[str, ...]:
    """The names of the columns in a DDL text `name TYPE, name TYPE`. Constraints of the table are left out."""
    parts = re.split(r",(?![^(]*\))", ddl)
    return tuple(part.split()[0] for part in parts if part.split()[0].upper() != "CHECK")


def _keep(path: Path, found: ColumnLineage) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(found.dump(), separators=(",", ":")), encoding="utf-8")
        partial.replace(path)
        kept = sorted(path.parent.glob(f"{CACHED}*.json"), key=lambda item: item.stat().st_mtime, reverse=True)
        for old in kept[KEEP:]:
            old.unlink(missing_ok=True)
    except OSError as error:  # The folder cannot be written to.
        logger.info("column lineage could not be stored, so it is computed again next time: %s", error)
