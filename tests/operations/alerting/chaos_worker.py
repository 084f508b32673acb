"""A cycle in a loop, to be killed at any moment.

With the argument `fork` it waits with everything imported: for each line that comes in, a child is forked, which names
its process id when it is ready and runs the loop. A start of Python costs a second of work, a fork a hundredth.
"""

import os
import signal
import sys
from datetime import UTC, datetime

from ops_project import catalog
from ops_project.operations.alerting.cycle import run_once
from ops_project.settings import Settings


def work() -> None:
    settings = Settings.load()
    loaded = catalog.load(settings)
    # Modules that are imported late are imported now. Otherwise a kill would hit an import, and prove nothing.
    run_once(settings, loaded, datetime.now(UTC), observers=())
    print("ready", os.getpid(), flush=True)  # noqa: T201
    while True:
        run_once(settings, loaded, datetime.now(UTC), observers=())


if __name__ == "__main__":
    if sys.argv[1:] != ["fork"]:
        work()
    # The system removes a killed child at once, because a dead process must not look alive.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            work()
