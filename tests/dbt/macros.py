"""Macros and models of the dbt project rendered on their own, for tests that need SQL and no build.

Plain Jinja renders them. A model that queries the warehouse while it compiles cannot be rendered here and needs a
build.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2
import yaml

from ops_project.settings import DBT_PROJECT_DIR


def rendered(file: str, macro: str, *arguments: Any) -> str:
    """The SQL of one macro of `macros/<file>`. The macro must not call macros of other files."""
    text = (DBT_PROJECT_DIR / "macros" / file).read_text(encoding="utf-8")
    module: Any = jinja2.Environment(autoescape=False).from_string(text).module
    return str(getattr(module, macro)(*arguments))


def variable(name: str) -> Any:
    """A variable of dbt_project.yml as it is shipped."""
    return _variables()[name]


def model(path: str, macros: tuple[str, ...], tables: Mapping[str, str]) -> str:
    """The SQL of `models/<path>` with these macro files. `tables`: name of a ref or source → the text that replaces
    it.
    """
    parts = [(DBT_PROJECT_DIR / "macros" / file).read_text(encoding="utf-8") for file in macros]
    parts.append((DBT_PROJECT_DIR / "models" / path).read_text(encoding="utf-8"))
    environment = jinja2.Environment(autoescape=False, extensions=["jinja2.ext.do"])
    return environment.from_string("".join(parts)).render(
        config=lambda **_: "",
        ref=lambda name: tables[name],
        source=lambda _, name: tables[name],
        var=lambda name: _variables()[name],
        as_of=lambda: "timestamp '2026-01-01'",
    )


@cache
def _variables() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    return found
