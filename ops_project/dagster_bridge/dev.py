"""`dagster dev` with our web server in place of the stock one: `python -m ops_project.dagster_bridge.dev`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dagster._cli import dev, main

STOCK, GUARDED = "dagster_webserver", "ops_project.dagster_bridge.web"


def run() -> None:
    """Dagster's command line. The process of the web server runs our module."""
    start: Any = getattr(dev, "open_ipc_subprocess")  # noqa: B009

    def guarded(parts: Sequence[str], **options: Any) -> Any:
        return start([GUARDED if part == STOCK else part for part in parts], **options)

    setattr(dev, "open_ipc_subprocess", guarded)  # noqa: B010
    main()  # type: ignore[no-untyped-call]  # Dagster does not type it


if __name__ == "__main__":
    run()
