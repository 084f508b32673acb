"""Mistakes in files without a separate test: each is found, with its line, and nothing is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.settings import Settings

BAD = Path(__file__).parents[1] / "configs" / "bad"
NAMES = (
    "checks",
    "domains",
    "freshness",
    "models",
    "owners",
    "platform",
    "oncall",
    "escalation",
    "checklists",
    "console",
    "roles",
)
FILES = [file for name in NAMES for file in sorted(BAD.glob(f"{name}_*.yaml"))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_mistake_is_found_with_its_line(file: Path, tmp_path: Path) -> None:
    text = file.read_text(encoding="utf-8")
    target, _, said = text.splitlines()[0].removeprefix("# ").partition(": ")
    line = next(number for number, row in enumerate(text.splitlines(), 1) if row.endswith("# here"))
    (tmp_path / target).write_text(text, encoding="utf-8")
    with pytest.raises(catalog.ConfigError) as error:
        catalog.load(Settings.load(home=tmp_path / "home", overlay=tmp_path, environ={}))
    problems = [problem for problem in error.value.problems if said in problem.message]
    assert problems, f"nobody said {said!r}:\n{error.value}"
    assert (Path(problems[0].file).name, problems[0].line) == (target, line)


def test_there_is_one_for_each_file_and_none_that_no_test_reads() -> None:
    assert not [name for name in NAMES if not list(BAD.glob(f"{name}_*.yaml"))]
    elsewhere = ("calendar", "metrics", "receivers", "reconciliations", "routes", "rules", "slas")
    kinds = {file.name.partition("_")[0] for file in BAD.glob("*.yaml")}
    assert kinds <= {*NAMES, *elsewhere}
