"""Which backup is meant, which ones may be removed, and how old the newest proved one is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops_project.pipeline.recovery.decide.backups import Backup, Outcome, Proof, age, choose, judged, next_id, to_remove
from ops_project.pipeline.recovery.decide.destination import Bucket, parse
from ops_project.pipeline.recovery.decide.target import RestoreError

FIRST = datetime(2026, 3, 1, 4, tzinfo=UTC)
DAY = timedelta(days=1)


def backup(number: int, good: bool = True) -> Backup:
    at = FIRST + number * DAY
    return Backup(f"{number:06d}-aa", at, at, files=1, size_bytes=1, new_bytes=1, good=good)


ALL = [backup(1), backup(2), backup(3, good=False), backup(4), backup(5)]


def proofs(**outcomes: Outcome) -> dict[str, Proof]:
    return {f"{int(name[1:]):06d}-aa": Proof(outcome, FIRST, "") for name, outcome in outcomes.items()}


PROOFS = proofs(n1=Outcome.PROVED, n2=Outcome.PROVED, n3=Outcome.PROVED, n4=Outcome.FAILED)


@pytest.mark.parametrize(
    ("wanted", "meant"), [(None, 3), ("good", 2), ("newest", 5), ("2", 2), ("000004-aa", 4), ("000002", 2)]
)
def test_a_backup_is_named_and_without_a_name_it_is_the_newest_proved(wanted: str | None, meant: int) -> None:
    assert choose(wanted, ALL, PROOFS) is ALL[meant - 1]


def test_nothing_is_restored_by_guess() -> None:
    with pytest.raises(RestoreError, match="no backup: `ops backup create`"):
        choose(None, [], {})
    with pytest.raises(RestoreError, match=r"no backup is proved.*000005-aa \(2026-03-06 04:00 UTC\)"):
        choose(None, ALL, proofs(n5=Outcome.INCONCLUSIVE))
    with pytest.raises(RestoreError, match="no backup of a good run is proved"):
        choose("good", ALL, proofs(n3=Outcome.PROVED))
    with pytest.raises(RestoreError, match="there is no backup '9'"):
        choose("9", ALL, PROOFS)


def test_the_newest_stay_and_as_many_proved_ones() -> None:
    assert to_remove(ALL, PROOFS, keep=1) == ["000001-aa", "000002-aa", "000004-aa"]
    assert to_remove(ALL, PROOFS, keep=2) == ["000001-aa"]
    assert to_remove(ALL, {}, keep=9) == []
    assert to_remove(ALL, proofs(n1=Outcome.PROVED), keep=1) == ["000002-aa", "000003-aa", "000004-aa"]


def test_the_age_is_that_of_the_newest_proved_one_or_of_the_expectation() -> None:
    now = FIRST + 10 * DAY
    assert age(ALL, PROOFS, FIRST, now) == 7 * DAY
    assert age(ALL, proofs(n5=Outcome.FAILED), FIRST, now) == 10 * DAY


def test_a_number_is_never_used_twice() -> None:
    assert (next_id([], "x"), next_id(ALL, "x")) == ("000001-x", "000006-x")


def test_the_outcome_says_the_worst_first() -> None:
    assert judged(["a", "b"], ["c"], []) == (Outcome.FAILED, "missing or changed in the store: a and 1 more")
    assert judged([], ["c", "d"], ["e"]) == (Outcome.FAILED, "c (and 1 more)")
    assert judged([], [], ["e"])[0] is Outcome.FAILED
    assert judged([], [], [])[0] is Outcome.PROVED


def test_a_destination_is_a_folder_or_a_bucket() -> None:
    assert parse("s3://my-bucket/a/b/") == Bucket("my-bucket", "a/b/")
    assert parse("s3://my-bucket") == Bucket("my-bucket", "")
    assert parse("/mnt/backup") == Path("/mnt/backup")
    for wrong in ("gs://x/y", "s3://", "s3://No_Bucket/x", "", "backups/here"):
        with pytest.raises(RestoreError, match=r"destination|bucket"):
            parse(wrong)
