"""The ledger holds what alerting and people record: signals, alerts, incidents, messages, silences and more.

It is one transactional store: an SQLite file (in WAL mode) in the home, or a PostgreSQL database that a URL names. It
is separate from the warehouse, so that it can be read and written while a run holds the warehouse.
"""

from ops_project.operations.ledger.locked import refuses_writing
from ops_project.operations.ledger.of_home import open_ledger
from ops_project.operations.ledger.store import Ledger

__all__ = ["Ledger", "open_ledger", "refuses_writing"]
