"""libyaml reads a file of the configuration only if PyYAML's own parser would read the same from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ops_project.model import document
from ops_project.model.document import ConfigError, Document
from ops_project.model.yaml_loaders import BoundedLoader
from ops_project.settings import CONFIG_DIR

PIECES = (
    *("a", "b: ", "- ", "  ", "\n", "\n  ", "\n- ", ": ", "{", "}", "[", "]", ", ", "'", '"', "|\n", "> \n", "|-\n"),
    *("&x ", "*x", "!!str ", "!t ", "# c", "---\n", "...\n", "%YAML 1.1\n", "\t", "~", "1", "0x1", "\\u263a", "\\\n"),
    *("é", "\u2028", "\x85", "\ufeff", "😀", "\ud83d", "? ", "<<: ", "\r\n", "\r", "@", "`", "k: [1]\n", "=", "\xa0"),
)


def read(text: str) -> tuple[object, ...]:
    """The result of reading a text: its data and lines, or its problems. The data is compared as text, so that NaN
    equals NaN.
    """
    try:
        found = Document.parse(text, "f.yaml")
    except ConfigError as error:
        return tuple(map(str, error.problems))
    return repr(found.data), found.lines


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("1\t")
@example("\ufeff\ufeff")
@example("a: 1\n---\n\n  ")
@example("---\n\n  ")
@example("a: 1\na: 2\n")
@example("a: [1\nb: 2")
@example("a: &x [*x]")
@example("a: \ud83d")
@example("[" * 60)
def test_both_read_the_same(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    quick = read(text)
    with monkeypatch.context() as patched:
        patched.setattr(document, "QuickLoader", BoundedLoader)
        assert quick == read(text)


def test_the_shipped_files_are_read_by_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: str) -> BoundedLoader:
        raise AssertionError(f"read by the slow parser: {text[:60]}")

    monkeypatch.setattr(document, "BoundedLoader", refuse)
    paths: list[Path] = [*CONFIG_DIR.rglob("*.yaml")]
    assert len(paths) > 20
    for path in paths:
        assert Document.parse(path.read_text(encoding="utf-8"), path).data
