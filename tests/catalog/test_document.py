"""Errors name the file, the line, the thing, and what would be right."""

from __future__ import annotations

import pytest

from ops_project.model.base import Model
from ops_project.model.document import ConfigError, Document


class Leaf(Model):
    size: int = 1
    colour: str = "red"


class Tree(Model):
    name: str
    leaves: dict[str, Leaf] = {}
    rows: list[Leaf] = []


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Document.parse(text, "tree.yaml").validate(Tree)
    return str(caught.value).splitlines()


def test_a_good_file_is_read() -> None:
    tree = Document.parse("name: oak\nleaves:\n  a: {size: 3}\n", "tree.yaml").validate(Tree)
    assert tree.leaves["a"].size == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: oak\nleafs: {}\n", "tree.yaml:2: unknown key 'leafs'; valid: leaves, name, rows"),
        (
            "name: oak\nleaves:\n  a:\n    sise: 3\n",
            "tree.yaml:4: unknown key 'sise' in leaves.a; valid: colour, size",
        ),
        (
            "name: oak\nrows:\n  - size: 1\n  - hue: 3\n",
            "tree.yaml:4: unknown key 'hue' in rows.1; valid: colour, size",
        ),
        ("leaves: {}\n", "tree.yaml:1: name is missing"),
        ("name: oak\nname: elm\n", "tree.yaml:2: 'name' stands twice, first on line 1"),
    ],
)
def test_one_mistake_one_line(text: str, expected: str) -> None:
    assert problems(text) == [expected]


def test_a_wrong_type_shows_what_was_given() -> None:
    [line] = problems("name: oak\nleaves:\n  a:\n    size: big\n")
    assert line.startswith("tree.yaml:4: leaves.a.size:")
    assert "'big'" in line


def test_broken_yaml_is_a_line_too() -> None:
    [line] = problems("name: oak\nleaves: {a: [}\n")
    assert line.startswith("tree.yaml:2: not valid YAML")


def test_all_mistakes_are_told_at_once() -> None:
    assert len(problems("nam: oak\nleaves:\n  a: {size: big}\n")) == 3


def test_an_empty_file_says_what_is_missing() -> None:
    assert problems("") == ["tree.yaml:1: name is missing"]
