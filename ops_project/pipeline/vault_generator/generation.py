"""Writes all dbt files that follow from the metadata of a domain. Their paths are relative to dbt_project/models."""

from __future__ import annotations

from collections.abc import Mapping as Mappings

from ops_project.model.document import ConfigError
from ops_project.model.feed.feed import Feed
from ops_project.model.metadata import SATELLITES, Metadata
from ops_project.pipeline.vault_generator import interface, naming, properties, references, stages, vault


def generate(meta: Metadata, feeds: Mappings[str, Feed]) -> dict[str, str]:
    """Path → text of the file. Raises ConfigError with every problem of the metadata."""
    if found := references.problems(meta, feeds):
        raise ConfigError(found)
    types, personal = naming.source_types(meta, feeds), naming.personal(meta, feeds)
    files = {f"staging/{naming.stage(name)}.sql": stages.sql(meta, feeds[name]) for name in naming.feeds(meta)}
    files["staging/_sources.yml"] = properties.sources(meta, feeds)
    files["staging/_staging.yml"] = properties.staging(meta)
    files |= {f"raw_vault/{hub.entity}.sql": vault.hub_sql(meta, hub) for hub in meta.of_kind("hub")}
    files |= {f"raw_vault/{link.entity}.sql": vault.link_sql(meta, link) for link in meta.of_kind("link")}
    for satellite in meta.of_kind(*SATELLITES):
        files[f"raw_vault/{satellite.entity}.sql"] = vault.satellite_sql(meta, satellite)
        for view in (vault.CURRENT, vault.HISTORY):
            files[f"raw_vault/states/{satellite.entity}_{view}.sql"] = vault.states_sql(meta, satellite, view)
    files["raw_vault/_raw_vault.yml"] = properties.raw_vault(meta, personal)
    files["raw_vault/states/_states.yml"] = properties.states(meta)
    for entity in meta.of_kind("interface"):
        files[f"interface/{naming.mapped(entity)}.sql"] = interface.mapped_sql(meta, entity, types)
        files[f"interface/{entity.entity}.sql"] = interface.table_sql(meta, entity)
        files[f"interface/{entity.entity}.yml"] = properties.interface(meta, entity, personal)
    if meta.of_kind("interface"):
        files[f"interface/{interface.REJECTS}.sql"] = interface.rejects_sql(meta)
        files[f"interface/{interface.REJECTS}.yml"] = properties.rejects()
    return {f"{meta.domain}/{path}": text for path, text in files.items()}


# These folders belong to the generator. Any file in them that the generator does not write is reported.
FOLDERS = ("staging", "raw_vault", "interface")
