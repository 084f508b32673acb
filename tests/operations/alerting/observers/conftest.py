from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings
from tests.operations.alerting.observers.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    settings = Settings.load(home=tmp_path)
    with Ledger.open(settings.ledger_url) as ledger:
        yield Place(settings, ledger, catalog.load(settings))
