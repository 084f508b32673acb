"""A bucket as the store of backups, through the S3 protocol. boto3 finds the credentials in its usual places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ops_project.pipeline.recovery.stores.store import Absent, StoreUnusable

ABSENT = {"NoSuchKey", "404", "NotFound"}


class S3Store:
    """One object for each key, below `prefix`. The bucket must exist, because this class never creates one."""

    def __init__(self, bucket: str, prefix: str, *, endpoint: str | None = None, region: str | None = None) -> None:
        self.bucket, self.prefix = bucket, prefix
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=region,
            config=Config(retries={"total_max_attempts": 5, "mode": "standard"}, connect_timeout=10, read_timeout=60),
        )

    @property
    def shown(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def put(self, key: str, data: bytes) -> None:
        with self._told(key):
            self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data)

    def get(self, key: str) -> bytes:
        with self._told(key):
            body: bytes = self._client.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"].read()
            return body

    def has(self, key: str) -> bool:
        try:
            with self._told(key):
                self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        except Absent:
            return False
        return True

    def keys(self, prefix: str) -> list[str]:
        with self._told(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix
            )
            found = [item["Key"].removeprefix(self.prefix) for page in pages for item in page.get("Contents", ())]
        return sorted(found)

    def delete(self, key: str) -> None:
        with self._told(key):
            self._client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in ABSENT:
                raise Absent(key) from None
            hint = "; make the bucket first, or correct backups.destination" if code == "NoSuchBucket" else ""
            raise StoreUnusable(f"{self.shown} answered {code or error} to {key}{hint}") from error
        except BotoCoreError as error:
            raise StoreUnusable(f"{self.shown} cannot be reached: {error}") from error
