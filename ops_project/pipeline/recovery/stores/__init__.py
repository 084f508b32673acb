"""The places for backups: a folder, or a bucket that is reached by the S3 protocol."""

from __future__ import annotations

from ops_project.pipeline.recovery.decide.destination import Bucket, parse
from ops_project.pipeline.recovery.stores.store import Absent, Store, StoreUnusable

__all__ = ["Absent", "Store", "StoreUnusable", "open_store"]


def open_store(destination: str, endpoint: str | None = None, region: str | None = None) -> Store:
    """The store at `destination`: the path of a folder, or `s3://bucket/prefix`. Raises RestoreError for any other
    text.
    """
    found = parse(destination)
    if isinstance(found, Bucket):
        from ops_project.pipeline.recovery.stores.s3 import S3Store

        return S3Store(found.name, found.prefix, endpoint=endpoint, region=region)
    from ops_project.pipeline.recovery.stores.folder import FolderStore

    return FolderStore(found)
