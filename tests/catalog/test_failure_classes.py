"""First responses and roles of the failure classes stand in failure_classes.yaml. They are still read from their
earlier places.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ops_project import catalog
from ops_project.model.document import ConfigError
from ops_project.model.failure_class import FAILURE_CLASSES
from ops_project.settings import CONFIG_DIR, Settings

RESPONSE = {"first_responses": {"source_late": {"response": "Wait."}}}


def loaded(folder: Path) -> catalog.Catalog:
    return catalog.load(Settings(home=folder / "home", overlay=folder))


def changed(folder: Path, name: str, without: str = "", **more: object) -> None:
    said = yaml.safe_load((CONFIG_DIR / name).read_text(encoding="utf-8"))
    said.pop(without, None)
    (folder / name).write_text(yaml.safe_dump({**said, **more}), encoding="utf-8")


def test_they_are_read_from_one_file(tmp_path: Path) -> None:
    shipped = yaml.safe_load((CONFIG_DIR / "failure_classes.yaml").read_text(encoding="utf-8"))
    found = loaded(tmp_path)
    assert set(found.escalation.class_roles) == set(shipped["class_roles"]) == set(FAILURE_CLASSES)
    assert set(found.rules.first_responses) == set(shipped["first_responses"])
    for name, key in (("rules.yaml", "first_responses"), ("escalation.yaml", "class_roles")):
        assert key not in yaml.safe_load((CONFIG_DIR / name).read_text(encoding="utf-8"))


def test_an_older_configuration_keeps_what_it_says(tmp_path: Path) -> None:
    changed(tmp_path, "rules.yaml", **RESPONSE)
    changed(tmp_path, "escalation.yaml", class_roles={"unknown": {"first": "Look.", "roles": ["dba"]}})
    changed(tmp_path, "failure_classes.yaml", without="first_responses", transient=["timeout"])
    found = loaded(tmp_path)
    assert found.rules.first_responses["source_late"].response == "Wait."
    assert "source_empty" in found.rules.first_responses, "the shipped ones, of which its file says nothing"
    assert found.escalation.class_roles["unknown"].roles == ("dba",)


def test_an_escalation_of_ones_own_need_not_know_the_shipped_roles(tmp_path: Path) -> None:
    changed(tmp_path, "escalation.yaml")
    assert loaded(tmp_path).escalation.class_roles == {}


def test_a_role_that_does_not_exist_is_told_where_it_stands(tmp_path: Path) -> None:
    changed(tmp_path, "failure_classes.yaml", class_roles={"timeout": {"roles": ["nobody"]}})
    with pytest.raises(ConfigError, match=r"failure_classes\.yaml.*role 'nobody'"):
        loaded(tmp_path)
