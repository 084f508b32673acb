"""Writes findings about models into the journal of landing's findings, so that they reach the same people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb

from ops_project.model.finding import ModelFindingKind


@dataclass(frozen=True)
class ModelProblem:
    """A problem with a model: its failure class, a sentence about it, and the evidence."""

    kind: ModelFindingKind
    message: str
    evidence: dict[str, Any] = field(default_factory=dict)


def report(
    connection: duckdb.DuckDBPyConnection,
    asset: str,
    *,
    scope: str,
    problems: Sequence[ModelProblem],
    now: datetime,
    run_id: str,
) -> None:
    """Open findings about the present problems, and close findings about problems that no longer exist.

    `scope`: training, serving or health.
    """
    moment = now.astimezone(UTC).replace(tzinfo=None)
    ids = {_id(asset, scope, problem): problem for problem in problems}
    connection.execute(
        """
        update ops.findings set state = 'resolved', resolved_at = ?
        where
            asset = ? and state = 'open' and json_extract_string(evidence, '$.scope') = ?
            and not list_contains(?::varchar[], finding_id)
        """,
        [moment, asset, scope, list(ids)],
    )
    for finding_id, problem in ids.items():
        connection.execute(
            """
            insert into ops.findings by name
            select
                $id as finding_id, $kind as kind, $asset as asset, $message as message, $evidence::json as evidence,
                'open' as state, $now as observed_at, $run as run_id
            where not exists (select 1 from ops.findings where finding_id = $id and state = 'open')
            """,
            {
                "id": finding_id,
                "kind": problem.kind,
                "asset": asset,
                "message": problem.message,
                "evidence": json.dumps({"scope": scope, **problem.evidence}, default=str),
                "now": moment,
                "run": run_id,
            },
        )


def _id(asset: str, scope: str, problem: ModelProblem) -> str:
    named = str(problem.evidence.get("metric") or problem.evidence.get("reason") or "")
    return hashlib.sha256("\n".join((asset, scope, problem.kind, named)).encode()).hexdigest()[:16]
