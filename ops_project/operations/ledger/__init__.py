"""The ledger: signals, alerts, groups, outbox, cursors, silences, verdicts and leases, in one transactional store.

It is not in the warehouse, so that it can be read and written while a run holds the warehouse. SQLite (WAL) embedded,
PostgreSQL by URL.
"""

from ops_project.operations.ledger.locked import refuses_writing
from ops_project.operations.ledger.of_home import open_ledger
from ops_project.operations.ledger.store import Ledger

__all__ = ["Ledger", "open_ledger", "refuses_writing"]
