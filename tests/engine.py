"""Settings of DuckDB in the processes in which the tests run. Call both functions before DuckDB is imported and used."""

from __future__ import annotations

import importlib
from collections.abc import MutableMapping

# DuckDB has no variable of its own. It reads this one, in which the cluster manager Slurm says how many cores a job has.
CORES = "SLURM_CPUS_ON_NODE"


def share_cores(environment: MutableMapping[str, str], cores: int) -> None:
    """Limit DuckDB to this process's part of the cores, here and in its children. A process that runs all tests alone
    keeps every core.

    DuckDB makes a thread for each core. With two processes on two cores, the second thread of each saves no time, and a
    run of the pipelines takes 5 to 10 % more CPU with it (insurance 2.6 and 2.8 s, e-commerce 4.5 and 5.0 s).
    """
    processes = int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        environment[CORES] = str(max(1, cores // processes))


def write_no_progress() -> None:
    """Import DuckDB so that it never writes a progress bar to standard output.

    It does so after two seconds of a query if the process is an interactive one, and it takes a main module without a
    file for that. The processes of the tests have none, because they are started by `python -c`. The programs of the
    project have one. The name of the file is removed again, because a process that is spawned would run the file.
    """
    main = importlib.import_module("__main__")
    if hasattr(main, "__file__"):
        importlib.import_module("duckdb")
        return
    main.__file__ = __file__
    try:
        importlib.import_module("duckdb")
    finally:
        del main.__file__
