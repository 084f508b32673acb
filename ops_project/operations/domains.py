"""The domains that alerts can have. Ours are configured; a watched Dagster project has those that its assets name."""

from __future__ import annotations

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage


def domains_of(catalog: Catalog, lineage: Lineage) -> list[str]:
    """The configured domains, and then the further ones of a watched project, sorted."""
    known = catalog.domain_ids()
    if not catalog.watches:
        return known
    named = {fact.domain for fact in lineage.assets.values()} - {"", *known}
    return [*known, *sorted(named)]


def title_of(catalog: Catalog, domain: str) -> str:
    """The title of a domain. If none is configured, it is made from the name."""
    if domain in catalog.domain_ids():
        return catalog.domain(domain).title
    return domain.replace("_", " ").capitalize()
