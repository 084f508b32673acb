"""`ops …` in forks of a process that has imported everything and has done nothing else.

A process of its own spends two to four seconds on imports. A fork of pytest's process spends none, but if dbt has run
in that process, the fork can wait for ever for a lock that a thread of dbt held at the fork. Here a process stands
between the two: it has no threads, so that its forks begin as a new process does.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ops_project.settings import PROJECT_ROOT


class Forks:
    """A process to fork from; close it at the end."""

    def __init__(self, folder: Path) -> None:
        """`folder`: the output of the commands is written there."""
        from ops_project.pipeline.dbt_engine import manifest

        # dbt parses in threads. So the project is parsed here, and not in the process from which children are forked.
        manifest.load()
        self._folder = folder
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.forks"],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ops(
        self, words: Sequence[str], *, cwd: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """`ops` with these words in this folder, with these variables and no others."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._count += 1
        files = [self._folder / f"{self._count}.{name}" for name in ("out", "err")]
        asked = {"words": [*words], "cwd": str(cwd), "environment": {**environment}, "files": [*map(str, files)]}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the process to fork from has ended"
        said = [path.read_text(encoding="utf-8", errors="replace") for path in files]
        return subprocess.CompletedProcess(["ops", *words], int(answer), *said)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def _serve() -> None:
    # The search for garbage takes two of the six seconds in which everything is imported.
    gc.disable()
    from tests import compiled_statements
    from tests.scenarios import homes

    compiled_statements.shared()
    homes.warm()
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _perform(json.loads(line))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


def _perform(asked: dict[str, Any]) -> None:
    code = 99
    try:
        # In the order of the descriptors of standard input, output and errors.
        for descriptor, (path, mode) in enumerate(
            [(os.devnull, os.O_RDONLY), *((path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for path in asked["files"])]
        ):
            os.dup2(os.open(path, mode, 0o644), descriptor)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, "w" if n else "r", closefd=False) for n in range(3))
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv = ["ops", *asked["words"]]
        from ops_project.cli import main

        main()
        code = 0
    except SystemExit as error:
        code = int(error.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
