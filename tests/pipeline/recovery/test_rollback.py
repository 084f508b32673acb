"""Which tables two versions build differently, and what forbids the rollback."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from ops_project.pipeline.recovery.clone import Clone, clone_of
from ops_project.pipeline.recovery.decide.rollback import affected, forbidden
from ops_project.pipeline.recovery.decide.target import RestoreError

THEN = {"silver.a": "1", "silver.b": "1", "gold.c": "1", "gold.old": "1"}
NOW = {"silver.a": "2", "silver.b": "1", "gold.c": "1", "gold.new": "1"}
CHILDREN = {"silver.a": ["gold.c"], "gold.c": ["gold.d"], "silver.b": ["gold.e"]}


def test_what_the_two_versions_build_differently() -> None:
    found = affected(THEN, NOW, CHILDREN)
    assert (found.changed, found.only_now, found.only_then) == (("silver.a",), ("gold.new",), ("gold.old",))
    assert found.downstream == ("gold.c", "gold.d") and found.rebuilt == ("gold.old", "silver.a")
    same = affected(THEN, THEN, CHILDREN)
    assert same.rebuilt == same.downstream == ()


def test_every_reason_against_it_is_told() -> None:
    assert forbidden(dirty=[], is_ancestor=True, migrations=[], loads=None) == []
    found = forbidden(dirty=["a.py"], is_ancestor=False, migrations=["0009_x.py"], loads="ImportError: x")
    assert len(found) == 4
    for words, reason in zip(("a.py", "earlier version", "0009_x.py", "ImportError"), found, strict=True):
        assert words in reason


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """Two commits."""
    for words in (["init", "-q"], ["config", "user.email", "a@example.org"], ["config", "user.name", "Ada"]):
        git(tmp_path, *words)
    for text in ("one", "two"):
        (tmp_path / "file.txt").write_text(text, encoding="utf-8")
        git(tmp_path, "add", "file.txt")
        git(tmp_path, "commit", "-q", "-m", text)
    return clone_of(tmp_path)


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True)


def test_a_version_is_named_put_aside_and_checked_out(clone: Clone, tmp_path: Path) -> None:
    first, head = clone.resolve("HEAD~1"), clone.head()
    assert clone.is_ancestor(first, head) and not clone.is_ancestor(head, first)
    assert not clone.is_ancestor("unknown", head) and clone.differs(first, head, "file.txt")
    clone.put_into(first, tmp_path / "then")
    assert (tmp_path / "then" / "file.txt").read_text(encoding="utf-8") == "one"
    assert clone.dirty() == []
    (clone.root / "file.txt").write_text("three", encoding="utf-8")
    assert clone.dirty() == ["file.txt"]
    git(clone.root, "checkout", "-q", "file.txt")
    branch = clone.named_head()
    clone.check_out(first)
    assert clone.head() == first == clone.named_head() and branch != first


def test_a_version_is_put_aside_by_an_early_patch_release_of_python(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian 12 has Python 3.11.2, whose module tarfile has no filters."""
    whole = tarfile.TarFile.extractall
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    monkeypatch.setattr(tarfile.TarFile, "extractall", lambda archive, path: whole(archive, path))
    clone.put_into(clone.head(), tmp_path / "now")
    assert (tmp_path / "now" / "file.txt").read_text(encoding="utf-8") == "two"


def test_what_is_no_version_is_refused_with_the_newest_ones(clone: Clone, tmp_path: Path) -> None:
    with pytest.raises(RestoreError, match=r"no commit 'nonsense'; the newest: \w+ two; \w+ one"):
        clone.resolve("nonsense")
    (tmp_path / "copy").mkdir()
    with pytest.raises(RestoreError, match="not a clone"):
        clone_of(tmp_path / "copy")
