"""docs/feeds.md knows every key of a contract, and its examples are contracts."""

from __future__ import annotations

import re

import pytest

from ops_project.model.document import Document
from ops_project.model.feed.arrival import Arrival, Closed
from ops_project.model.feed.column import Column
from ops_project.model.feed.delivery_rules import Drift, KeepFirst, Volume
from ops_project.model.feed.feed import Feed
from ops_project.model.feed.feed_file import FeedFile
from ops_project.model.feed.file_format import Control, Format, Trailer
from ops_project.model.feed.version import Version
from ops_project.settings import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")
MODELS = [FeedFile, Feed, Format, Control, Trailer, Column, Closed, Arrival, Volume, Drift, Version, KeepFirst]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_documented(model):
    words = set(re.findall(r"`(?:[a-z]+\.)?([a-z_]+)`", PAGE))
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert keys - words == set()


def test_the_first_contract_is_one():
    [example] = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if text.startswith("domain:")]
    feeds = Document.parse(example, "docs/feeds.md").validate(FeedFile).resolved()
    assert feeds["takings"].match("takings_2026-11-01.csv.gz") is not None
