"""Reconciles two tables or files, or a chain of them, on DuckDB. `compare` finds the differences between two sides.
`chain` follows a configured reconciliation: each of its hops compares two neighbours of the chain. `classify` judges
the result. All use the caller's connection, and leave no table in it.
"""

from ops_project.pipeline.reconcile.compare import compare
from ops_project.pipeline.reconcile.files import file_side
from ops_project.pipeline.reconcile.sides import ReconcileError, Side, table_side

__all__ = ["ReconcileError", "Side", "compare", "file_side", "table_side"]
