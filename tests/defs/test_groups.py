"""The collapsed lineage in the Dagster UI shows the layers that the domain's document names."""

from __future__ import annotations


def test_marketing_reads_landing_zone_then_vault_then_interface_then_360(graph) -> None:
    group = {key: graph.get(key).group_name or "" for key in graph.get_all_asset_keys()}
    edges = {
        (group[parent], group[key])
        for key in group
        for parent in graph.get(key).parent_keys
        if group[key].startswith("marketing") and group[parent] != group[key]
    }
    assert edges == {
        ("marketing_ldz", "marketing_rdv"),
        ("marketing_rdv", "marketing_interface"),
        ("marketing_interface", "marketing_360"),
    }
