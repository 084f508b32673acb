"""The destination of backups: a folder, or a bucket and a prefix in the bucket."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ops_project.pipeline.recovery.decide.target import RestoreError

_BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")


@dataclass(frozen=True)
class Bucket:
    """A bucket. The prefix is empty or ends with a slash."""

    name: str
    prefix: str


def parse(text: str) -> Bucket | Path:
    """The destination that a text names. Raises RestoreError.

    `text`: `s3://bucket/some/prefix`, or the absolute path of a folder.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        if not text.strip():
            raise RestoreError("the destination of backups is empty: give a folder, or s3://BUCKET/PREFIX")
        path = Path(text).expanduser()
        if not path.is_absolute():
            raise RestoreError(
                f"the destination of backups {text!r} is relative, and runs start from different folders: "
                "write the whole path"
            )
        return path
    if scheme != "s3":
        raise RestoreError(f"the destination of backups {text!r} is not understood: a folder, or s3://BUCKET/PREFIX")
    name, _, prefix = rest.partition("/")
    if not _BUCKET.match(name):
        raise RestoreError(f"{name!r} in {text!r} cannot be a bucket's name: s3://BUCKET/PREFIX")
    prefix = prefix.strip("/")
    return Bucket(name, f"{prefix}/" if prefix else "")
