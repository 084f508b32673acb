"""`ops serve`: the pages that messages link to."""

from __future__ import annotations

import socket

import click

from ops_project.settings import Settings

DEFAULT_PORT = 3080
HIGHEST_PORT = 65535


@click.command()
@click.option(
    "--port", type=click.IntRange(0, HIGHEST_PORT), default=DEFAULT_PORT, show_default=True, help="0: any free port."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 opens it to the network.")
@click.pass_obj
def serve(settings: Settings, port: int, host: str) -> None:
    """Serve the pages that the links in messages open, and the runbooks, until Ctrl-C."""
    import uvicorn

    from ops_project.catalog import load as load_catalog
    from ops_project.console.app import create_app
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
            f"{host}:{port} cannot be listened on: {error.strerror}; choose another --port"
        ) from None
    with listening, serve_address.remembered(settings, host, listening.getsockname()[1]) as shown:
        click.echo(f"Serving {shown}  (home {settings.home}; Ctrl-C ends it)")
        config = uvicorn.Config(create_app(settings), log_level="warning", server_header=False, proxy_headers=False)
        uvicorn.Server(config).run(sockets=[listening])
