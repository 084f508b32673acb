"""A heavy `ops sql` beside a running `ops run`: how much slower the run is than alone. Every round runs the same
small pipeline three times, each in a copy of the same home: alone, beside the query, and alone again. The middle run
is compared with the mean of the other two, so that other load on the machine affects both. The query uses all that
it may: a join that never ends within its time limit, over a snapshot of the same data. Each is a command as a user
would type it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.settings import PROJECT_ROOT, Settings
from tests.benchmarks.runs import CPU, NOW, ops_run, simulated, with_history

MOST = 1.10
SECONDS = 3_000
QUESTION = """
SELECT one.customer_id, count(DISTINCT hash(one.order_id, two.order_id, three.order_id)), count(DISTINCT two.customer_id)
FROM bronze.orders AS one, bronze.orders AS two, bronze.orders AS three
WHERE hash(one.order_id, two.order_id) % 3 <> hash(three.order_id) % 3
GROUP BY ALL ORDER BY ALL
"""


@contextmanager
def heavy_question(home: Path, query: str = QUESTION) -> Iterator[None]:
    """`ops sql` over the newest snapshot of `home`, which works until this context ends. Raises an error if it ended
    earlier.
    """
    command = [sys.executable, "-m", "ops_project.cli", "sql", "--seconds", str(SECONDS), query]
    with subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        env={**os.environ, **Settings(home=home, as_of=NOW).environ()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as asked:
        try:
            yield
            if asked.poll() is not None:
                _, said = asked.communicate()
                raise RuntimeError(f"the question ended before the run did, with {asked.returncode}: {said[-2000:]}")
        finally:
            asked.kill()


def measure(rounds: int, large: bool) -> dict[str, object]:
    """Seconds of the run alone and beside the question, and the ratio. `large` changes nothing here."""
    del large
    dbt_manifest.load()
    with tempfile.TemporaryDirectory(prefix="bench-question-") as folder:
        root = Path(folder)
        waiting = with_history(simulated(root / "waiting"), root / "history")
        asked = root / "asked"
        shutil.copytree(waiting, asked, symlinks=True)
        ops_run(asked)
        CPU.clear()
        seconds = []
        for number in range(rounds):
            before = _run(waiting, root / f"before-{number}")
            with heavy_question(asked):
                beside = _run(waiting, root / f"beside-{number}")
            seconds.append((before, beside, _run(waiting, root / f"after-{number}")))
    ratio = median(2 * beside / (before + after) for before, beside, after in seconds)
    cpu = list(zip(CPU[0::3], CPU[1::3], CPU[2::3], strict=True))
    return {
        "alone_s": round(median((before + after) / 2 for before, _, after in seconds), 2),
        "beside_the_question_s": round(median(beside for _, beside, _ in seconds), 2),
        "ratio": round(ratio, 3),
        "cpu_ratio": round(median(2 * beside / (before + after) for before, beside, after in cpu), 3),
        "bound": f"<= {MOST}",
        "holds": ratio <= MOST,
        "rounds": [[round(value, 2) for value in row] for row in seconds],
    }


def _run(waiting: Path, home: Path) -> float:
    shutil.copytree(waiting, home, symlinks=True)
    seconds, _ = ops_run(home)
    shutil.rmtree(home)
    return seconds
