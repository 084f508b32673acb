"""The daemon of `ops ui`: `python -m ops_project.cli.dagster_daemon`. When the daemon ends, it records in the ledger
that it no longer decides about alerts. It does so even if the web server of `ops ui` continues.
"""

from __future__ import annotations

from ops_project.cli.stopping import record_end
from ops_project.dagster_bridge import daemon
from ops_project.operations.alerting import authority
from ops_project.settings import Settings


def run() -> None:
    """Run Dagster's daemon until a signal ends it, and record its end."""

    def ended() -> None:
        record_end(Settings.load(), authority.DAEMON)

    daemon.when_it_ends(ended)
    try:
        daemon.run()
    finally:
        # A tick may have gone on for longer than the daemon waited.
        ended()


if __name__ == "__main__":
    run()
