"""A call that passes more than five values names them. Otherwise two of them could be swapped, and nobody would notice."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST = 5


@dataclass
class Seen:
    """The violations of both rules in the modules that were read: long signatures, and long calls without names."""

    long_signatures: list[str] = field(default_factory=list)
    long_calls: list[tuple[str, str]] = field(default_factory=list)
    """(called name, place). Some are calls of functions of other packages."""
    classes: set[str] = field(default_factory=lambda: {"cls"})

    def read(self, tree: ast.AST, file: str) -> None:
        foreign: set[str] = set()
        calls: list[ast.Call] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if len(_positional(node)) > MOST:
                    self.long_signatures.append(f"{file}:{node.lineno} {node.name}")
            elif isinstance(node, ast.ClassDef):
                self.classes.add(node.name)
            elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(("ops_project", "asset_")):
                foreign.update(alias.asname or alias.name for alias in node.names)
            elif isinstance(node, ast.Call) and len(node.args) > MOST:
                calls.append(node)
        for call in calls:
            name = ast.unparse(call.func).rpartition(".")[2]
            if name not in foreign:
                self.long_calls.append((name, f"{file}:{call.lineno} {name}"))

    @property
    def long_values(self) -> list[str]:
        return [place for name, place in self.long_calls if name in self.classes]


def _positional(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


@pytest.fixture(scope="module")
def seen() -> Seen:
    found = Seen()
    for package in ("ops_project", "asset_checks"):
        for path in sorted((ROOT / package).rglob("*.py")):
            found.read(ast.parse(path.read_text(encoding="utf-8")), path.relative_to(ROOT).as_posix())
    return found


def test_a_function_takes_at_most_five_positional_arguments(seen: Seen) -> None:
    assert not seen.long_signatures, "put a * before the ones that follow, or pass what travels together as one value"


def test_a_value_of_more_than_five_fields_is_built_by_keyword(seen: Seen) -> None:
    assert not seen.long_values, "name the fields"


def test_both_laws_see_what_breaks_them() -> None:
    found = Seen()
    found.read(
        ast.parse(
            "class Value:\n"
            "    def short(self, a, b, c, d, e, *, f): ...\n"
            "    def long(self, a, b, c, d, e, f): ...\n"
            "Value(1, 2, 3, 4, 5, 6)\n"
            "Value(1, 2, 3, 4, 5, f=6)\n"
        ),
        "made.py",
    )
    assert found.long_signatures == ["made.py:3 long"]
    assert found.long_values == ["made.py:4 Value"]
