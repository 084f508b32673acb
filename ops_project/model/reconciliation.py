"""Reconciliations: which tables must agree, on which key, in which measures, and how far the totals may differ. This
module does not say how tables are compared.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, model_validator

from ops_project.model.base import Model


class Tolerance(Model):
    """How far two control totals may differ. Exceeding either limit is a break."""

    absolute: Decimal = Field(default=Decimal(1000), ge=0)
    """The largest difference, in the unit of the total."""
    percent: Decimal = Field(default=Decimal(5), ge=0)
    """The largest difference, in percent of the source."""


class Measure(Model):
    """A column whose values are summed. Every node of the chain has this column."""

    column: str
    """The chain's name of the column."""
    tolerance: Tolerance = Tolerance()
    scale: int | None = Field(default=None, ge=0, le=18)
    """The number of decimal places that are kept. Default: that of the columns (6 for floating point)."""


class Count(Model):
    """The number of rows as a control total, with its name and its tolerance."""

    name: str = "rows"
    """The name under which the number of rows is shown."""
    tolerance: Tolerance = Tolerance()


class Node(Model):
    """One place that holds the rows: a table, files, or the archived raw files of a feed. Exactly one of the three
    is given.
    """

    name: str
    """The name of the node in results and messages."""
    table: str | None = None
    """A table, as `schema.table`."""
    file: str | None = None
    """The path of a file, or a pattern of several."""
    feed: str | None = None
    """A feed, whose archived raw files are read."""
    query: str | None = None
    """A SELECT over `{rows}` (the table or the files) that returns the chain's columns of these rows. The columns of a
    feed's files are texts. They have two additional columns: _business_date, and _delivery, which increases with every
    delivery.
    """
    where: str | None = None
    """A condition on the node's rows, after `query`."""
    columns: dict[str, str] = {}
    """Chain column → SQL expression, for columns that have another name in this node."""
    grain: tuple[str, ...] = ()
    """Given if the rows of this node are sums: the columns by which they are grouped. The rows of the previous node are
    then first summed by these columns.
    """
    from_previous: str | None = None
    """A SELECT over `{rows}` (the previous node) that computes the rows of this node again. Use it if the node is
    neither a copy of those rows nor their sums by `grain`. The query reads every date. `--date` limits only its result.
    """
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
    """A chain of nodes. Each node is compared with the next."""

    title: str
    """The reconciliation's name for people."""
    domain: str
    """The domain that the chain belongs to."""
    key: tuple[str, ...] = Field(min_length=1)
    """The columns that identify a row on every node."""
    measures: dict[str, Measure] = {}
    """Name → column that is summed."""
    compare: tuple[str, ...] = ()
    """Columns that must be equal and are not summed."""
    count: Count = Count()
    date_column: str | None = None
    """The column (after the node's own mapping) that `--date` filters on."""
    window_dates: int = Field(default=35, ge=1)
    """The number of newest business dates that are reconciled after each load and every hour. Dates that were loaded
    within the last day are added. `ops reconcile` compares all dates.
    """
    nodes: tuple[Node, ...] = Field(min_length=2)
    """The nodes from the source to the last target."""
    runbook: str | None = None
    """Slug of the runbook for a break."""

    @model_validator(mode="after")
    def _names(self) -> Reconciliation:
        names = [node.name for node in self.nodes]
        if len(set(names)) != len(names):
            raise ValueError(f"node names must differ; given: {', '.join(names)}")
        if self.nodes[0].grain:
            raise ValueError(f"the first node, {names[0]!r}, cannot have a grain: no node comes before it")
        if self.nodes[0].from_previous:
            raise ValueError(f"the first node, {names[0]!r}, cannot have from_previous: no node comes before it")
        both = sorted(set(self.key) & {measure.column for measure in self.measures.values()})
        if both:
            raise ValueError(f"{', '.join(both)}: a key column cannot be a measure")
        return self


class Reconciliations(Model):
    """reconciliations.yaml: the chains of tables that must agree."""

    reconciliations: dict[str, Reconciliation]
