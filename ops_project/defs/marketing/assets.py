"""Marketing has no assets besides landed feeds and dbt models."""

from __future__ import annotations

import dagster as dg

ASSETS: tuple[dg.AssetsDefinition, ...] = ()
