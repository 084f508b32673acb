"""Finds the keys that are not unique in segments that are equal on both sides. On 10 million rows, DuckDB takes 0.56 s
to count distinct keys. Sorting the 64-bit hashes of the keys gives candidates. It takes 0.16 s on a processor with
AVX-512, and 0.6 s on one without. The candidates are then checked by the keys themselves, so two keys with the same
hash are not a false finding.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ops_project.pipeline.reconcile.task import Task

# The number of hashes in memory at a time (256 MB). Larger tables are processed in slices, by the top bits of the hash.
SLICE_ROWS = 32_000_000


def in_equal_segments(task: Task) -> None:
    """Add the duplicate keys of the segments that are the same on both sides to `<prefix>_keys`."""
    rows = task.run(f"select coalesce(sum(s_n) filter (not dirty), 0)::bigint from {task.prefix}_segments")[0][0]
    if not rows:
        return
    slices = 1 << max(0, (rows // SLICE_ROWS)).bit_length()
    found = np.concatenate([_repeated(task, slices, index) for index in range(slices)])
    if not len(found):
        return
    task.connection.register(f"{task.prefix}_candidate_rows", pa.table({"h": found}))
    task.run(f"create temp table {task.prefix}_candidates as from {task.prefix}_candidate_rows")
    task.connection.unregister(f"{task.prefix}_candidate_rows")
    numbers = "".join(f", sum(m{i}) as s_m{i}, sum(m{i}) as t_m{i}" for i in range(len(task.measures)))
    same = " and ".join(f"known.k{i} = found.k{i}" for i in range(len(task.keys)))
    task.run(
        f"insert into {task.prefix}_keys by name"
        f" select 'duplicate' as class, false as differs, {task.key_list}, count(*) as s_n, count(*) as t_n{numbers}"
        f" from {task.prefix}_s as found where {task.has_key}"
        f" and hash({task.key_list}) in (select h from {task.prefix}_candidates)"
        # Segments that differ were already compared key by key.
        f" and not exists (select 1 from {task.prefix}_keys as known where {same})"
        f" group by {task.key_list} having count(*) > 1"
    )


def _repeated(task: Task, slices: int, index: int) -> np.ndarray:
    """The hashes that occur more than once in one slice of the source. Each hash is returned once."""
    where = task.has_key
    if slices > 1:
        where += f" and hash({task.key_list}) >> {64 - (slices.bit_length() - 1)} = {index}"
    hashes = task.connection.execute(f"select hash({task.key_list}) as h from {task.prefix}_s where {where}")
    values = np.asarray(hashes.fetchnumpy()["h"])
    values.sort()
    return np.unique(values[1:][values[1:] == values[:-1]])
