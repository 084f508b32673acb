"""The parts of each domain that others depend on: asset keys, owners, checks, jobs, crons. A change here is a change
of a contract. After an intended change: `python -m tests.contracts.write`, and give the reason in the commit.
"""

from __future__ import annotations

import json

import dagster as dg
import pytest

from ops_project.defs.shared.site import Site
from tests.contracts.contract import FOLDER, contract_of


@pytest.mark.parametrize("domain", ["ecommerce", "marketing", "investor", "streaming", "insurance"])
def test_contract(domain: str, definitions: dg.Definitions, site: Site) -> None:
    file = FOLDER / f"{domain}.json"
    known = json.loads(file.read_text(encoding="utf-8"))
    found = json.loads(json.dumps(contract_of(definitions, domain)))
    changed = {
        part: {"gone": _less(known[part], found[part]), "new": _less(found[part], known[part])}
        for part in known
        if known[part] != found[part]
    }
    assert not changed, f"{json.dumps(changed, indent=1)}\nIntended? python -m tests.contracts.write, and say why."


def test_every_domain_has_a_contract(site: Site) -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(site.catalog.domain_ids())


def _less(one: object, other: object) -> object:
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: value for key, value in one.items() if other.get(key) != value}
    return [item for item in one if item not in other] if isinstance(one, list) and isinstance(other, list) else one
