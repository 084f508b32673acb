"""The stubs say what the installed libraries say. Otherwise mypy would accept a call that fails."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

STUBS = Path(__file__).parent / "stubs"
LIBRARIES = {
    "mlflow/__init__.pyi": "mlflow/tracking/client.py",
    "mlflow/exceptions.pyi": "mlflow/exceptions.py",
    "mlflow/artifacts.pyi": "mlflow/artifacts/__init__.py",
    "moto/server.pyi": "moto/moto_server/threaded_moto_server.py",
}
"""Stub → the file that defines what it declares."""
SHORTER = {"moto/__init__.pyi": "no test gives an argument to mock_aws"}


def test_each_stub_is_compared() -> None:
    found = {path.relative_to(STUBS).as_posix() for path in STUBS.rglob("*.pyi")}
    assert found == LIBRARIES.keys() | SHORTER.keys()


@pytest.mark.parametrize("stub", LIBRARIES)
def test_a_stub_declares_the_arguments_of_the_library(stub: str) -> None:
    declared = _functions(STUBS / stub)
    defined = _functions(_library(LIBRARIES[stub]))
    assert declared
    assert {name: defined.get(name) for name in declared} == declared


def _library(file: str) -> Path:
    package, _, rest = file.partition("/")
    found = importlib.util.find_spec(package)  # it does not import the package
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / rest


def _functions(file: Path) -> dict[str, list[tuple[str, str | None]]]:
    """Class and function → the names and types of its arguments."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        f"{place.name}.{item.name}" if isinstance(place, ast.ClassDef) else item.name: [
            (argument.arg, argument.annotation and ast.unparse(argument.annotation))
            for argument in (*item.args.posonlyargs, *item.args.args, *item.args.kwonlyargs)
        ]
        for place in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
        for item in place.body
        if isinstance(item, ast.FunctionDef)
    }
