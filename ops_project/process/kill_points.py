"""Named places where a test may kill this process, to prove that nothing has to be cleaned up afterwards.

Without OPS_KILL_AT, a place costs one comparison with None and does nothing.
"""

from __future__ import annotations

import os
import signal

from ops_project.settings import Settings

_KILL_AT = Settings.secret("OPS_KILL_AT")


def reach(place: str) -> None:
    """Kill this process with SIGKILL if OPS_KILL_AT names this place."""
    if _KILL_AT is not None and place == _KILL_AT:
        os.kill(os.getpid(), signal.SIGKILL)
