"""The rules of a feed for its deliveries: other structures, too few rows, repeated keys, and rows whose date comes from
another feed.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ops_project.model.base import Model

NAME = r"^[a-z][a-z0-9_]*$"


class Drift(Model):
    """What happens to a file whose structure differs from the contract. The finding is written in every case."""

    extra: Literal["reject", "load"] = "reject"
    """What happens to a file with columns that the contract does not name. `load` leaves these columns out."""
    reordered: Literal["reject", "load"] = "load"
    """What happens to a file whose columns are in another order. `load` finds each column by its name."""
    share: float = Field(default=0.5, gt=0, le=1)
    """If more than this share of a column's values cannot be cast, the column counts as having another type. If more
    than this share of the records has another number of fields, the file counts as having another structure.
    """


class Volume(Model):
    """Compares the number of rows of a file with earlier files, for files without a count of their own."""

    enabled: bool = True
    """False: the number of rows is not compared."""
    min_points: int = Field(default=7, ge=6)
    """The number of earlier dates that are needed. With fewer, the result is unknown."""
    history: int = Field(default=56, ge=6)
    """The number of earlier dates that are compared."""
    confidence: float = Field(default=0.9999, gt=0.5, lt=1)
    """The confidence of the two-sided prediction interval."""
    large_change: float = Field(default=0.3, gt=0, lt=1)
    """A change of the row count is large from this share of the expected rows on. A broken load loses about this share.
    A large change needs only `large_confidence`.
    """
    large_confidence: float = Field(default=0.999, gt=0.5, lt=1)
    """The confidence that a large change needs to be reported."""
    trend_from: int = Field(default=14, ge=6)
    """With at least this many dates, growth is part of the model."""
    weekday_from: int = Field(default=28, ge=14)
    """With at least this many days of history, each weekday has a level of its own."""
    min_relative_noise: float = Field(default=0.02, ge=0, lt=1)
    """The least noise that is assumed, because a constant series has none."""
    min_rows: int | None = Field(default=None, ge=0)
    """A file with fewer rows is partial, whatever the history is."""
    on_low: Literal["load", "reject"] = "load"
    """What happens to a file with too few rows."""
    max_loss: float = Field(default=0.1, ge=0, lt=1)
    """A correction may have fewer rows than the file that it replaces, by this share at most. A smaller correction must
    be confirmed, even if its own count agrees.
    """


class KeepFirst(Model):
    """Only the first of several rows with the same key is kept. The others are counted as collapsed rows."""

    order: tuple[str, ...] = ()
    """SQL order terms over the contract's columns, for example `updated_at DESC`. Rows that are equal in these terms
    stay in the order of the file.
    """


class DatedBy(Model):
    """The feed whose record gives the date on which a row counts. Both feeds have columns of the same names that
    connect the rows.
    """

    feed: str = Field(pattern=NAME)
    """The other feed."""
    columns: tuple[str, ...] = Field(min_length=1)
    """The columns that both feeds share."""
