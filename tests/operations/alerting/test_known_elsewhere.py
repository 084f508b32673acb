"""The memory of what a recipient was told through other groups agrees with a walk through the whole notification log."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ops_project.operations.alerting.decide.elsewhere import KnownElsewhere
from ops_project.operations.alerting.decide.grouping import LogEntry

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
KEYS = st.tuples(st.sampled_from("gh"), st.sampled_from("cd"), st.sampled_from("rs"))
ENTRIES = st.lists(st.tuples(KEYS, st.frozensets(st.integers(1, 3))), max_size=8)


def entry(key: tuple[str, str, str], firing: frozenset[int]) -> LogEntry:
    return LogEntry(*key, firing=firing, resolved=frozenset(), at=NOW, expires_at=NOW)


@given(ENTRIES, ENTRIES)
def test_it_is_what_the_log_says(before: list, after: list) -> None:
    log = {key: entry(key, firing) for key, firing in before}
    known = KnownElsewhere(log)
    for step in [None, *after]:
        if step is not None:
            key, firing = step
            known.note(log.get(key), entry(key, firing))
            log[key] = entry(key, firing)
        for group, channel, recipient, number in (
            (g, c, r, n) for g in "gh" for c in "cd" for r in "rs" for n in (1, 2)
        ):
            expected = any(
                number in one.firing
                for (of, name, to), one in log.items()
                if of != group and (name, to) == (channel, recipient)
            )
            assert known.has(number, group, channel, recipient) is expected


def test_nothing_is_read_before_somebody_asks() -> None:
    class Unread(dict):
        def values(self) -> None:  # type: ignore[override]  # it must not be called
            raise AssertionError("the log was read")

    KnownElsewhere(Unread()).note(None, entry(("g", "c", "r"), frozenset({1})))
