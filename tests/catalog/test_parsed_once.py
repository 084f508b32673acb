"""A parsed configuration is used for every later reading in the same process, so no reading may change it."""

from __future__ import annotations

import copy
from pathlib import Path

from ops_project.catalog import files, load
from ops_project.settings import Settings


def test_reading_changes_nothing_of_what_was_parsed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    files._parsed.cache_clear()
    first = load(settings)
    before = {name: copy.deepcopy(document.data) for name, document in first.documents.items()}
    again = load(settings)
    assert {name: document.data for name, document in again.documents.items()} == before
    assert again.feeds == first.feeds and again.rules == first.rules
