"""`calls.py` sees each kind of call that a function does not take, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import calls


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(calls, "ROOT", tmp_path)
    (tmp_path / "ops_project").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "ops_project" / "__init__.py").write_text("from ops_project.work import act\n")
    (tmp_path / "ops_project" / "work.py").write_text("def act(subject, count=1, *, why, now=None): ...\n")
    return tmp_path


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        ("act(1, why='x')", ""),
        ("act(*sides, why='x')", ""),
        ("act(1, **options)", ""),
        ("act(1, 2, 'x')", "takes 2 positional arguments and gets 3"),
        ("act(1, 2)", "lacks why"),
        ("act(*sides)", "lacks why"),
        ("act(why='x')", "lacks subject"),
        ("act(1, why='x', by='y')", "has no argument by"),
        ("act(1, subject=2, why='x')", "gets subject twice"),
    ],
)
def test_a_call_is_held_against_its_function(project: Path, call: str, wrong: str) -> None:
    test = project / "tests" / "test_work.py"
    test.write_text(f"from ops_project import act\nfrom ops_project import work\n\n{call}\nwork.{call}\n")
    found = list(calls.mistakes(calls.modules(), "tests.test_work"))
    assert found == ([f"tests/test_work.py:4 act: {wrong}", f"tests/test_work.py:5 work.act: {wrong}"] if wrong else [])


def test_a_name_of_the_test_itself_is_not_taken_for_the_function(project: Path) -> None:
    (project / "tests" / "test_work.py").write_text(
        "from ops_project import act\n\ndef test(act):\n    act(1, 2, 3, 4)\n"
    )
    assert not list(calls.mistakes(calls.modules(), "tests.test_work"))
