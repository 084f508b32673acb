"""A git clone of the project: its versions, and the differences between two of them."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from ops_project.pipeline.recovery.decide.target import RestoreError

GIT_SECONDS = 300


@dataclass(frozen=True)
class Clone:
    """A clone of the project."""

    root: Path

    def resolve(self, text: str) -> str:
        """The full id of a commit. Raises RestoreError if there is no such commit."""
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}").strip()
        except RestoreError:
            newest = self._git("log", "--oneline", "-8").strip().replace("\n", "; ")
            raise RestoreError(f"there is no commit {text!r}; the newest: {newest}") from None

    def head(self) -> str:
        """The commit that is checked out."""
        return self.resolve("HEAD")

    def named_head(self) -> str:
        """The name of the branch that is checked out. If no branch is checked out, the id of the commit."""
        name = self._git("rev-parse", "--abbrev-ref", "HEAD").strip()
        return self.head() if name == "HEAD" else name

    def dirty(self) -> list[str]:
        """Files with changes that are not committed. Files that git does not track do not count."""
        lines = self._git("status", "--porcelain", "--untracked-files=no").splitlines()
        return [line[3:] for line in lines]

    def is_ancestor(self, earlier: str, later: str) -> bool:
        """Whether `later` is `earlier` itself or a descendant of it. False if a commit is unknown."""
        done = self._run("merge-base", "--is-ancestor", earlier, later)
        return done.returncode == 0

    def differs(self, earlier: str, later: str, path: str) -> bool:
        """Whether a file differs between two commits."""
        return self._run("diff", "--quiet", earlier, later, "--", path).returncode != 0

    def files(self, commit: str, folder: str) -> set[str]:
        """Names of the files of a commit that lie directly in a folder."""
        lines = self._git("ls-tree", "--name-only", commit, f"{folder}/").splitlines()
        return {Path(line).name for line in lines}

    def has(self, commit: str, seconds: float = GIT_SECONDS) -> bool:
        """Whether this clone knows the commit."""
        asked = ("cat-file", "-e", "--end-of-options", f"{commit}^{{commit}}")
        return bool(commit) and self._run(*asked, seconds=seconds).returncode == 0

    def changed(self, earlier: str, later: str | None, paths: Sequence[str], seconds: float = GIT_SECONDS) -> list[str]:
        """Files below `paths` that differ between two commits.

        `later`: if it is None, `earlier` is compared with the working folder.
        """
        between = [earlier] if later is None else [earlier, later]
        return self._git("diff", "--name-only", *between, "--", *paths, seconds=seconds).splitlines()

    def diff(self, earlier: str, later: str | None, paths: Sequence[str], seconds: float = GIT_SECONDS) -> str:
        """The differences in these files, as `git diff` shows them. `later` has the same meaning as in `changed`."""
        between = [earlier] if later is None else [earlier, later]
        return self._git("diff", "--no-color", "--no-ext-diff", "--unified=1", *between, "--", *paths, seconds=seconds)

    def put_into(self, commit: str, folder: Path) -> None:
        """Write the files of a commit into a separate folder."""
        done = subprocess.run(
            ["git", "-C", str(self.root), "archive", commit], capture_output=True, check=False, timeout=GIT_SECONDS
        )
        if done.returncode:
            raise RestoreError(f"git could not read commit {commit}: {done.stderr.decode(errors='replace').strip()}")
        with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(folder, filter="data")
            else:
                # Python before 3.11.4 has no filters. No filter is needed here, because git has just made this archive.
                archive.extractall(folder)

    def check_out(self, commit: str) -> None:
        """Check out this commit in the installation."""
        self._git("checkout", "--quiet", "--detach", commit)

    def _git(self, *arguments: str, seconds: float = GIT_SECONDS) -> str:
        done = self._run(*arguments, seconds=seconds)
        if done.returncode:
            raise RestoreError(f"git {arguments[0]}: {done.stderr.strip() or 'it failed'}")
        return done.stdout

    def _run(self, *arguments: str, seconds: float = GIT_SECONDS) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["git", "-C", str(self.root), *arguments],
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
            )
        except FileNotFoundError:
            raise RestoreError("git is needed to go back to an earlier version, and is not installed") from None


def clone_of(root: Path) -> Clone:
    """The clone of the installation. Raises RestoreError if the installation is not a clone, because there are then no
    earlier versions.
    """
    if not (root / ".git").exists():
        raise RestoreError(f"{root} is not a clone of the project, so it has no earlier versions: install one by hand")
    return Clone(root)
