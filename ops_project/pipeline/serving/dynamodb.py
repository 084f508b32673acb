"""The serving store on DynamoDB, through boto3. botocore's own retries are switched off. This class sends refused
requests again, so that it can count every one of them: the number of refused requests is a metric with a threshold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key
from botocore.config import Config
from botocore.exceptions import ClientError

from ops_project.counted import counted
from ops_project.pipeline.serving.store import Item, LoadResult, Throttled, attempts

BATCH = 25  # The largest number of items in one BatchWriteItem request.
THROTTLES = {
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "ThrottledException",
}
INDEX = "by_sort"


class DynamoStore:
    """A table with keys `partition` and `sort`, and an index by `sort`. A table that does not exist is created."""

    def __init__(
        self,
        name: str,
        *,
        endpoint: str | None = None,
        region: str | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._pause = pause
        self._throttled = 0
        self._resource = boto3.resource(
            "dynamodb",
            endpoint_url=endpoint,
            region_name=region or "eu-west-1",
            config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
        )
        self._table = self._resource.Table(name)
        self._ensure()

    def replace(self, sort: str, items: Iterable[Item]) -> LoadResult:
        """Replace all items under this sort key by `items`. This is not one transaction. If it was interrupted, a rerun
        completes it.
        """
        self._throttled = 0
        new = {item.partition: _stored(item) for item in items}
        old = {row["partition"]: row for row in self._under(sort)}
        changed = [row for key, row in new.items() if old.get(key) != row]
        gone = [key for key in old if key not in new]
        requests = [{"PutRequest": {"Item": row}} for row in changed]
        requests += [{"DeleteRequest": {"Key": {"partition": key, "sort": sort}}} for key in gone]
        for start in range(0, len(requests), BATCH):
            self._write(requests[start : start + BATCH])
        return LoadResult(len(changed), len(gone), len(new) - len(changed), self._throttled)

    def get(self, partition: str, sort: str) -> Mapping[str, Any] | None:
        """The value under a key; None if there is none."""
        found = self._call(
            lambda: self._table.get_item(Key={"partition": partition, "sort": sort}, ConsistentRead=True)
        )
        value: Mapping[str, Any] | None = found.get("Item", {}).get("value")
        return value

    def sort_keys(self) -> list[str]:
        """Every sort key that has items, in order."""
        return sorted({row["sort"] for row in self._pages(self._table.scan, ProjectionExpression="sort")})

    def close(self) -> None:
        """Close the connections."""
        self._resource.meta.client.close()

    def _under(self, sort: str) -> list[dict[str, Any]]:
        return self._pages(self._table.query, IndexName=INDEX, KeyConditionExpression=Key("sort").eq(sort))

    def _pages(self, read: Callable[..., Any], **arguments: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            page = self._call(lambda: read(**arguments))
            rows += page["Items"]
            if "LastEvaluatedKey" not in page:
                return rows
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _write(self, requests: list[dict[str, Any]]) -> None:
        """Write a batch. If the store leaves items unprocessed, the request counts as throttled, and these items are
        sent again.
        """
        for _ in attempts(self._pause):
            pending = requests
            answer = self._call(lambda: self._resource.batch_write_item(RequestItems={self.name: pending}))  # noqa: B023
            requests = answer.get("UnprocessedItems", {}).get(self.name, [])
            if not requests:
                return
            self._throttled += 1
        raise Throttled(f"{self.name}: {counted(len(requests), 'item')} still unprocessed", self._throttled)

    def _call(self, request: Callable[[], Any]) -> Any:
        refused: ClientError | None = None
        for _ in attempts(self._pause):
            try:
                return request()
            except ClientError as error:
                if error.response["Error"]["Code"] not in THROTTLES:
                    raise
                self._throttled += 1
                refused = error
        raise Throttled(f"{self.name}: {refused}", self._throttled) from refused

    def _ensure(self) -> None:
        client = self._resource.meta.client
        try:
            client.describe_table(TableName=self.name)
            return
        except client.exceptions.ResourceNotFoundException:
            pass
        client.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("partition", "sort")],
            KeySchema=[
                {"AttributeName": "partition", "KeyType": "HASH"},
                {"AttributeName": "sort", "KeyType": "RANGE"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": INDEX,
                    "KeySchema": [
                        {"AttributeName": "sort", "KeyType": "HASH"},
                        {"AttributeName": "partition", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        client.get_waiter("table_exists").wait(TableName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def _stored(item: Item) -> dict[str, Any]:
    return {"partition": item.partition, "sort": item.sort, "value": _numbers(dict(item.value))}


def _numbers(value: Any) -> Any:
    """The value with every integer as Decimal. DynamoDB returns all numbers as Decimal, so stored and new values can
    then be compared.
    """
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, dict):
        return {name: _numbers(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers(part) for part in value]
    return value
