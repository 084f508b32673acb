"""Describes the differences in numbers and words: control totals, and for each class the number of its keys, the
amounts that the class explains, and a few of its keys.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ops_project.model.reconciliation import Measure, Tolerance
from ops_project.pipeline.reconcile.classify import Comparison, ControlTotal, Explained, KeyClass
from ops_project.pipeline.reconcile.sides import Side
from ops_project.pipeline.reconcile.task import Task
from ops_project.sql_text import literal


def explain(
    task: Task,
    source: Side,
    target: Side,
    *,
    measures: dict[str, Measure],
    totals: tuple[list[Any], list[Any]],
    count_name: str,
    count_tolerance: Tolerance | None,
    samples: int,
) -> Comparison:
    """The comparison, made from the differing keys in `<prefix>_keys`.

    `totals`: the result of `find_differences`.
    """
    classes = [item for kind in KeyClass if (item := _explained(task, kind, samples)) is not None]
    null_keys = next((item for item in classes if item.key_class is KeyClass.NULL_KEY), None)
    loose = (null_keys.source_rows, null_keys.target_rows) if null_keys else (0, 0)
    surplus = task.run(
        "select coalesce(sum(greatest(s_n - 1, 0)), 0)::bigint, coalesce(sum(greatest(t_n - 1, 0)), 0)::bigint"
        f" from {task.prefix}_keys"
    )[0]
    refused = next((item for item in classes if item.key_class is KeyClass.QUARANTINED), None)
    known = refused.source_rows - refused.target_rows if refused else 0
    control = [
        ControlTotal(
            count_name,
            totals[0][0] + loose[0],
            totals[1][0] + loose[1],
            count_tolerance or Tolerance(),
            known,
        ),
        ControlTotal("distinct keys", totals[0][0] - surplus[0], totals[1][0] - surplus[1]),
        ControlTotal("rows without key", *loose),
    ]
    nulls = _null_key_sums(task) if null_keys else ((), ())
    for index, (name, measure) in enumerate(measures.items()):
        at = 1 + 2 * index
        sums = [
            sum((row[at] or Decimal(0) for row in rows if row), Decimal(0)) for rows in zip(totals, nulls, strict=True)
        ]
        empty = [sum(row[0] - row[at + 1] for row in rows if row) for rows in zip(totals, nulls, strict=True)]
        known_amount = refused.net[name] if refused else Decimal(0)
        control.append(ControlTotal(name, sums[0], sums[1], measure.tolerance, known_amount))
        control.append(ControlTotal(f"{name} is null", empty[0], empty[1]))
    return Comparison(source.label, target.label, task.keys, tuple(control), tuple(classes))


def _explained(task: Task, kind: KeyClass, samples: int) -> Explained | None:
    if kind is KeyClass.NULL_KEY:
        return _null_keys(task, samples)
    span = range(len(task.measures))
    amounts = "".join(
        f", coalesce(sum(coalesce(s_m{i}, 0) - coalesce(t_m{i}, 0)), 0),"
        f" coalesce(sum(abs(coalesce(s_m{i}, 0) - coalesce(t_m{i}, 0))), 0)"
        for i in span
    )
    row = task.run(
        "select count(*), count(*) filter (differs), coalesce(sum(s_n), 0)::bigint, coalesce(sum(t_n), 0)::bigint"
        f"{amounts} from {task.prefix}_keys where class = {literal(kind)}"
    )[0]
    if not row[0]:
        return None
    return Explained(
        kind,
        keys=row[0],
        differing=row[1],
        source_rows=row[2],
        target_rows=row[3],
        net={name: row[4 + 2 * i] for i, name in enumerate(task.measures)},
        absolute={name: row[5 + 2 * i] for i, name in enumerate(task.measures)},
        samples=sample_keys(
            task, f"{task.prefix}_keys where class = {literal(kind)}", samples, changed=kind is KeyClass.CHANGED
        ),
    )


def sample_keys(task: Task, relation: str, samples: int, changed: bool = False) -> list[dict[str, Any]]:
    """The first `samples` keys of `relation`, the largest difference first. Equal differences are sorted by key, so
    that a report is the same every time.

    `changed`: also name the columns that differ.
    """
    span = range(len(task.measures))
    largest = "".join(f"abs(coalesce(s_m{i}, 0) - coalesce(t_m{i}, 0)) desc, " for i in span)
    cursor = task.run(
        f"select {task.key_list}, s_n, t_n"
        + "".join(f", s_m{i}, t_m{i}" for i in span)
        + f" from {relation} order by {largest}{task.key_list} limit {samples}"
    )
    width = len(task.keys)
    chosen = (
        f"select {task.key_list}, row_number() over (order by {largest}{task.key_list}) - 1 as place"
        f" from (select * from {relation} order by {largest}{task.key_list} limit {samples})"
    )
    differences = _differences(task, chosen) if changed else {}
    result: list[dict[str, Any]] = []
    for place, row in enumerate(cursor):
        sample = dict(zip(task.keys, row[:width], strict=True))
        sample |= {"source rows": row[width], "target rows": row[width + 1]}
        for i, name in enumerate(task.measures):
            sample |= {f"source {name}": row[width + 2 + 2 * i], f"target {name}": row[width + 3 + 2 * i]}
        if changed:
            sample["differs"] = differences.get(place, "")
        result.append(sample)
    return result


def _differences(task: Task, chosen: str) -> dict[int, str]:
    """Place of a key → the columns in which its two rows differ, each with its two values.

    `chosen`: SQL that selects the keys and their places. DuckDB compares the values, and a key is known by its place,
    because Python takes NaN for different from NaN and has no hash of a list. All keys are read in one query. A query
    for each key reads both tables again, and for 1,000 keys of 10 million rows that took 20 s.
    """
    names = [*task.measures, *task.attributes]
    listed = [*(f"m{i}" for i in range(len(task.measures))), *(f"a{i}" for i in range(len(task.attributes)))]
    if not listed:
        return {}
    count = len(listed)
    values = "".join(f", {letter}.{column}" for letter in "st" for column in listed)
    values += "".join(f", s.{column} is distinct from t.{column}" for column in listed)
    rows = task.run(
        f"with chosen as ({chosen}) select place{values} from chosen"
        f" join {task.prefix}_s as s using ({task.key_list}) join {task.prefix}_t as t using ({task.key_list})"
    )
    return {
        row[0]: "; ".join(
            f"{name}: {_shown(mine)} → {_shown(theirs)}"
            for name, mine, theirs, differs in zip(
                names, row[1 : 1 + count], row[1 + count : 1 + 2 * count], row[1 + 2 * count :], strict=True
            )
            if differs
        )
        for row in rows
    }


def _shown(value: Any) -> str:
    return "no value" if value is None else f"{value}"


def _null_key_sums(task: Task) -> list[tuple[Any, ...]]:
    return [
        task.run(f"select count(*){task.sums}, {task.checksum} from {task.prefix}_{letter} where not ({task.has_key})")[
            0
        ]
        for letter in "st"
    ]


def _null_keys(task: Task, samples: int) -> Explained | None:
    source, target = _null_key_sums(task)
    if not source[0] and not target[0]:
        return None
    zero = Decimal(0)
    net = {n: (source[1 + 2 * i] or zero) - (target[1 + 2 * i] or zero) for i, n in enumerate(task.measures)}
    keys = [
        {**dict(zip(task.keys, row[1:], strict=True)), "side": row[0]}
        for letter, side in (("s", "source"), ("t", "target"))
        for row in task.run(
            f"select '{side}', {task.key_list} from {task.prefix}_{letter} where not ({task.has_key})"
            f" order by all limit {samples}"
        )
    ]
    return Explained(
        KeyClass.NULL_KEY,
        keys=max(source[0], target[0]),
        differing=max(abs(source[0] - target[0]), 1) if (source[0], source[-1]) != (target[0], target[-1]) else 0,
        source_rows=source[0],
        target_rows=target[0],
        net=net,
        absolute={name: abs(value) for name, value in net.items()},
        samples=keys[:samples],
    )
