"""SQL that casts the text of a field to its contract's type, and tells why a value is wrong. A cast by DuckDB alone is
never enough: DuckDB turns '1.5' into 2, '9e2' into 900 and '2024-1-5' into a date. A value is accepted in two cases:
writing it again gives the same text (the fast way, about 20 ns), or its spelling matches the type's exact pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ops_project.model.feed.column import NUMERIC, Column
from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read import moments
from ops_project.pipeline.landing.read.moments import BLANKS, fits, trimmed
from ops_project.sql_text import literal

NARROW = 18
"""The most digits of a decimal that DuckDB keeps in a machine word."""
REQUIRED = "has no value, and the contract requires one"


@dataclass(frozen=True)
class Check:
    """A check of a value.

    `predicate`: SQL that is true if the value is wrong.
    """

    reason: str
    predicate: str
    is_cast: bool = False


def text_of(raw: str, column: Column, file_format: Format, written: bool = True, spelled: str | None = None) -> str:
    r"""The text of a field; NULL if the field has no value.

    `raw`: SQL for the field.
    `written`: whether a NULL of `raw` stands for an empty field, as in a CSV, or for a missing one.
    `spelled`: SQL for the field before its escapes were undone; NULL if it has no escapes.

    The texts that mean "no value" are compared with `spelled`. Otherwise undoing an escape could turn a field into such
    a text.

    Blanks around numbers and dates stay. Trimming 5 million values of six columns took longer than reading and casting
    them. So the casts accept blanks, and the search for missing values counts a text of blanks as empty.
    """
    nulls = column.null_values if column.null_values is not None else file_format.null_values
    is_text = column.base_type == "string"
    if set(nulls) == {""} and not column.trim:
        return raw if written else f"nullif({raw}, '')"
    value = f"coalesce({raw}, '')" if written and "" not in nulls else raw
    if column.trim or not is_text:
        value = f"trim({value}, {BLANKS})"
    if not nulls:
        return value
    compared = value
    if spelled is not None:
        compared = f"coalesce({f'trim({spelled}, {BLANKS})' if column.trim or not is_text else spelled}, {value})"
    return f"CASE WHEN {compared} IN ({', '.join(map(literal, nulls))}) THEN NULL ELSE {value} END"


def typed(text: str, column: Column, file_format: Format) -> str:
    """SQL of the column's type from a text; NULL if the text is NULL or cannot be cast."""
    kind = column.base_type
    if kind == "string":
        return text
    if kind == "boolean":
        word = f"lower({trimmed(text)})"
        yes, no = (
            ", ".join(literal(item.lower()) for item in items) for items in (column.true_values, column.false_values)
        )
        return f"CASE WHEN {word} IN ({yes}) THEN true WHEN {word} IN ({no}) THEN false END"
    if kind in NUMERIC:
        return _number(text, column, file_format)
    return moments.typed(text, column)


def as_the_engine_writes(text: str, column: Column, file_format: Format) -> str:
    """SQL that accepts only texts as the engine itself writes values, and gives NULL for any other spelling. The value
    is always the same as that of `typed`. For a few types the SQL is that of `typed`.

    This is used for small files. Compiling the regular expressions of `typed` takes longer than reading a small file,
    and this SQL needs none of them.
    """
    kind = column.base_type
    if kind in NUMERIC and kind != "double" and file_format.decimal == "." and file_format.thousands != ".":
        return f"CASE {_written_alike(text, column)} END"
    if kind in moments.WIDTHS and not column.formats and column.timezone in (None, "UTC"):
        direct = f"TRY_CAST({text} AS {column.sql_type})"
        same = f"CAST({direct} AS VARCHAR) = {text}"
        return f"CASE WHEN strlen({text}) = {moments.WIDTHS[kind]} AND {same} THEN {direct} END"
    return typed(text, column, file_format)


def _written_alike(text: str, column: Column) -> str:
    """The branches of a CASE that accept a number as the engine itself writes it."""
    direct = f"TRY_CAST({text} AS {column.sql_type})"
    branches = f"WHEN CAST({direct} AS VARCHAR) = {text} THEN {direct}"
    if column.base_type == "decimal" and column.precision > NARROW >= column.scale:
        # DuckDB reads a wider decimal in 10 µs, and one of a machine word in 0.05 µs. Most numbers fit into the word.
        narrow = f"TRY_CAST({text} AS DECIMAL({NARROW},{column.scale}))"
        short = f"WHEN CAST({narrow} AS VARCHAR) = {text} THEN CAST({narrow} AS {column.sql_type})"
        branches = f"{short} {branches}"
    return branches


