"""Numbers as arguments, each with both bounds: what no store, calendar or machine can hold is refused at once."""

from __future__ import annotations

import click

NUMBER = click.IntRange(min=0, max=2**63 - 1)
"""The number of a row in the ledger."""
COUNT = click.IntRange(min=1, max=10**9)
COUNT_OR_NONE = click.IntRange(min=0, max=10**9)
DAYS = click.IntRange(min=1, max=36_500)
SECONDS = click.FloatRange(min=0.1, max=10**7)
MEGABYTES = click.IntRange(min=1, max=10**7)
