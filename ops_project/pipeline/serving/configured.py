"""Chooses the serving store of this home."""

from __future__ import annotations

from ops_project.pipeline.serving.store import Store
from ops_project.settings import Settings


def open_store(settings: Settings, table: str) -> Store:
    """The store for `table`. The variable OPS_SERVING_DYNAMODB_TABLE decides:

    - If it is not set, the store is a file in the home folder.
    - If it ends in `-`, it is a prefix. The store is the DynamoDB table whose name is the prefix followed by `table`.
    - Otherwise the store is the DynamoDB table with this name.
    """
    remote = settings.secret("OPS_SERVING_DYNAMODB_TABLE")
    if remote:
        from ops_project.pipeline.serving.dynamodb import DynamoStore

        name = f"{remote}{table}" if remote.endswith("-") else remote
        return DynamoStore(
            name,
            endpoint=settings.secret("OPS_SERVING_DYNAMODB_ENDPOINT"),
            region=settings.secret("AWS_REGION") or settings.secret("AWS_DEFAULT_REGION"),
        )
    from ops_project.pipeline.serving.embedded import EmbeddedStore

    return EmbeddedStore(settings.home / "serving" / f"{table}.db", table)
