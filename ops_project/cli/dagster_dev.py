"""What `ops ui` becomes: Dagster's web server and daemon. When they end, the ledger is told that the daemon decides no
longer: `python -m ops_project.cli.dagster_dev`.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from ops_project.dagster_bridge import dev
from ops_project.failures import Unusable
from ops_project.operations.alerting import authority
from ops_project.operations.ledger import open_ledger
from ops_project.process.time_limit import NotAnswered, within
from ops_project.settings import Settings

PATIENCE_SECONDS = 5.0


def run() -> None:
    """Run Dagster until Ctrl-C, then record the end of its daemon. Without this record, the next `ops run` would leave
    its alerts for a minute to a daemon that has gone.
    """
    try:
        dev.run()
    finally:
        try:
            within("the ledger", _record_end, PATIENCE_SECONDS)
        except (Unusable, NotAnswered) as error:
            print(f"The end of the daemon was not recorded: {error}", file=sys.stderr)  # noqa: T201


def _record_end() -> None:
    authority.stopped(open_ledger(Settings.load()), authority.DAEMON, datetime.now(UTC))


if __name__ == "__main__":
    run()
