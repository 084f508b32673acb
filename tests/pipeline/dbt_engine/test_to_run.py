"""The Manifest of one command: it selects what the whole Manifest selects, and no command sees what another changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dbt.parser.manifest import extended_mashumaro_encoder, extended_mashumuro_decoder

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine.compile import QUIET, folders
from ops_project.pipeline.dbt_engine.to_run import pack, unpack


def _selected(manifest: Any, select: str) -> set[str]:
    from dbt.cli.main import dbtRunner

    arguments = [*QUIET, "list", *folders(dbt_manifest.load().project_dir), "--indirect-selection", "buildable"]
    arguments += ["--exclude-resource-types", "unit_test"]  # no run executes them
    outcome = dbtRunner(manifest=manifest).invoke([*arguments, "--select", *select.split()])
    assert outcome.exception is None, outcome.exception
    return set(outcome.result or ())


@pytest.mark.parametrize(
    ("select", "leaves_out"),
    [
        ("insurance", True),
        ("marketing.staging marketing.interface", True),
        ("investor.marts streaming", True),
        ("daily_revenue", True),
        ("source_unique_bronze_feeds", False),
        ("+daily_revenue", False),
        ("ops_project.ecommerce", False),
        ("tag:gold", False),
        ("insurance,tag:gold", False),
        ("insur*", False),
    ],
)
def test_a_part_selects_what_the_whole_selects(select: str, leaves_out: bool) -> None:
    parsed = dbt_manifest.load()
    whole, part = parsed.object(), parsed.to_run(select.split())
    assert (len(part.nodes) < len(whole.nodes)) == leaves_out
    assert _selected(part, select) == _selected(whole, select)


def test_a_test_belongs_to_every_domain_whose_models_it_reads() -> None:
    """If it did not, building one of them would not run it."""
    parsed = dbt_manifest.load()
    nodes = parsed.object().nodes
    for domain in {node.fqn[1] for node in nodes.values()}:
        part = parsed.to_run([domain]).nodes
        for unique_id, node in nodes.items():
            read = {nodes[parent].fqn[1] for parent in node.depends_on.nodes if parent in nodes}
            if node.resource_type != "test" or domain in {node.fqn[1], *read}:
                assert part[unique_id].raw_code == node.raw_code


def test_dbt_takes_a_dot_in_the_name_of_a_folder_for_its_end() -> None:
    """Its selection `shop` names the nodes of `shop.silver`, so their tests must be there."""
    encode: Callable[[Any], bytes] = extended_mashumaro_encoder
    decode: Callable[[bytes], Any] = extended_mashumuro_decoder
    body = decode((dbt_manifest.load().folder / dbt_manifest.MANIFEST_OBJECT).read_bytes())
    of_insurance = [node for node in body["nodes"].values() if node["fqn"][1] == "insurance"]
    for node in of_insurance:
        node["fqn"][1] = "insurance.silver"
    packed = decode(pack(encode(body)))
    assert "insurance" in packed["domains"]
    tests = {key for domains, group in packed["tests"] if "insurance" in domains for key in decode(group)}
    assert tests >= {node["unique_id"] for node in of_insurance if node["resource_type"] == "test"} != set()


def test_everything_else_is_there_without_files_and_unit_tests() -> None:
    parsed = dbt_manifest.load()
    whole, run, part = parsed.object(), parsed.to_run(), parsed.to_run(["insurance"])
    assert whole.files and whole.unit_tests
    assert run.files == run.unit_tests == {}
    assert run.nodes.keys() == whole.nodes.keys()
    for name in ("sources", "macros", "exposures", "docs", "disabled"):
        assert list(getattr(part, name)) == list(getattr(run, name)) == list(getattr(whole, name)), name
    assert part.flat_graph == run.flat_graph == whole.flat_graph
    assert {key: macro.macro_sql for key, macro in part.macros.items()} == {
        key: macro.macro_sql for key, macro in whole.macros.items()
    }


def test_no_command_sees_what_another_one_changed() -> None:
    parsed = dbt_manifest.load()
    first = parsed.to_run(["insurance"])
    name = next(iter(first.nodes))
    first.nodes[name].raw_code = "changed"
    first.nodes.pop(next(reversed(first.nodes)))
    first.macros.clear()
    second = parsed.to_run(["insurance"])
    assert second.nodes[name].raw_code != "changed"
    assert len(second.nodes) == len(first.nodes) + 1
    assert second.macros


def test_a_packed_manifest_is_read_once_and_the_same_for_the_same_project() -> None:
    parsed = dbt_manifest.load()
    parsed.to_run()
    path = parsed.folder / dbt_manifest.TO_RUN
    assert unpack(path) is unpack(path)
    again = pack((parsed.folder / dbt_manifest.MANIFEST_OBJECT).read_bytes())
    assert again == path.read_bytes()
