"""Lists the partition keys of a table in less time than Dagster. The list of all keys is kept for a day. The days of a
list are counted, and not looked up one by one.

Before Dagster builds a table without partitions, it lists the keys of every partitioned table upstream and looks up
their versions. Dagster makes such a list even if it has a hundred keys or more, and then does not use it. With
partitions since 2009 one list costs 0.11 s of CPU time, and the ten lists of an e-commerce run took 1.1 of its 15 s.
Counting the days takes 0.002 s.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from dagster import TimeWindowPartitionsDefinition
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.instance import DynamicPartitionsStore

DAY = "%Y-%m-%d"
_list_keys = TimeWindowPartitionsDefinition.get_partition_keys


@lru_cache(maxsize=16)
def _kept(definition: TimeWindowPartitionsDefinition, last: str) -> tuple[str, ...]:
    first = definition.get_first_partition_key()
    if first is None or not definition.is_basic_daily or definition.fmt != DAY:
        return tuple(_list_keys(definition))
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return tuple((begin + timedelta(days=n)).isoformat() for n in range((end - begin).days + 1))


def _keys(
    self: TimeWindowPartitionsDefinition,
    current_time: datetime | None = None,
    dynamic_partitions_store: DynamicPartitionsStore | None = None,
) -> Sequence[str]:
    with partition_loading_context(current_time, dynamic_partitions_store):
        last = self.get_last_partition_key()
        return [] if last is None else list(_kept(self, last))


def keep_lists() -> None:
    """From now on this process keeps the lists."""
    TimeWindowPartitionsDefinition.get_partition_keys = _keys  # type: ignore[method-assign]  # Dagster has no other place for it
