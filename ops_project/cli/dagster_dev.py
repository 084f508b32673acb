"""`ops ui` replaces its process by `python -m ops_project.cli.dagster_dev`, which is this module. It runs Dagster's web
server and daemon. When they have ended, it records in the ledger that the daemon no longer decides about alerts.
"""

from __future__ import annotations

from ops_project.cli.stopping import record_end
from ops_project.dagster_bridge import dev
from ops_project.operations.alerting import authority
from ops_project.settings import Settings


def run() -> None:
    """Run Dagster until Ctrl-C, then record the end of its daemon."""
    try:
        dev.run()
    finally:
        record_end(Settings.load(), authority.DAEMON)


if __name__ == "__main__":
    run()
