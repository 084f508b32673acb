"""The serving store: a key-value table that applications read by key, in microseconds and without SQL. By default the
store is a file in the home. If DynamoDB is configured, the store is a table of DynamoDB. Loading the same items twice
gives the same table.
"""

from ops_project.pipeline.serving.configured import open_store
from ops_project.pipeline.serving.store import Item, LoadResult, Store

__all__ = ["Item", "LoadResult", "Store", "open_store"]
