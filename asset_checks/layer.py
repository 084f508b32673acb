"""Makes one multi-asset check for a domain and a layer from table specs. It is one step, however many tables there are,
because a step costs 0.05 s and an event 0.01 s.

If a check raised an error that ended the step, this check and all later ones would get no result, and a broken table
would look as if nobody had checked it. So an error becomes the result of its own check, and the other checks go on.
"""

# This module must not use postponed annotations. Dagster compares the annotation of a context with its own classes, and
# a postponed annotation is only a name.
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from typing import Any

import dagster as dg
import duckdb

from asset_checks.counted import counted
from asset_checks.outcome import Context, Guard, attempt, recorded, severity_of, situation_of, unguarded
from asset_checks.parameters import Parameters
from asset_checks.primitives import (
    anomalies,
    arrival,
    column_values,
    conservation,
    control_totals,
    duplicates,
    freshness,
    model_health,
    quarantine,
    score,
    sequence,
    volume,
)
from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation, Verdict

# The checks run in this order: what arrived, then what the table contains, then the score.
PRIMITIVES = (arrival, volume, quarantine, conservation, sequence, duplicates, column_values, freshness, anomalies)


@dataclass(frozen=True)
class _Check:
    """One check of one table. `compute` returns a verdict for each name of a check, because the checks of one `group`
    may share a computation.
    """

    table: TableSpec
    name: str
    description: str
    failure_class: str
    compute: Callable[[Situation], Mapping[str, Verdict]]
    group: str
    blocking: bool = False

    @property
    def key(self) -> dg.AssetCheckKey:
        return dg.AssetCheckKey(dg.AssetKey([self.table.schema, self.table.table]), self.name)

    def spec(self) -> dg.AssetCheckSpec:
        metadata: dict[str, Any] = {"failure_class": self.failure_class, "kind": self.group, "tier": self.table.tier}
        if self.table.runbook:
            metadata["runbook"] = self.table.runbook
        return dg.AssetCheckSpec(
            self.name,
            asset=self.key.asset_key,
            description=self.description,
            blocking=self.blocking,
            metadata=metadata,
        )


def build_layer_checks(
    *,
    domain: str,
    layer: str,
    tables: Sequence[TableSpec],
    parameters: Parameters,
    connect: Callable[[Context], duckdb.DuckDBPyConnection],
    clock: Callable[[Context], datetime],
    timezone: str,
    required_resource_keys: set[str] | None = None,
    pool: str | None = None,
    op_tags: Mapping[str, Any] | None = None,
    retry_policy: dg.RetryPolicy | None = None,
    guard: Guard = unguarded,
) -> dg.AssetChecksDefinition | None:
    """All checks of the layer of the domain as one step, of which Dagster can also run a part. None if there is no
    table.
    """
    extended = _with_domain_knowledge(domain, tables)
    checks = {check.key: check for table in extended for check in checks_of(table)}
    if not checks:
        return None

    @dg.multi_asset_check(
        name=f"{domain}_{layer}_checks",
        specs=[check.spec() for check in checks.values()],
        description=f"What dbt cannot see of {domain}, layer {layer}: {counted(len(tables), 'table')}.",
        can_subset=True,
        required_resource_keys=required_resource_keys,
        pool=pool,
        op_tags=op_tags,
        retry_policy=retry_policy,
    )
    def layer_checks(context: Context) -> Iterator[dg.AssetCheckResult]:
        with situation_of(
            context,
            connect=connect,
            clock=clock,
            parameters=parameters,
            timezone=timezone,
            guard=guard,
            domain=domain,
        ) as situation:
            selected = context.selected_asset_check_keys
            for check, verdict in evaluate(situation, [checks[key] for key in checks if key in selected]):
                if verdict.status != "ok":
                    context.log.warning(f"{check.table.name} {check.name}: {verdict.message}")
                severity = severity_of(verdict, blocking=check.blocking)
                yield recorded(check.key, verdict, severity, check.table.runbook)

    return layer_checks


def checks_of(table: TableSpec) -> list[_Check]:
    """The checks that apply to a table."""
    found = [
        _Check(
            table=table,
            name=primitive.NAME,
            description=primitive.DESCRIPTION,
            failure_class=getattr(primitive, "FAILURE_CLASS", "source_missing"),
            compute=partial(_one, primitive.NAME, partial(primitive.evaluate, table=table)),
            group=primitive.NAME,
        )
        for primitive in PRIMITIVES
        if primitive.applies(table)
    ]
    found += [
        _Check(
            table=table,
            name=control_totals.check_name(total),
            description=control_totals.describe(total),
            failure_class=control_totals.FAILURE_CLASS,
            compute=partial(
                _one, control_totals.check_name(total), partial(control_totals.evaluate, table=table, total=total)
            ),
            group="control_total",
            # The result of a wrong join, or a row that is counted twice, must not get into gold, because gold is
            # published.
            blocking=table.schema == "silver",
        )
        for total in table.control_totals
    ]
    found += [
        _Check(
            table=table,
            name=model_health.check_name(metric),
            description=model_health.DESCRIPTIONS[metric],
            failure_class=model_health.FAILURE_CLASSES[metric],
            compute=partial(
                _one, model_health.check_name(metric), partial(model_health.evaluate, table=table, metric=metric)
            ),
            group="model_health",
        )
        for metric in table.health
    ]
    both = partial(score.evaluate_all, table=table)
    found.append(
        _Check(
            table=table,
            name=score.CRITICAL_NAME,
            description=score.CRITICAL_DESCRIPTION,
            failure_class=score.FAILURE_CLASS,
            compute=both,
            group=score.NAME,
            blocking=True,
        )
    )
    found.append(
        _Check(
            table=table,
            name=score.NAME,
            description=score.DESCRIPTION,
            failure_class=score.FAILURE_CLASS,
            compute=both,
            group=score.NAME,
        )
    )
    return found


def _one(name: str, compute: Callable[[Situation], Verdict], situation: Situation) -> Mapping[str, Verdict]:
    return {name: compute(situation)}


def evaluate(situation: Situation, checks: Sequence[_Check]) -> Iterator[tuple[_Check, Verdict]]:
    """Each check with its verdict. If a check raises an error, that error becomes its verdict, and the other checks are
    still evaluated.
    """
    done: dict[tuple[str, str], Mapping[str, Verdict] | Verdict] = {}
    for check in checks:
        group = (check.table.name, check.group if check.group == score.NAME else check.name)
        if group not in done:
            done[group] = _attempt(situation, check)
        outcome = done[group]
        yield check, outcome if isinstance(outcome, Verdict) else outcome[check.name]


def _attempt(situation: Situation, check: _Check) -> Mapping[str, Verdict] | Verdict:
    if check.group == score.NAME and not situation.exists(check.table.name):
        score.record(situation, check.table, score.Measures(), None)
    return attempt(situation, check.name, check.table.name, check.compute)


def _with_domain_knowledge(domain: str, tables: Sequence[TableSpec]) -> list[TableSpec]:
    """The specs, with the additions of `asset_checks.<domain>.TABLES`. If there is no such module, nothing is added."""
    if find_spec(f"asset_checks.{domain}") is None:
        return list(tables)
    known: Mapping[str, Mapping[str, Any]] = importlib.import_module(f"asset_checks.{domain}").TABLES
    return [replace(table, **known.get(table.name, {})) for table in tables]
