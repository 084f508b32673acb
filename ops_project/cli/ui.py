"""`ops ui`: the Dagster UI and its daemon on this home."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys

import click

from ops_project.cli.faults import say
from ops_project.cli.output import write_out
from ops_project.settings import PROJECT_ROOT, Settings
from ops_project.visible import visible_line

DEFAULT_PORT = 3000
HIGHEST_PORT = 65535
# The newer command, `dg dev`, is in a separate package that is not needed here.
SUPERSEDED = "ignore:Function `dev_command` is superseded:FutureWarning"


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, HIGHEST_PORT),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port to listen on.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="0.0.0.0 opens the UI to the network; the UI has no login."
)
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="NAME", help="A host name that browsers may use; repeatable."
)
@click.pass_obj
def ui(settings: Settings, port: int, host: str, allowed: tuple[str, ...]) -> None:
    """Open the Dagster UI, with the daemon that runs schedules and sensors, until Ctrl-C.

    The UI refuses a request that comes from the page of another site, or that names another machine as its host.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.dagster_bridge import home as dagster_home
    from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
    from ops_project.pipeline.dbt_engine.overlay import project_dir
    from ops_project.process import ui_address

    _require_free(host, port)
    # A mistake in the configuration is reported here. Otherwise a user would only see a code location that fails to
    # load.
    catalog = load_catalog(settings)
    dagster_home.ensure(settings)
    dbt_manifest.load(project_dir(catalog))
    for line in _repair(settings):
        say(line)
    write_out(f"Dagster UI: http://{host}:{port} answers in about a minute  (home {settings.home}; Ctrl-C ends it)")
    ui_address.remember(settings, host, port)
    settings.export(OPS_UI_ALLOWED_HOSTS=",".join(allowed))
    os.chdir(PROJECT_ROOT)
    sys.stdout.flush()
    # When a shell script starts a command in the background, the command ignores SIGINT. Dagster copies the handling of
    # SIGINT to SIGTERM, so Dagster and its children would ignore both for ever.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    # This process becomes Dagster's process, so Ctrl-C and a supervisor's signals reach Dagster directly.
    os.execv(
        sys.executable,
        [
            sys.executable,
            "-W",
            SUPERSEDED,
            "-m",
            "ops_project.cli.dagster_dev",
            "dev",
            "--workspace",
            str(PROJECT_ROOT / "workspace.yaml"),
            "--host",
            host,
            "--port",
            str(port),
            "--log-level",
            "warning",
        ],
    )


def _require_free(host: str, port: int) -> None:
    """Raises ClickException if the address cannot be used. Without this check, only Dagster's web server would end, and
    its daemon would go on.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # The web server sets the same option. With it, an old connection that is just closing does not make the
            # address count as in use.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except UnicodeError as error:  # A part of the host name is empty or too long.
        raise click.ClickException(
            f"'{visible_line(host[:80])}' is not a host name: {error}; --host chooses another"
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(
                f"port {port} of {host} is in use, perhaps by another `ops ui`; choose one that is free: "
                f"ops ui --port {_other(port)}, or make ui PORT={_other(port)}"
            ) from None
        raise click.ClickException(
            f"nothing can listen on {host}, port {port}: {error.strerror}; --host and --port choose another"
        ) from None


def _other(port: int) -> int:
    return port + 1 if port < HIGHEST_PORT else DEFAULT_PORT


def _repair(settings: Settings) -> list[str]:
    from ops_project.dagster_bridge import runs as dagster_bridge_runs
    from ops_project.dagster_bridge.masked_events import unmasked
    from ops_project.pipeline.warehouse import repair
    from ops_project.process import locks

    with dagster_bridge_runs.open_instance(settings) as instance:
        done = dagster_bridge_runs.mark_dead_runs(instance, settings.now())
        if (words := unmasked(instance)) is not None:
            done.append(words)
    try:
        with locks.hold(settings.lock, owner="ops ui, start-up repair", now=settings.now(), timeout=0):
            done += repair.remove_leftovers(settings)
    except locks.LockTimeout:
        pass  # A process writes at this moment. It has already repaired what an earlier run left behind.
    return done
