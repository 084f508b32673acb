"""Reconciliation on DuckDB: any two tables or files, and chains of them.

`compare` finds what differs between two sides; `chain` walks the hops of a configured reconciliation. Both are given a
connection and leave nothing in it. Judging is left to `operations.reconciliation`.
"""

from ops_project.pipeline.reconcile.compare import compare
from ops_project.pipeline.reconcile.files import file_side
from ops_project.pipeline.reconcile.sides import ReconcileError, Side, table_side

__all__ = ["ReconcileError", "Side", "compare", "file_side", "table_side"]
