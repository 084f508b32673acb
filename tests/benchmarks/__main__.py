"""`make bench`: run the measurements one after the other and print one JSON document. Each module of this package that
has `measure(rounds, large)` is a benchmark; the document holds the figures of the module under the name of the module.
If a figure has a bound, the document shows the bound, and whether the figure is within it. A missed bound is reported,
but the command does not fail.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import platform
import sys
import time
from importlib.metadata import version

from tests import benchmarks


def modules() -> list[str]:
    """The benchmarks, by name."""
    return sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"which: {', '.join(modules())} (default: all)")
    parser.add_argument("--rounds", type=int, default=None, help="rounds of each measurement (default 3; large 1)")
    parser.add_argument("--large", action="store_true", help="full size, one round")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(modules())):
        parser.error(f"no benchmark {', '.join(unknown)}; valid: {', '.join(modules())}")
    rounds = options.rounds or (1 if options.large else 3)
    results: dict[str, object] = {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "duckdb": version("duckdb"),
            "dbt-core": version("dbt-core"),
            "dagster": version("dagster"),
        },
        "rounds": rounds,
        "large": options.large,
    }
    for name in options.names or modules():
        module = importlib.import_module(f"tests.benchmarks.{name}")
        if not hasattr(module, "measure"):
            continue
        sys.stderr.write(f"{name} …\n")
        started = time.perf_counter()
        results[name] = module.measure(rounds=rounds, large=options.large)
        sys.stderr.write(f"{name}: {time.perf_counter() - started:.0f} s\n")
    sys.stdout.write(json.dumps(results, indent=2, default=str) + "\n")


if __name__ == "__main__":
    main()
