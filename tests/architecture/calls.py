"""`python -m tests.architecture.calls`: calls in the test modules that no function of this project takes.

mypy leaves the test modules out. This check reads them and the functions that they call, by name and without running
anything: too many positional arguments, an argument that does not exist, one that is given twice, or one that is
missing. `make lint` runs it. It says nothing about methods, because the type of an object is not known here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ops_project", "asset_checks", "tests")
# A decorator that leaves the arguments of a function as they are.
HARMLESS = ("fixture", "contextmanager", "cache")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One module: its file, its functions by name, and the imported names that it uses."""

    file: str
    tree: ast.Module
    functions: dict[str, Function]
    names: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Module:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {node.name: node for node in tree.body if isinstance(node, Function)}
        names = {node.name: "" for node in tree.body if isinstance(node, Function | ast.ClassDef)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and not node.level:
                names |= {item.asname or item.name: f"{node.module}.{item.name}" for item in node.names}
            elif isinstance(node, ast.Import):
                names |= {item.asname: item.name for item in node.names if item.asname}
        return cls(path.relative_to(ROOT).as_posix(), tree, functions, names)


def modules() -> dict[str, Module]:
    """Dotted name → module, of the project, its checks and its tests."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = Module.read(path)
    return found


def mistakes(known: dict[str, Module], name: str) -> Iterator[str]:
    """Each call in the module `name` that its function does not take, with its place."""
    module = known[name]
    for call, hidden in _calls(module.tree, frozenset()):
        function = _function(known, name, call.func, hidden)
        if function is not None and (wrong := _wrong(function, call)):
            yield f"{module.file}:{call.lineno} {ast.unparse(call.func)}: {wrong}"


def _calls(node: ast.AST, hidden: frozenset[str]) -> Iterator[tuple[ast.Call, frozenset[str]]]:
    """Each call, and the names that the functions around the call use for their own variables."""
    for child in ast.iter_child_nodes(node):
        inner = hidden
        if isinstance(child, Function | ast.Lambda):
            inner |= {part.arg for part in ast.walk(child.args) if isinstance(part, ast.arg)}
        if isinstance(child, Function):
            inner |= {p.id for p in ast.walk(child) if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)}
            inner |= {p.name for p in ast.walk(child) if isinstance(p, Function | ast.ClassDef) and p is not child}
        if isinstance(child, ast.Call):
            yield child, inner
        yield from _calls(child, inner)


def _function(known: dict[str, Module], name: str, called: ast.expr, hidden: frozenset[str]) -> Function | None:
    words = ast.unparse(called).split(".")
    if words[0] in hidden or not all(word.isidentifier() for word in words):
        return None
    where, rest = name, words
    for _ in range(8):  # A package may pass a name on several times.
        module = known.get(where)
        if module is None or not rest:
            return None
        if len(rest) == 1 and rest[0] in module.functions:
            function = module.functions[rest[0]]
            plain = all(any(word in ast.unparse(item) for word in HARMLESS) for item in function.decorator_list)
            return function if plain else None
        if f"{where}.{rest[0]}" in known and rest[0] not in module.names:
            where, rest = f"{where}.{rest[0]}", rest[1:]
            continue
        target = module.names.get(rest[0])
        if not target:
            return None
        if target in known:
            where, rest = target, rest[1:]
        else:
            where, _, last = target.rpartition(".")
            rest = [last, *rest[1:]]
    return None


def _wrong(function: Function, call: ast.Call) -> str:
    """The arguments that the function does not take, in words; empty if the call is right."""
    declared = function.args
    places = [argument.arg for argument in (*declared.posonlyargs, *declared.args)]
    given = [keyword.arg for keyword in call.keywords if keyword.arg]
    by_place = [argument for argument in call.args if not isinstance(argument, ast.Starred)]
    if len(by_place) > len(places) and declared.vararg is None:
        return f"takes {len(places)} positional arguments and gets {len(by_place)}"
    keywords = {argument.arg for argument in declared.kwonlyargs}
    if declared.kwarg is None and (unknown := sorted(set(given) - keywords - set(places))):
        return f"has no argument {', '.join(unknown)}"
    if twice := sorted(set(given) & set(places[: len(by_place)])):
        return f"gets {', '.join(twice)} twice"
    if any(keyword.arg is None for keyword in call.keywords):
        return ""
    required = {
        argument.arg
        for argument, default in zip(declared.kwonlyargs, declared.kw_defaults, strict=True)
        if default is None
    }
    if len(by_place) == len(call.args):
        required |= set(places[len(by_place) : len(places) - len(declared.defaults)])
    missing = sorted(required - set(given))
    return f"lacks {', '.join(missing)}" if missing else ""


def main() -> int:
    """Print every mistake. The exit code is 1 if there is one."""
    known = modules()
    found = [line for name in known if name.startswith("tests.") for line in mistakes(known, name)]
    for line in found:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
