"""The quality score of a table, from 0 to 100. It has five dimensions: completeness, validity, uniqueness, consistency
and timeliness.

The score is exact: shares are fractions of counts, and the limits are compared with the score before it is rounded. So
69.999… is below the limit 70, and 70 is not. If a dimension does not apply, its weight goes to the others. If a
dimension applies and could not be measured, the score is unknown. An unknown score is stored as NULL and never as 100;
it is reported, and it stops nothing. Rows that landing has quarantined count against validity, because a table does not
become valid when its invalid rows are put aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

from asset_checks.interruption import ends_the_step
from asset_checks.parameters import ScoreParameters
from asset_checks.primitives import freshness
from asset_checks.primitives.scope import Scope, scope_of
from asset_checks.primitives.sql import columns, date_list, identifier, key_hash, table_name
from asset_checks.specs import Reference, TableSpec
from asset_checks.verdict import Situation, Verdict

NAME = "quality_score"
CRITICAL_NAME = "quality_score_critical"
DESCRIPTION = "The quality score reaches the limit high_below of checks.yaml (85 as shipped)."
CRITICAL_DESCRIPTION = "The quality score reaches the limit critical_below (70). Below it the next layer is not built."
FAILURE_CLASS = "data_invalid"

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness")
# The most likely failure class if this dimension is the weakest. The class decides who is called about the alert.
CLASS_OF_DIMENSION = {
    "completeness": "data_invalid",
    "validity": "data_invalid",
    "uniqueness": "key_violation",
    "consistency": "reference_violation",
    "timeliness": "freshness_breach",
}


class _NotMeasured:
    """Means that the dimension applies to the table, but its value is unknown."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = _NotMeasured()
# None means that the dimension does not apply to the table.
Share = Fraction | _NotMeasured | None


@dataclass(frozen=True)
class Measures:
    """The value of each dimension, as a share from 0 to 1."""

    completeness: Share = None
    validity: Share = None
    uniqueness: Share = None
    consistency: Share = None
    timeliness: Share = None
    row_count: int | None = None
    duplicate_rows: int = 0
    scope: str = ""

    def percent(self, dimension: str) -> float | None:
        share = getattr(self, dimension)
        return float(share * 100) if isinstance(share, Fraction) else None

    def weakest(self) -> str | None:
        known = {name: share for name in DIMENSIONS if isinstance(share := getattr(self, name), Fraction)}
        return min(known, key=lambda name: known[name]) if known else None


def score(measures: Measures, weights: object) -> Fraction | None:
    """The weighted mean of the dimensions that apply, from 0 to 100. None, which means unknown, if one of them was not
    measured.
    """
    total, weight_sum = Fraction(0), Fraction(0)
    if not measures.row_count:
        return None
    for name in DIMENSIONS:
        share = getattr(measures, name)
        weight = Fraction(getattr(weights, name))
        if share is None or weight == 0:
            continue
        if not isinstance(share, Fraction):
            return None
        total += weight * share
        weight_sum += weight
    return 100 * total / weight_sum if weight_sum else None


