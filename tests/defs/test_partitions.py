from __future__ import annotations

from datetime import date

from ops_project.defs.shared.partitions import clusters, range_tags, window_of


def test_one_range_covers_dates_that_lie_close() -> None:
    days = [date(2010, 12, 23), date(2010, 12, 1), date(2011, 1, 4), date(2010, 12, 23)]
    assert clusters(days) == [(date(2010, 12, 1), date(2011, 1, 4))]


def test_a_stray_old_file_does_not_mark_the_years_between() -> None:
    assert clusters([date(2009, 1, 5), date(2026, 3, 1), date(2026, 3, 2)]) == [
        (date(2009, 1, 5), date(2009, 1, 5)),
        (date(2026, 3, 1), date(2026, 3, 2)),
    ]
    assert clusters([]) == []


def test_tags_say_the_window() -> None:
    assert window_of(range_tags(date(2026, 3, 1), date(2026, 3, 3))) == (date(2026, 3, 1), date(2026, 3, 3))
    assert window_of({"dagster/partition": "2026-03-01"}) == (date(2026, 3, 1), date(2026, 3, 1))
    assert window_of({}) is None
