"""Macros of the dbt project rendered on their own, for tests that need an expression and no build."""

from __future__ import annotations

from typing import Any

import jinja2
import yaml

from ops_project.settings import DBT_PROJECT_DIR


def rendered(file: str, macro: str, *arguments: Any) -> str:
    """The SQL of one macro of `macros/<file>`; only macros that call no other file's."""
    text = (DBT_PROJECT_DIR / "macros" / file).read_text(encoding="utf-8")
    module: Any = jinja2.Environment(autoescape=False).from_string(text).module
    return str(getattr(module, macro)(*arguments))


def variable(name: str) -> Any:
    """A variable of dbt_project.yml as it is shipped."""
    return yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))["vars"][name]
