"""A change of a contract: the fields or the format that apply from its effective date on."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from ops_project.model.base import Model
from ops_project.model.feed.column import Column
from ops_project.model.feed.file_format import Format


class Version(Model):
    """An announced change of the contract."""

    version: int = Field(ge=2)
    """The number of the version."""
    effective: date
    """The first business date to which the version applies."""
    note: str = ""
    """What changes and why."""
    format: Format | None = None
    """Replaces the whole format."""
    columns: dict[str, Column] | None = None
    """Replaces all columns."""
    add: dict[str, Column] = {}
    """Adds columns, or replaces those of the same name."""
    drop: tuple[str, ...] = ()
    """Columns that the source no longer sends. Bronze keeps them, with NULL in new rows."""
