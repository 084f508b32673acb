"""`python -m tests.contracts.write`: accept the present definitions."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from ops_project.defs.compose import compose
from ops_project.defs.shared.site import Site
from ops_project.settings import Settings
from tests.contracts.contract import FOLDER, contract_of


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        site = Site.load(Settings(home=Path(home)))
        definitions = compose(site)
        FOLDER.mkdir(exist_ok=True)
        for domain in site.catalog.domain_ids():
            text = json.dumps(contract_of(definitions, domain), indent=1, sort_keys=True) + "\n"
            (FOLDER / f"{domain}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
