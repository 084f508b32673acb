"""Assets of marketing that are neither landed nor dbt's: none."""

from __future__ import annotations

import dagster as dg

ASSETS: tuple[dg.AssetsDefinition, ...] = ()
