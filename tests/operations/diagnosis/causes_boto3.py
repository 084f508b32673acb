"""Errors of cloud services: boto3 against moto, and answers that go through the parser of botocore."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ops_project.model.failure_class import FailureClass
from tests.operations.diagnosis.make_errors import Case

KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}


@contextmanager
def cloud() -> Iterator[list[Case]]:
    import boto3
    from botocore.config import Config
    from moto import mock_aws

    quick = Config(retries={"max_attempts": 0}, connect_timeout=0.3, read_timeout=0.3)

    def client(service: str, **options: Any) -> Any:
        return boto3.client(service, config=quick, **{**KEYS, **options})

    with mock_aws():
        s3, tables, queues, topics = (client(name) for name in ("s3", "dynamodb", "sqs", "sns"))
        s3.create_bucket(Bucket="exports")
        s3.put_object(Bucket="exports", Key="a", Body=b"x" * 10)
        names = {"AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}], "TableName": "kpis"}
        table = {**names, "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
        tables.create_table(**table)
        one = {"k": {"S": "a"}}
        tables.put_item(TableName="kpis", Item=one)
        nowhere = {"endpoint_url": "http://127.0.0.1:1"}

        def without_keys() -> None:
            with _without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
                session = boto3.Session(region_name="us-east-1")
                session._session.set_config_variable("credentials_file", "/nowhere")
                session.client("s3", endpoint_url="http://127.0.0.1:1", config=quick).list_buckets()

        def partial() -> None:
            boto3.client("s3", aws_access_key_id="a", region_name="us-east-1").list_buckets()

        found: list[tuple[str, FailureClass, Callable[[], object]]] = [
            ("no bucket", "config_error", lambda: s3.list_objects_v2(Bucket="not-there")),
            ("no bucket for a file", "config_error", lambda: s3.put_object(Bucket="not-there", Key="a", Body=b"")),
            ("no key", "source_missing", lambda: s3.get_object(Bucket="exports", Key="orders.csv")),
            ("no key, head", "source_missing", lambda: s3.head_object(Bucket="exports", Key="orders.csv")),
            (
                "no key to copy",
                "source_missing",
                lambda: s3.copy_object(Bucket="exports", Key="b", CopySource="exports/z"),
            ),
            ("bucket name", "code_error", lambda: s3.create_bucket(Bucket="Not A Name")),
            (
                "bucket exists",
                "config_error",
                lambda: client("s3", region_name="eu-west-1").create_bucket(
                    Bucket="exports", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
                ),
            ),
            ("range", "code_error", lambda: s3.get_object(Bucket="exports", Key="a", Range="bytes=500-600")),
            ("unknown argument", "code_error", lambda: s3.get_object(Bucket="exports", Keys="a")),
            ("missing argument", "code_error", lambda: s3.get_object(Bucket="exports")),
            ("no table", "config_error", lambda: tables.get_item(TableName="missing", Key=one)),
            ("table exists", "config_error", lambda: tables.create_table(**table)),
            (
                "condition",
                "key_violation",
                lambda: tables.put_item(TableName="kpis", Item=one, ConditionExpression="attribute_not_exists(k)"),
            ),
            ("key missing", "data_invalid", lambda: tables.put_item(TableName="kpis", Item={"z": {"S": "a"}})),
            ("expression", "data_invalid", lambda: tables.scan(TableName="kpis", FilterExpression="k ==")),
            ("no queue", "config_error", lambda: queues.get_queue_url(QueueName="missing")),
            (
                "no topic",
                "config_error",
                lambda: topics.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:missing", Message="x"),
            ),
            (
                "empty message",
                "code_error",
                lambda: topics.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:m", Message="x" * 300_000),
            ),
            ("no secret", "config_error", lambda: client("secretsmanager").get_secret_value(SecretId="missing")),
            ("no parameter", "config_error", lambda: client("ssm").get_parameter(Name="missing")),
            (
                "no events",
                "code_error",
                lambda: client("logs").put_log_events(logGroupName="m", logStreamName="s", logEvents=[]),
            ),
            ("no function", "config_error", lambda: client("lambda").invoke(FunctionName="missing")),
            (
                "no state machine",
                "config_error",
                lambda: client("stepfunctions").describe_execution(
                    executionArn="arn:aws:states:us-east-1:123456789012:execution:m:x"
                ),
            ),
            ("no cluster", "config_error", lambda: client("redshift").describe_clusters(ClusterIdentifier="missing")),
            ("no service", "config_error", lambda: client("nosuchservice")),
            ("no region", "config_error", lambda: boto3.client("s3", region_name="not a region")),
            ("no profile", "config_error", lambda: boto3.Session(profile_name="missing")),
            ("no keys", "config_error", without_keys),
            ("half of the keys", "config_error", partial),
            ("operation", "code_error", lambda: s3.get_objekt()),
            ("waiter", "code_error", lambda: s3.get_waiter("never")),
            ("refused", "connection_failure", lambda: client("s3", **nowhere).list_buckets()),
            ("refused table", "connection_failure", lambda: client("dynamodb", **nowhere).list_tables()),
            ("endpoint", "config_error", lambda: client("s3", endpoint_url="not a url")),
        ]
        answers: tuple[tuple[str, int, FailureClass], ...] = (
            ("ThrottlingException", 400, "resource_exhausted"),
            ("ProvisionedThroughputExceededException", 400, "resource_exhausted"),
            ("SlowDown", 503, "resource_exhausted"),
            ("AccessDenied", 403, "config_error"),
            ("ExpiredToken", 400, "config_error"),
            ("InvalidAccessKeyId", 403, "config_error"),
            ("SignatureDoesNotMatch", 403, "config_error"),
            ("InternalError", 500, "connection_failure"),
            ("ServiceUnavailable", 503, "connection_failure"),
            ("RequestTimeout", 400, "timeout"),
            ("SomethingNew", 503, "connection_failure"),
            ("SomethingElse", 429, "resource_exhausted"),
        )
        for code, status, expected in answers:
            found.append((f"answer {code}", expected, _answered(client, code, status)))
        yield found


def _answered(client: Callable[..., Any], code: str, status: int) -> Callable[[], object]:
    """The service's answer goes through botocore's own parser."""

    def call() -> object:
        from botocore.awsrequest import AWSResponse

        made = client("dynamodb")
        body = f'{{"__type": "com.amazonaws#{code}", "message": "the service says so"}}'.encode()

        class Raw:
            def stream(self, *_: object, **__: object) -> Iterator[bytes]:
                yield body

            def read(self, *_: object) -> bytes:
                return body

        made.meta.events.register_first("before-send", lambda **_: AWSResponse("http://x", status, {}, Raw()))
        return made.list_tables()

    return call


@contextmanager
def _without(*names: str) -> Iterator[None]:
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
