"""The serving store: a key-value table from which applications read by key, in microseconds and without SQL. By default
the store is a file in the home folder. If DynamoDB is configured, the store is a table of DynamoDB. If the same items
are loaded twice, the table stays the same.
"""

from ops_project.pipeline.serving.configured import open_store
from ops_project.pipeline.serving.store import Item, LoadResult, Store

__all__ = ["Item", "LoadResult", "Store", "open_store"]
