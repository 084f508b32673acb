"""`dagster dev` with our web server and our daemon: `python -m ops_project.dagster_bridge.dev`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Any

import click
from dagster._cli import ENV_PREFIX, cli, dev

from ops_project.dagster_bridge.speaking import one_line

OURS = {
    "dagster_webserver": "ops_project.dagster_bridge.web",
    "dagster._daemon": "ops_project.cli.dagster_daemon",
}
"""Dagster's module → our module that is started in its place."""


def run() -> None:
    """Dagster's command line. The processes of the web server and the daemon run our modules."""
    start: Any = getattr(dev, "open_ipc_subprocess")  # noqa: B009

    def guarded(parts: Sequence[str], **options: Any) -> Any:
        return start([OURS.get(part, part) for part in parts], **options)

    setattr(dev, "open_ipc_subprocess", guarded)  # noqa: B010
    try:
        with one_line():
            cli(auto_envvar_prefix=ENV_PREFIX, standalone_mode=False)
    except click.Abort:
        # Ctrl-C was pressed before everything was started. Later, Dagster ends its processes itself, without a message.
        click.echo("Interrupted by you.", err=True)
        sys.exit(128 + signal.SIGINT)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)


if __name__ == "__main__":
    run()
