"""What a rerun builds, and what changes for a run that had too little memory."""

from __future__ import annotations

import pytest

from ops_project.pipeline.recovery.decide.relief import Limits, bytes_of, relieved, text_of
from ops_project.pipeline.recovery.decide.rerun import Verdict, from_asset, from_failed
from ops_project.pipeline.recovery.decide.target import NothingLeft, RestoreError

A, B, C, D = ("bronze", "a"), ("silver", "b"), ("gold", "c"), ("gold", "d")
ALL = {A, B, C, D}
GB = 10**9


def test_only_what_was_not_finished_is_built() -> None:
    plan = from_failed(ALL, {A, B}, [Verdict(A, "keys", True), Verdict(C, "keys", None)])
    assert (plan.assets, plan.checks, plan.finished) == ({C, D}, set(), {A, B})
    assert plan.words == "2 tables; 2 finished tables are left unchanged"


def test_a_check_that_stopped_the_run_is_made_again_and_its_table_is_not_built() -> None:
    verdicts = [
        Verdict(B, "failed", False),
        Verdict(B, "warned", False, is_error=False),
        Verdict(A, "never made", None),
        Verdict(A, "passed", True),
    ]
    plan = from_failed(ALL, {A, B}, verdicts)
    assert plan.checks == {(B, "failed"), (A, "never made")} and plan.assets == {C, D}


def test_a_run_that_has_done_everything_is_not_rerun() -> None:
    with pytest.raises(NothingLeft, match="nothing to rerun"):
        from_failed(ALL, ALL, [Verdict(A, "keys", True), Verdict(B, "size", False, is_error=False)])


def test_a_run_that_was_killed_before_it_planned_anything_is_not_called_done() -> None:
    with pytest.raises(RestoreError, match=r"before it had noted what it was to build.*`ops run`") as raised:
        from_failed(set(), set(), [])
    assert not isinstance(raised.value, NothingLeft)
    assert from_failed(set(), set(), iter([Verdict(A, "keys", None)])).checks == {(A, "keys")}


def test_what_was_built_and_never_published_is_built_once_more_where_nothing_else_is_left() -> None:
    plan = from_failed(ALL, ALL, [Verdict(A, "keys", True)], unpublished={C, D, ("gold", "of another run")})
    assert (plan.assets, plan.finished) == ({C, D}, {A, B})
    assert from_failed(ALL, {A, B, C}, [], unpublished={C}).assets == {D}, "it is published with what is left"


def test_from_a_table_on_everything_downstream_is_built_and_nothing_else() -> None:
    plan = from_asset(B, ALL, lambda _: [C, ("gold", "of another run")], {A, B, C})
    assert (plan.assets, plan.finished) == ({B, C}, {A})
    with pytest.raises(RestoreError, match=r"gold\.x was not part of this run, which was to build: bronze\.a"):
        from_asset(("gold", "x"), ALL, lambda _: [], set())


def test_a_run_that_had_too_little_memory_needs_less_at_once() -> None:
    found, words = relieved(Limits(3 * GB, 4, 10), 16 * GB)
    assert found == Limits(6 * GB, 2, 5)
    assert words == ("memory 3000MB → 6000MB", "threads 4 → 2", "business dates in a run 10 → 5")
    assert relieved(Limits(6 * GB, 1, 1), 8 * GB) == (Limits(int(6.4 * GB), 1, 1), ("memory 6000MB → 6400MB",))
    assert relieved(Limits(7 * GB, 1, 1), 8 * GB) == (Limits(7 * GB, 1, 1), ()), "it never gets less than it had"


def test_sizes_of_memory() -> None:
    assert bytes_of("3GB") == 3 * GB and bytes_of("1.5 GiB") == 3 * 2**29 and text_of(bytes_of("512MB")) == "512MB"
    with pytest.raises(ValueError, match="not a size of memory"):
        bytes_of("lots")
