from __future__ import annotations

import pytest

from ops_project.pipeline.vault_generator.types import castability, normal


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("varchar", "date", "sometimes"),
        ("date", "varchar", "always"),
        ("integer", "bigint", "always"),
        ("bigint", "integer", "sometimes"),
        ("decimal(12,2)", "decimal(18,2)", "always"),
        ("decimal(18,2)", "decimal(18,4)", "sometimes"),
        ("boolean", "date", "never"),
        ("date", "boolean", "never"),
        ("timestamp", "date", "always"),
        ("timestamp", "integer", "never"),
        ("double", "decimal(18,2)", "sometimes"),
        ("integer", "boolean", "never"),
        ("smallint", "double", "always"),
        ("decimal(5,2)", "integer", "sometimes"),
    ],
)
def test_castability(source: str, target: str, expected: str) -> None:
    assert castability(source, target) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("string", "varchar"), ("decimal(18, 2)", "decimal(18,2)"), ("DATE", "date"), ("decimal", None), ("datum", None)],
)
def test_normal(text: str, expected: str | None) -> None:
    assert normal(text) == expected
