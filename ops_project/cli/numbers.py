"""The number of a row in the ledger, as an argument: one that no store can hold is refused at once."""

from __future__ import annotations

import click

NUMBER = click.IntRange(min=0, max=2**63 - 1)
