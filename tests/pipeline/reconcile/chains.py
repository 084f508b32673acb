"""The result of a whole chain."""

from __future__ import annotations

from typing import Any

from ops_project.pipeline.reconcile.chain import hop_by_hop
from ops_project.pipeline.reconcile.classify import ChainResult


def reconcile(*given: Any, **options: Any) -> ChainResult:
    *_, result = hop_by_hop(*given, **options)
    return result
