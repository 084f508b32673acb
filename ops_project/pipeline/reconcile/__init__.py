"""Reconciliation on DuckDB: any two tables or files, and chains of them. `compare` finds the differences between two
sides. `chain` goes through the hops of a configured reconciliation: each hop is a comparison of two neighbours. Both
use the caller's connection and leave nothing in it. `classify` judges the result.
"""

from ops_project.pipeline.reconcile.compare import compare
from ops_project.pipeline.reconcile.files import file_side
from ops_project.pipeline.reconcile.sides import ReconcileError, Side, table_side

__all__ = ["ReconcileError", "Side", "compare", "file_side", "table_side"]
