"""The parts of e-commerce that are neither landed nor built by dbt: the check that every order can be converted, and
the machine-learning models.
"""

from __future__ import annotations

import dagster as dg

from ops_project.defs.ecommerce import learning
from ops_project.defs.shared.site import Site
from ops_project.defs.shared.stated import stated_checks


def assets(site: Site) -> list[dg.AssetsDefinition]:
    """Predictions and checks that belong to the main job."""
    stated = stated_checks(site, "ecommerce")
    return [*([stated] if stated is not None else []), *learning.nightly(site)]
