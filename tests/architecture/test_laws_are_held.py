"""Each law of imports is broken on purpose, in a copy of the packages, and the linter must report it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
# Contract → the file that breaks it, and the import that it must not have.
BROKEN = {
    "layers": ("ops_project/process/processes.py", "ops_project.defs.compose"),
    "wings": ("ops_project/operations/channels/file.py", "ops_project.pipeline.warehouse.files"),
    "bridge": ("ops_project/dagster_bridge/home.py", "ops_project.operations.ledger"),
    "operations": ("ops_project/operations/ledger/store.py", "ops_project.operations.channels.file"),
    "pipeline": ("ops_project/pipeline/warehouse/files.py", "ops_project.pipeline.landing.land"),
    "landing": ("ops_project/pipeline/landing/read/own_columns.py", "ops_project.pipeline.landing.write.commit"),
    "recovery": ("ops_project/pipeline/recovery/decide/plan.py", "ops_project.pipeline.recovery.restore"),
    "domains": ("ops_project/defs/insurance/assets.py", "ops_project.defs.ecommerce.assets"),
    "checks": ("asset_checks/specs.py", "ops_project.settings"),
    "pure": ("ops_project/operations/alerting/decide/windows.py", "sqlalchemy"),
    "dagster": ("ops_project/pipeline/warehouse/repair.py", "dagster"),
}


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The linter's output for a copy in which every law is broken once."""
    copy = tmp_path_factory.mktemp("copy")
    for package in ("ops_project", "asset_checks"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for file, module in BROKEN.values():
        with (copy / file).open("a", encoding="utf-8") as source:
            source.write(f"\nimport {module}  # breaks a law\n")
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["id"])
def test_a_broken_law_is_seen(verdict: str, contract: dict[str, str]) -> None:
    assert contract["id"] in BROKEN, "a new law needs a line in BROKEN that breaks it"
    name = " ".join(contract["name"].split())
    assert re.search(rf"{re.escape(name)} BROKEN", verdict)
