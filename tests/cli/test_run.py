"""`ops run` reports each part when it ends, and prints only JSON with `--json`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ops_project.settings import Settings
from tests.scenarios import homes

CONTRACT = """\
domain: post
owners: [team:data-engineering]
feeds:
  parcels:
    inbound: "parcels_{date:%Y-%m-%d}.csv"
    key: id
    columns:
      id: {type: integer, required: true}
"""


def test_a_line_as_each_domain_ends_and_none_with_json(tmp_path: Path) -> None:
    feeds, inbound = tmp_path / "config" / "feeds", tmp_path / "home" / "inbound" / "post"
    feeds.mkdir(parents=True)
    inbound.mkdir(parents=True)
    (feeds / "post.yaml").write_text(CONTRACT)
    (inbound / "parcels_2026-03-01.csv").write_text("id\n1\n2\n")
    said = _run(tmp_path, "--domain", "post", "--domain", "insurance")
    lines = [line for line in said.errors.splitlines() if re.match(r" *\d+\.\d s  ", line)]
    assert [line.split(" s  ")[1] for line in lines] == [
        "post: succeeded, rows loaded: 2, tables built: 1",
        "insurance: no files yet",
    ]
    (inbound / "parcels_2026-03-02.csv").write_text("id\n3\n")
    asked = _run(tmp_path, "--domain", "post", "--json")
    assert json.loads(asked.output)["runs"][0]["rows_loaded"] == 1
    assert " s  post" not in asked.errors


def _run(folder: Path, *arguments: str) -> homes.Ended:
    homes.warm()
    settings = Settings(home=folder / "home", as_of=homes.NOW, overlay=folder / "config")
    return homes.ops(settings, "run", *arguments).wait()
