"""Reconciliations: which tables must agree, on which key, in which measures, and how far the totals may lie apart.

Says nothing of how tables are compared, and holds no thresholds of its own beyond the two of the seed document.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, model_validator

from ops_project.model.base import Model


class Tolerance(Model):
    """How far two control totals may lie apart. Exceeding either is a break."""

    absolute: Decimal = Field(default=Decimal(1000), ge=0)
    percent: Decimal = Field(default=Decimal(5), ge=0)


class Measure(Model):
    """A number that is summed: a column on every node of the chain."""

    column: str
    tolerance: Tolerance = Tolerance()
    scale: int | None = Field(default=None, ge=0, le=18)
    """Decimal places kept; default: those of the columns (6 for floating point)."""


class Count(Model):
    """The number of rows, as a KPI with a name of its own."""

    name: str = "rows"
    tolerance: Tolerance = Tolerance()


class Node(Model):
    """One place where the rows stand: a table, files, or the archived raw files of a feed. Exactly one of the three."""

    name: str
    table: str | None = None
    file: str | None = None
    feed: str | None = None
    query: str | None = None
    """A SELECT over `{rows}` (the table or the files) that brings the rows to the chain's columns. Files of a feed come
    as text with two columns besides: _business_date, and _delivery, which rises with every delivery."""
    where: str | None = None
    """A condition on the node's rows, after `query`."""
    columns: dict[str, str] = {}
    """Chain column → SQL expression, where the node names it otherwise."""
    grain: tuple[str, ...] = ()
    """This node is already aggregated by these columns: the node before it is summed to them first."""
    from_previous: str | None = None
    """A SELECT over `{rows}` (the node before) that computes this node anew, where neither the rows as they are nor,
    with `grain`, a sum is it. Sees every date; `--date` cuts its result."""
    rows_column: str | None = None
    """With `grain`: the column that holds the number of rows."""

    @model_validator(mode="after")
    def _one_place(self) -> Node:
        given = [name for name in ("table", "file", "feed") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                f"node {self.name!r} needs exactly one of table, file, feed; given: {', '.join(given) or 'none'}"
            )
        if self.rows_column and not self.grain:
            raise ValueError(f"node {self.name!r}: rows_column needs grain")
        return self


class Reconciliation(Model):
    """A chain of nodes; each neighbouring pair is a hop."""

    title: str
    domain: str
    key: tuple[str, ...] = Field(min_length=1)
    measures: dict[str, Measure] = {}
    compare: tuple[str, ...] = ()
    """Columns that must be equal though they are not summed."""
    count: Count = Count()
    date_column: str | None = None
    """The column (after the node's own mapping) that `--date` filters on."""
    window_dates: int = Field(default=35, ge=1)
    """Business dates that are reconciled after each load and every hour: this many of the newest, and those loaded
    within a day. `ops reconcile` takes all of them."""
    nodes: tuple[Node, ...] = Field(min_length=2)
    runbook: str | None = None

    @model_validator(mode="after")
    def _names(self) -> Reconciliation:
        names = [node.name for node in self.nodes]
        if len(set(names)) != len(names):
            raise ValueError(f"node names must differ; given: {', '.join(names)}")
        if self.nodes[0].grain:
            raise ValueError(f"the first node, {names[0]!r}, cannot have a grain: nothing stands before it")
        if self.nodes[0].from_previous:
            raise ValueError(f"the first node, {names[0]!r}, cannot have from_previous: nothing stands before it")
        both = sorted(set(self.key) & {measure.column for measure in self.measures.values()})
        if both:
            raise ValueError(f"{', '.join(both)}: a key column cannot be a measure")
        return self


class Reconciliations(Model):
    """reconciliations.yaml."""

    reconciliations: dict[str, Reconciliation]
