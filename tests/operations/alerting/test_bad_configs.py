"""One file for each mistake in tests/configs/bad: its first line names the file it stands for and what must be said, and
`# here` marks the line that must be named."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.settings import Settings

BAD = Path(__file__).parents[2] / "configs" / "bad"
FILES = [
    f
    for name in ("rules", "routes", "receivers", "calendar", "slas", "metrics")
    for f in sorted(BAD.glob(f"{name}_*.yaml"))
]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_the_mistake_is_found_with_its_line(file, tmp_path):
    text = file.read_text()
    target, _, said = text.splitlines()[0].removeprefix("# ").partition(": ")
    line = next(number for number, row in enumerate(text.splitlines(), 1) if row.endswith("# here"))
    (tmp_path / target).write_text(text)
    with pytest.raises(catalog.ConfigError) as error:
        catalog.load(Settings.load(home=tmp_path / "home", overlay=tmp_path))
    problems = [p for p in error.value.problems if said in p.message]
    assert problems, f"nobody said {said!r}:\n{error.value}"
    assert [(Path(p.file).name, p.line) for p in problems[:1]] == [(target, line)], problems


def test_there_are_enough_of_them():
    assert len(FILES) >= 30
