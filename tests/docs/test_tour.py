"""The README's tour, from a fault to its post-mortem: each of its commands is run as it is written. The home has only
the shop, so commands for all domains are run for the shop.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ops_project.operations.ledger import Ledger
from ops_project.settings import PROJECT_ROOT
from tests.scenarios import homes

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("runs")]

SHOP = ("--domain", "ecommerce")


def commands() -> list[list[str]]:
    """The words after `ops` of each command under the headings of the tour."""
    text = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    tour = text[text.index("## Break it on purpose") : text.index("## How it works")]
    return [shlex.split(line, comments=True) for line in re.findall(r"^\$ \.venv/bin/ops (.+)$", tour, re.MULTILINE)]


def test_the_tour_leads_from_the_fault_to_the_post_mortem(tmp_path: Path) -> None:
    homes.warm()
    home = homes.simulate(tmp_path / "home")
    assert homes.ops(home, "run", *SHOP).wait().code == 0
    told = {}
    for words in commands():
        more = SHOP if words[0] in ("run", "simulate") else ()
        ended = homes.ops(home, *words, *more).wait()
        # A run that finds the fault ends with 1, like every run with a failed check.
        assert ended.code == (1 if words == ["run"] else 0), (words, ended.output, ended.errors)
        told[" ".join(words[:2])] = ended.output
    assert "File of orders arrived incomplete" in told["alerts list"]
    assert "would be rejected" in told["runbook run"]
    assert "succeeded" in told["release ecommerce"]
    for phase in ("Incident detection", "Containment", "Root cause analysis", "Resolution", "(to be answered)"):
        assert phase in told["incidents postmortem"]
    with Ledger.open(home.ledger_url) as ledger:
        happened = [event.reason.value for event in ledger.incident_timeline(1)]
        assert ledger.incidents("open") == []
    assert happened[-1] == "data_recovered"
    assert happened.index("acknowledged") < happened.index("runbook_run") < happened.index("downstream_held")
    assert happened.index("downstream_held") < happened.index("downstream_released")
