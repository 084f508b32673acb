"""`ops serve`: serves the console, and the pages that messages link to."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import click

from ops_project.cli.output import write_out
from ops_project.settings import Settings
from ops_project.visible import visible_line

DEFAULT_PORT = 3080
STEP_SECONDS = 120
HIGHEST_PORT = 65535


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, HIGHEST_PORT),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port; 0 takes a free one.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 opens the console to the network.")
@click.option("--new-password", is_flag=True, help="Ask for a password, print its line for console.yaml, and end.")
@click.pass_obj
def serve(settings: Settings, port: int, host: str, new_password: bool) -> None:
    """Serve the console, and the pages that the links in messages open, until Ctrl-C.

    A browser on this machine needs no login. A browser on another machine needs a user of console.yaml, or a trusted
    proxy that console.yaml names. Links in messages need neither.
    """
    if new_password:
        _new_password()
        return
    import uvicorn

    from ops_project.catalog import load as load_catalog
    from ops_project.console.app import create_app, warm
    from ops_project.operations.incidents.links import KeyExposed, key
    from ops_project.operations.ledger import open_ledger
    from ops_project.process import serve_address

    load_catalog(settings)
    open_ledger(settings)
    try:
        key(settings.links)
    except KeyExposed as error:
        raise click.ClickException(str(error)) from None
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {visible_line(host)}:{port}: {error.strerror}; choose another --port or --host"
        ) from None
    except (TypeError, UnicodeError):
        raise click.ClickException(
            f"--host {host!r} is not an address; write 127.0.0.1 for this machine alone"
        ) from None
    with listening, serve_address.remembered(settings, host, listening.getsockname()[1]) as shown:
        app = create_app(settings, run_command=_run)
        asyncio.run(warm(app))
        write_out(f"Serving {shown}  (home {settings.home}; Ctrl-C ends it)")
        config = uvicorn.Config(
            app,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            # Open pages keep a connection without end. These connections must not delay the end of the server.
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run(sockets=[listening])


def _new_password() -> None:
    from ops_project.console.access.passwords import line_of

    text = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        write_out(line_of(text))
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _run(settings: Settings, words: list[str]) -> tuple[bool, str]:
    """Run a step of a runbook in another process. So the step's output, its changes and its memory do not affect the
    server.
    """
    from ops_project.operations.incidents.runbooks import is_answer

    # The output is wide, because the page can be scrolled. It has no colours, because the page would show the colour
    # codes as characters.
    command = ["env", "COLUMNS=160", "NO_COLOR=1", sys.executable, "-m", "ops_project.cli", *settings.options(), *words]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=STEP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"it took longer than {STEP_SECONDS} s and was ended; run it in a shell"
    said, errors = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    return is_answer(words, done.returncode, errors), said + errors