def _number(text: str, column: Column, file_format: Format) -> str:
    point, group, sql_type = re.escape(file_format.decimal), file_format.thousands, column.sql_type
    whole = "[0-9]+"
    plain = text
    if group is not None:
        whole = f"([0-9]+|[0-9]{{1,3}}({re.escape(group)}[0-9]{{3}})+)"
        plain = f"replace({plain}, {literal(group)}, '')"
    if file_format.decimal != ".":
        plain = f"replace({plain}, {literal(file_format.decimal)}, '.')"
    kind, exponent = column.base_type, "[eE][+-]?[0-9]{1,3}"
    ways: list[tuple[str, str]] = []
    if kind == "double":
        ways.append((f"[+-]?({whole}({point}[0-9]*)?|{point}[0-9]+)({exponent})?", f"TRY_CAST({plain} AS DOUBLE)"))
    elif kind == "decimal":
        digits = "*" if "rounding" in column.accept else f"{{0,{column.scale}}}0*"
        some = "+" if "rounding" in column.accept else f"{{1,{max(column.scale, 1)}}}0*"
        ways.append((f"[+-]?({whole}({point}[0-9]{digits})?|{point}[0-9]{some})", f"TRY_CAST({plain} AS {sql_type})"))
        if "exponent" in column.accept:
            wide = f"TRY_CAST({plain} AS DECIMAL(38,18))"
            exact = f"TRY_CAST({wide} AS {sql_type})"
            if "rounding" not in column.accept:
                # The rounded value may need one more digit than the wide type holds.
                exact = f"CASE WHEN TRY_CAST({exact} AS DECIMAL(38,18)) = {wide} THEN {exact} END"
            ways.append((f"[+-]?({whole}({point}[0-9]*)?|{point}[0-9]+){exponent}", exact))
    else:
        ways.append((f"[+-]?{whole}", f"TRY_CAST({plain} AS {sql_type})"))
        if "zeros" in column.accept:
            ways.append((f"[+-]?{whole}{point}0*", f"TRY_CAST(split_part({plain}, '.', 1) AS {sql_type})"))
        if "exponent" in column.accept:
            wide = f"TRY_CAST({plain} AS DECIMAL(38,18))"
            ways.append(
                (
                    f"[+-]?({whole}({point}[0-9]*)?|{point}[0-9]+){exponent}",
                    f"CASE WHEN {wide} = trunc({wide}) THEN TRY_CAST({wide} AS {sql_type}) END",
                )
            )
    cases = " ".join(f"WHEN {fits(text, regex)} THEN {value}" for regex, value in ways)
    if kind == "double":
        value = f"CASE {cases} END"
        finite = f"CASE WHEN isfinite({value}) THEN {value} END"
        for name, words, special in (("nan", "nan", "nan"), ("infinity", r"[+-]?inf(inity)?", "")):
            if name in column.accept:
                given = literal(special) if special else f"lower({text})"
                finite = (
                    f"CASE WHEN regexp_full_match(lower({text}), '{words}') "
                    f"THEN TRY_CAST({given} AS DOUBLE) ELSE {finite} END"
                )
        return finite
    if file_format.decimal == "." and file_format.thousands != ".":
        return f"CASE {_written_alike(text, column)} {cases} END"
    return f"CASE {cases} END"


def checks(text: str, value: str, column: Column, required: bool, empty_is_null: bool) -> list[Check]:
    """Every check of a column's values.

    `text`: SQL of the text; NULL means no value.
    `value`: SQL of the value after the cast.
    """
    found = []
    if column.base_type != "string":
        blank = f"{trimmed(text)} = ''" if empty_is_null else "false"
        failed = f"{value} IS NULL AND {text} IS NOT NULL AND NOT ({blank})"
        if zoned := moments.clock_change(text, column):
            found.append(Check(zoned.reason, f"{failed} AND {zoned.predicate}"))
            failed += f" AND NOT coalesce({zoned.predicate}, false)"
        found.append(Check(f"is not a valid {column.type}{_spelling(column)}", failed, is_cast=True))
        if required:
            found.append(Check(REQUIRED, f"{value} IS NULL AND ({text} IS NULL OR {blank})"))
    elif required:
        found.append(Check(REQUIRED, f"{value} IS NULL"))
    if column.allowed is not None:
        allowed = ", ".join(f"CAST({literal(item)} AS {column.sql_type})" for item in column.allowed)
        found.append(Check(f"is not one of {', '.join(column.allowed)}", f"{value} NOT IN ({allowed})"))
    for bound, symbol, word in ((column.min, "<", "below"), (column.max, ">", "above")):
        if bound is not None:
            limit = bound if column.base_type in NUMERIC else f"CAST({literal(bound)} AS {column.sql_type})"
            found.append(Check(f"is {word} {bound}", f"{value} {symbol} {limit}"))
    if column.max_length is not None:
        found.append(Check(f"is longer than {column.max_length} characters", f"length({value}) > {column.max_length}"))
    if column.pattern is not None:
        subject = value if column.base_type == "string" else f"CAST({value} AS VARCHAR)"
        found.append(
            Check(f"does not match {column.pattern}", f"NOT regexp_full_match({subject}, {literal(column.pattern)})")
        )
    return found


def _spelling(column: Column) -> str:
    return f" of the form {' or '.join(column.formats)}" if column.formats else ""
