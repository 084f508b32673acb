"""Assets of e-commerce that are neither landed nor dbt's: none yet."""

from __future__ import annotations

import dagster as dg

ASSETS: tuple[dg.AssetsDefinition, ...] = ()