def timeliness(age: timedelta | None, stale_hours: float, very_stale_hours: float) -> Fraction | _NotMeasured:
    """1 while the data is fresh, 0 when it is very stale, and falling linearly in between."""
    if age is None:
        return UNKNOWN
    start, end = timedelta(hours=stale_hours), timedelta(hours=very_stale_hours)
    microsecond = timedelta(microseconds=1)
    left = Fraction((end - age) // microsecond, (end - start) // microsecond)
    return max(Fraction(0), min(Fraction(1), left))


def measure(situation: Situation, table: TableSpec) -> Measures:
    """The dimensions of the table, over the part of it that is scored. This takes one scan, and one more for each
    reference. A step measures each table only once.
    """
    return situation.once(("measures", table.name), lambda: _measure(situation, table))


def _measure(situation: Situation, table: TableSpec) -> Measures:
    scope = scope_of(situation, table)
    required = [f"count({identifier(name)})" for name in table.required]
    rules = [f"coalesce(({condition}), true)" for condition in table.valid_when.values()]
    key = (*(("_batch_id",) if table.key_scope != "table" and table.feed else ()), *table.key)
    [row] = situation.rows(
        f"""
        select
            count(*),
            {" + ".join(required) or "0"},
            count(*) filter (where {" and ".join(rules) or "true"}),
            {f"count(distinct {key_hash(key)})" if table.key else "0"}
        from {table_name(table.name)}
        where {scope.where}
        """
    )
    rows, filled, valid, keys = row
    quarantined = _quarantined(situation, table, scope)
    limits = situation.parameters.freshness
    return Measures(
        completeness=_share(filled, rows * len(required)) if required else None,
        validity=_share(valid, rows + quarantined) if rules or table.feed else None,
        uniqueness=_share(keys, rows) if table.key else None,
        consistency=_consistency(situation, table, scope) if table.references else None,
        timeliness=(
            timeliness(freshness.age_of(situation, table), limits.stale_hours, limits.very_stale_hours)
            if table.time_column and table.expected
            else None
        ),
        row_count=rows,
        duplicate_rows=rows - keys if table.key else 0,
        scope=scope.words,
    )


def _share(part: int, whole: int) -> Fraction | _NotMeasured:
    return Fraction(part, whole) if whole else UNKNOWN


def _quarantined(situation: Situation, table: TableSpec, scope: Scope) -> int:
    if table.feed is None or not situation.exists("ops.batches"):
        return 0
    dates = "true" if scope.dates is None else f"business_date in ({date_list(scope.dates)})"
    [[rows]] = situation.rows(
        f"""
        select coalesce(sum(rows_quarantined), 0)::bigint
        from ops.batches
        where feed = ? and status = 'loaded' and {dates}
        """,
        [table.feed],
    )
    return int(rows)


def _consistency(situation: Situation, table: TableSpec, scope: Scope) -> Share:
    found, pointing = 0, 0
    for reference in table.references:
        if not situation.exists(reference.parent):
            return UNKNOWN
        [[total, orphans]] = situation.rows(orphans_sql(table, reference, scope.where))
        pointing += total
        found += total - orphans
    # If no row has a reference, nothing is inconsistent, but nothing has been shown to be consistent either. So the
    # dimension does not apply.
    return _share(found, pointing) if pointing else None


def orphans_sql(table: TableSpec, reference: Reference, where: str) -> str:
    """SQL for two numbers: how many rows have a reference, and for how many of these the parent row does not exist."""
    on = " and ".join(
        f"child.{identifier(mine)} = parent.{identifier(theirs)}"
        for mine, theirs in zip(reference.columns, reference.parent_columns, strict=True)
    )
    filled = " and ".join(f"{identifier(name)} is not null" for name in reference.columns)
    return f"""
        with child as (
            select {columns(reference.columns)}, count(*) as rows_of_key
            from {table_name(table.name)}
            where ({where}) and {filled}
            group by all
        )
        select
            coalesce((select sum(rows_of_key) from child), 0)::bigint,
            coalesce(sum(child.rows_of_key), 0)::bigint
        from child
        anti join {table_name(reference.parent)} as parent on {on}
        """


def evaluate_all(situation: Situation, table: TableSpec) -> Mapping[str, Verdict]:
    """The verdicts for both limits. The score is computed once for both, and stored in ops.quality_scores."""
    parameters = situation.parameters.score
    try:
        measures = measure(situation, table)
    except Exception as error:
        if not ends_the_step(error):
            record(situation, table, Measures(), None)
        raise
    value = score(measures, parameters.weights)
    record(situation, table, measures, value)
    return {
        CRITICAL_NAME: judge(table, measures, value, parameters, critical=True),
        NAME: judge(table, measures, value, parameters, critical=False),
    }


def judge(
    table: TableSpec, measures: Measures, value: Fraction | None, parameters: ScoreParameters, *, critical: bool
) -> Verdict:
    """The verdict for one limit. `critical`: whether it is the lower limit, which stops the next layer."""
    edge = parameters.critical_below if critical else parameters.high_below
    evidence: dict[str, Any] = {
        "score": None if value is None else float(value),
        "edge": float(edge),
        "rows": measures.row_count,
        "scope": measures.scope,
        "duplicate_rows": measures.duplicate_rows,
        **{name: measures.percent(name) for name in DIMENSIONS},
    }
    if value is None:
        if not table.expected and not measures.row_count:
            return Verdict.ok(f"{table.name} is empty, and its contract expects nothing.", **evidence)
        unknown = [name for name in DIMENSIONS if getattr(measures, name) is UNKNOWN]
        why = "it holds no rows in scope" if not measures.row_count else f"{', '.join(unknown)} could not be measured"
        return Verdict.unknown(f"The quality score of {table.name} is unknown: {why}.", **evidence)
    if value < Fraction(edge):
        weakest = measures.weakest() or "validity"
        return Verdict.fail(
            f"{table.name} scores {float(value):.2f}, below {edge}; weakest is {weakest} with "
            f"{measures.percent(weakest):.2f} %." + (" The next layer is not built." if critical else ""),
            "critical" if critical else "high",
            CLASS_OF_DIMENSION[weakest],
            **evidence,
        )
    return Verdict.ok(f"{table.name} scores {float(value):.2f}.", **evidence)


def record(situation: Situation, table: TableSpec, measures: Measures, value: Fraction | None) -> None:
    """Store the score of the table in this run, as one row of ops.quality_scores. If the run is tried again, the row is
    replaced.
    """
    schema, _, name = table.name.partition(".")
    situation.connection.execute(
        "delete from ops.quality_scores where table_schema = ? and table_name = ? and run_id = ?",
        [schema, name, situation.run_id],
    )
    situation.connection.execute(
        """
        insert into ops.quality_scores
            (table_schema, table_name, domain, as_of, run_id, completeness, validity, uniqueness, consistency,
             timeliness, score, row_count)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
            schema,
            name,
            situation.domain,
            situation.now_utc,
            situation.run_id,
            *(measures.percent(dimension) for dimension in DIMENSIONS),
            None if value is None else float(value),
            measures.row_count,
        ],
    )
