"""The usual arrangement, for comparison: dagster-dbt's subprocess, one step for each layer, the multiprocess executor.

Loaded by `dagster job execute` in tests/benchmarks/runs.py; reads the home from the environment like everything else.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

from ops_project.settings import DBT_PROJECT_DIR

# This is dbt's own target, because a user of this arrangement would already have parsed the project.
TARGET = Path(os.environ.get("BENCH_TARGET", DBT_PROJECT_DIR / "target"))
SELECTIONS = {"silver": "ecommerce.silver", "gold": "ecommerce.gold"}


def layer(name: str) -> dg.AssetsDefinition:
    @dbt_assets(manifest=TARGET / "manifest.json", select=SELECTIONS[name], name=name)
    def body(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        arguments = [
            "build",
            "--exclude-resource-types",
            "unit_test",
            "--vars",
            json.dumps({"as_of": os.environ["OPS_AS_OF"]}),
        ]
        yield from dbt.cli(
            [*arguments, "--indirect-selection", "buildable"], context=context, target_path=TARGET
        ).stream()

    return body


ASSETS = [layer(name) for name in SELECTIONS] if (TARGET / "manifest.json").is_file() else []
defs = dg.Definitions(
    assets=ASSETS,
    jobs=[dg.define_asset_job("usual", selection=dg.AssetSelection.all())],
    resources={
        "dbt": DbtCliResource(
            project_dir=DbtProject(DBT_PROJECT_DIR),
            profiles_dir=str(DBT_PROJECT_DIR),
            dbt_executable=str(Path(sys.executable).parent / "dbt"),
        )
    },
)
