"""Ends the processes of `ops ui` with one line instead of a trace if Dagster's storage cannot be used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from ops_project.dagster_bridge.quiet_retries import quiet_retries
from ops_project.dagster_bridge.storage_errors import storage_words
from ops_project.settings import Settings


@contextmanager
def one_line() -> Iterator[None]:
    """If the block raises an error of the storage, the error is printed in one line and the process ends with 1."""
    quiet_retries()
    try:
        yield
    except Exception as error:
        if not (words := storage_words(error, Settings.load().dagster_home)):
            raise
        click.echo(f"Error: {words}", err=True)
        sys.exit(1)
