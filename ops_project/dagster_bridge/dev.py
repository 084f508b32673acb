"""`dagster dev` with our web server and our daemon: `python -m ops_project.dagster_bridge.dev`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dagster._cli import dev, main

OURS = {
    "dagster_webserver": "ops_project.dagster_bridge.web",
    "dagster._daemon": "ops_project.dagster_bridge.daemon",
}
"""Module of Dagster → the one of ours that is started in its place."""


def run() -> None:
    """Dagster's command line. The processes of the web server and the daemon run our modules."""
    start: Any = getattr(dev, "open_ipc_subprocess")  # noqa: B009

    def guarded(parts: Sequence[str], **options: Any) -> Any:
        return start([OURS.get(part, part) for part in parts], **options)

    setattr(dev, "open_ipc_subprocess", guarded)  # noqa: B010
    main()  # type: ignore[no-untyped-call]  # Dagster does not type it


if __name__ == "__main__":
    run()
