"""Files and metadata agree, and where they disagree, the file and the line are named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.model.feed.feed import Feed
from ops_project.model.metadata import Metadata
from ops_project.pipeline.vault_generator import generation
from ops_project.settings import DBT_PROJECT_DIR


def ops(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), "metadata", *words])


@pytest.fixture
def models(tmp_path: Path) -> Path:
    shutil.copytree(DBT_PROJECT_DIR / "models" / "marketing", tmp_path / "models" / "marketing")
    return tmp_path / "models"


def test_the_shipped_files_are_what_the_metadata_asks_for(tmp_path: Path) -> None:
    result = ops(tmp_path, "check")
    assert result.exit_code == 0, result.output


def test_generating_twice_changes_nothing(tmp_path: Path, meta: Metadata, feeds: dict[str, Feed]) -> None:
    first, again = (
        json.loads(ops(tmp_path, "generate", "--models", str(tmp_path / "m"), "--json").output) for _ in "ab"
    )
    assert len(first["written"]) == len(generation.generate(meta, feeds))
    assert again["written"] == again["removed"] == []


def test_an_edited_a_missing_and_a_stray_file_are_drift(tmp_path: Path, models: Path) -> None:
    folder = models / "marketing"
    edited = folder / "interface" / "uds_offer.sql"
    text = edited.read_text()
    edited.write_text(text.replace("    offer_name,\n", ""))
    (folder / "raw_vault" / "hub_offer.sql").unlink()
    (folder / "staging" / "stg_other.sql").write_text("select 1\n")
    result = ops(tmp_path, "check", "--models", str(models), "--json")
    assert result.exit_code == 1
    found = {(item["file"], item["line"]) for item in json.loads(result.output)["problems"]}
    line = text[: text.index("    offer_name,")].count("\n") + 1
    assert found == {
        ("marketing/interface/uds_offer.sql", line),
        ("marketing/raw_vault/hub_offer.sql", 1),
        ("marketing/staging/stg_other.sql", 1),
    }
    assert ops(tmp_path, "generate", "--models", str(models)).exit_code == 0
    assert ops(tmp_path, "check", "--models", str(models)).exit_code == 0


def test_hand_written_models_are_left_alone(tmp_path: Path, models: Path) -> None:
    before = (models / "marketing" / "marts" / "customer_360.sql").read_text()
    ops(tmp_path, "generate", "--models", str(models))
    assert (models / "marketing" / "marts" / "customer_360.sql").read_text() == before


def test_a_reject_leads_to_its_mapping(tmp_path: Path) -> None:
    result = ops(tmp_path, "show", "uds_customer.country_code", "--json")
    (row,) = json.loads(result.output)
    assert row["row"].startswith("ops_project/config/metadata/marketing/mappings.csv:")
    assert "sat_customer_profile.country" in row["text"]
    assert ops(tmp_path, "show", "uds_nothing").exit_code == 1
