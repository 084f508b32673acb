"""A text never says `1 files`: every number with its noun comes from one function."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from asset_checks import counted as of_checks
from ops_project.counted import counted

ROOT = Path(__file__).parent.parent
NOUNS = (
    "alerts|assets|backups|batches|checks|columns|dates|days|domains|entries|events|feeds|files"
    "|findings|hours|incidents|items|keys|lines|messages|minutes|notifications|pages|parts|places"
    "|promises|ranges|records|repeats|rows|rules|runs|shifts|signals|silences|snapshots|steps|tables"
    "|times|values|warnings|weeks"
)
PLURAL = re.compile(rf"^ (?:[a-z]+ )?(?:{NOUNS})\b")
IN_A_TEMPLATE = re.compile(rf"\}}\}} (?:[a-z]+ )?(?:{NOUNS})\b|\{{\{{ 's' if")
ALLOWED = frozenset(
    {
        # Limits and other numbers that are never one.
        "MOST_ATTEMPTS times",
        "MOST_VALUES values",
        "SHOWN rows",
        "file_format.max_ratio times",
        "parameters.list_days days",
        # Factors and measures with decimals.
        "hours hours",
        "number hours",
        "mean / old times",
        "total.total_seconds() / 86400 measured days",
        "value / expected times",
        # Texts about more than one, because the code treats one apart.
        "count tables",
        "len(bad) files",
        "len(dates) dates",
        "len(days) dates",
        "len(outside) dates",
        "len(self.dates) dates",
        "len(tables) tables",
        "places decimal places",
        "round(seconds / DAY_SECONDS) days",
        "self.files files",
        "times times",
        # The words before the noun are a name or a command, and no number.
        "command alerts",
        "event on items",
        "payload.get('ops', 'ops') alerts",
        "reserved(str(payload.get('ops', 'ops'))) alerts",
        "route.receiver pages",
        "sample.get('line') repeats",
        "settings.archive holds files",
        "table values",
        "trouble.column repeats",
    }
)
"""An expression and the plural after it, where the expression is never the number one."""


@pytest.mark.parametrize("of", [counted, of_checks.counted])
def test_one_and_many(of):
    assert [of(number, "file") for number in (0, 1, 2, 1_234)] == ["0 files", "1 file", "2 files", "1,234 files"]
    assert [of(number, "batch is", "batches are") for number in (1, 2)] == ["1 batch is", "2 batches are"]


def _plurals(path: Path) -> Iterator[str]:
    """The expressions with a plural after them, in the f-strings of a module."""
    text = path.read_text(encoding="utf-8")
    if not re.search(rf"\}}{PLURAL.pattern[1:]}", text):
        return  # Parsing all modules would take seconds.
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, after in zip(node.values, node.values[1:], strict=False):
            if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
                asked = ast.unparse(value.value)
                if (found := PLURAL.match(str(after.value))) and not asked.startswith("counted("):
                    yield f"{asked}{found[0]}"


def test_no_text_counts_with_a_fixed_plural():
    modules = [path for folder in ("ops_project", "asset_checks") for path in sorted((ROOT / folder).rglob("*.py"))]
    found = {words: path.relative_to(ROOT) for path in modules for words in _plurals(path)}
    assert {words: path for words, path in found.items() if words not in ALLOWED} == {}
    assert ALLOWED - found.keys() == set()


def test_no_page_counts_with_a_fixed_plural():
    templates = sorted((ROOT / "ops_project" / "console" / "templates").glob("*.j2"))
    found = [words for path in templates for words in IN_A_TEMPLATE.findall(path.read_text(encoding="utf-8"))]
    assert found == ["}} domains"], "the house has several domains"
