"""Hostile or broken YAML is refused at once, with its file and line, wherever YAML is read."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.model.document import ConfigError, Document
from ops_project.settings import Settings


def alias_bomb(levels: int = 9, width: int = 9) -> str:
    """YAML whose last line means width ** levels values."""
    lines = ["a0: &a0 [lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def merge_bomb() -> str:
    lines = ["a0: &a0 {k0: 1, k1: 2}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 9)]
    return "\n".join(lines) + "\n"


BAD = {
    "aliases of aliases in lists": (alias_bomb(), 6, "more than 100,000 values"),
    "aliases of aliases in mappings": (
        "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{p: *a{n - 1}, q: *a{n - 1}}}\n" for n in range(1, 60)),
        None,
        "more than 100,000 values",
    ),
    "merges of merges": (merge_bomb(), None, "more than 100,000 values"),
    "aliases of one long text": (
        "a: &a '" + "x" * 50_000 + "'\nb: [" + ", ".join(["*a"] * 1_000) + "]\n",
        2,
        "more than 4,000,000 characters when its aliases are followed",
    ),
    "aliases of a long text in a mapping": (
        "a: &a {k: '" + "x" * 50_000 + "'}\nb: [" + ", ".join(["*a"] * 1_000) + "]\n",
        2,
        "more than 4,000,000 characters when its aliases are followed",
    ),
    "an alias inside itself": ("domain: shop\nfeeds: &x [*x]\n", 2, r"alias \*x is inside"),
    "an alias inside a nested self": ("domain: shop\nfeeds: &x\n  a: {b: [1, *x]}\n", 3, r"alias \*x is inside"),
    "an anchor on an alias": ("domain: &x *x\n", 1, "not valid YAML"),
    "brackets": ("domain: shop\nfeeds: " + "[" * 3000 + "]" * 3000, 2, "nested more than 50 levels"),
    "a hundred thousand brackets": ("[" * 100_000, 1, "nested more than 50 levels"),
    "braces": ("{a: " * 3000 + "1" + "}" * 3000, 1, "nested more than 50 levels"),
    "dashes": ("\n" + "- " * 3000 + "x", 2, "nested more than 50 levels"),
    "indentation": ("".join(f"{' ' * n}k:\n" for n in range(600)), 50, "nested more than 50 levels"),
    "a date that is none": ("domain: shop\nstart: 2026-13-45\n", 2, "put it in quotes"),
    "a number of ten thousand digits": ("domain: shop\nmin: " + "9" * 10_000 + "\n", 2, "cannot be read"),
    "a list as key": ("domain: shop\n? [a, b]\n: 1\n", 2, "a key must be a word"),
    "a mapping as key": ("domain: shop\n{a: b}: 1\n", 2, "a key must be a word"),
    "a control character": ("domain: shop\ntitle: \x07\n", 2, r"U\+0007"),
    "a tag of Python": ("domain: shop\ntitle: !!python/object/apply:os.system [ls]\n", 2, "not valid YAML"),
    "two documents": ("domain: shop\n---\ndomain: other\n", 2, "not valid YAML"),
    "a file of five million characters": ("# " + "x" * 5_000_000, 1, "at most 4,000,000"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused_in_under_a_second_with_file_and_line(name: str) -> None:
    text, line, words = BAD[name]
    began = time.process_time()
    with pytest.raises(ConfigError, match=words) as refused:
        Document.parse(text, "contract.yaml")
    assert time.process_time() - began < 1
    [problem] = refused.value.problems
    assert problem.file == "contract.yaml"
    if line is not None:
        assert problem.line == line


def test_an_alias_that_is_used_a_few_times_is_fine() -> None:
    text = "defaults: &d {quote: null, header: true}\nfeeds:\n  a: {format: *d}\n  b: {<<: *d, header: false}\n"
    data = Document.parse(text, "contract.yaml").data
    assert data["feeds"]["a"]["format"] == {"quote": None, "header": True}
    assert data["feeds"]["b"] == {"quote": None, "header": False}


def test_a_large_contract_is_read() -> None:
    columns = "".join(f"      c{n}: {{type: string, description: column {n}}}\n" for n in range(2_000))
    document = Document.parse(f"domain: shop\nfeeds:\n  a:\n    columns:\n{columns}", "contract.yaml")
    assert document.line("feeds", "a", "columns", "c1999") == 2_004


@pytest.mark.parametrize("relative", ["feeds/shop.yaml", "rules.yaml", "owners.yaml"])
def test_every_file_of_the_configuration_is_read_so(tmp_path: Path, relative: str) -> None:
    overlay = tmp_path / "config"
    (overlay / relative).parent.mkdir(parents=True)
    (overlay / relative).write_text(alias_bomb(), encoding="utf-8")
    settings = Settings(home=tmp_path / "home", overlay=overlay)
    began = time.process_time()
    with pytest.raises(ConfigError, match="values when its aliases are followed") as refused:
        catalog.load(settings)
    assert time.process_time() - began < 5
    assert any(problem.file == str(overlay / relative) and problem.line == 6 for problem in refused.value.problems)
