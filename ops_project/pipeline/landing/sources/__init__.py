"""Queries source systems that do not deliver files. Their rows are written into the inbound folder as a file. From
there on, the file is treated like any other delivery, with contract, archive and quarantine.
"""

from __future__ import annotations

import importlib
from datetime import datetime
from pathlib import Path

import duckdb

from ops_project.model.feed.feed import Feed
from ops_project.settings import Settings

# Feed → the variable that switches its source on, and the function that queries the source.
SOURCES: dict[str, tuple[str, str]] = {
    "transactions": ("OPS_INVESTOR_POSTGRES_URL", "ops_project.pipeline.landing.sources.postgres:extract"),
}


def fetch(settings: Settings, feed: Feed, warehouse: duckdb.DuckDBPyConnection, now: datetime) -> list[Path]:
    """Query the feed's source system, if one is configured. Returns the files that were written."""
    variable, function = SOURCES.get(feed.name, ("", ""))
    url = settings.secret(variable) if variable else None
    if not url:
        return []
    module, _, name = function.partition(":")
    written: list[Path] = getattr(importlib.import_module(module), name)(
        url, feed, warehouse, inbound=settings.inbound, now=now
    )
    return written
