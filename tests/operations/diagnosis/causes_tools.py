"""Errors of cloud services (boto3 against moto), PostgreSQL, dbt and Dagster."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ops_project.model.failure_class import FailureClass
from tests import postgres
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
        for code, status, expected in (
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
        ):
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


@contextmanager
def postgresql(folder: Path) -> Iterator[list[Case]]:
    import psycopg2
    from sqlalchemy import create_engine, text

    if postgres.binaries() is None:
        yield []
        return
    folder.mkdir(parents=True)
    with postgres.running(folder) as url:
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "create table orders (id int primary key, amount numeric(6, 2) check (amount > 0), email text unique,"
                " at date not null default now());"
                "create table lines (id int, order_id int references orders);"
                "insert into orders values (1, 5, 'a'); insert into lines values (1, 1);"
                "create role reader login; create table timeouts (a int);"
            )

        def ask(sql: str, name: str = "postgres", user: str = "postgres") -> Callable[[], object]:
            def call() -> None:
                made = psycopg2.connect(url.replace("/postgres", f"/{name}").replace("//postgres@", f"//{user}@"))
                try:
                    with made.cursor() as cursor:
                        for part in sql.split(" ;; "):
                            cursor.execute(part)
                finally:
                    made.close()

            return call

        def alchemy(sql: str) -> Callable[[], object]:
            def call() -> None:
                engine = create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
                try:
                    with engine.connect() as wrapped:
                        wrapped.execute(text(sql))
                finally:
                    engine.dispose()

            return call

        def deadlock() -> None:
            one, two = psycopg2.connect(url), psycopg2.connect(url)
            first, second = one.cursor(), two.cursor()
            first.execute("insert into timeouts values (1); lock table orders")
            second.execute("lock table lines")
            failed: list[BaseException] = []

            def wait() -> None:
                try:
                    first.execute("lock table lines")
                except psycopg2.Error as error:
                    failed.append(error)

            waiting = threading.Thread(target=wait)
            waiting.start()
            try:
                second.execute("lock table orders")
            except psycopg2.Error as error:
                failed.append(error)
            finally:
                two.close()
                waiting.join()
                one.close()
            raise failed[0]

        def serialization() -> None:
            one, two = psycopg2.connect(url), psycopg2.connect(url)
            try:
                for each in (one, two):
                    each.set_session(isolation_level="SERIALIZABLE")
                first, second = one.cursor(), two.cursor()
                for cursor in (first, second):
                    cursor.execute("select amount from orders where id = 1")
                first.execute("update orders set amount = 6 where id = 1")
                one.commit()
                second.execute("update orders set amount = 7 where id = 1")
            finally:
                one.close()
                two.close()

        def ended() -> None:
            one = psycopg2.connect(url)
            with psycopg2.connect(url) as other, other.cursor() as cursor:
                cursor.execute("select pg_terminate_backend(%s)", (one.get_backend_pid(),))
            one.cursor().execute("select 1")

        def closed() -> None:
            one = psycopg2.connect(url)
            one.close()
            one.cursor()

        asked: list[tuple[FailureClass, list[str]]] = [
            (
                "schema_mismatch",
                [
                    "select amonut from orders",
                    "select * from order_lines",
                    "select * from silver.orders",
                    "insert into orders (id, price) values (3, 3)",
                    "update orders set connection_refused = 1",
                    "select amount from orders where id = 'x'::text",
                    "alter table orders drop column nothing",
                    "insert into timeouts values ('a'::text)",
                ],
            ),
            ("key_violation", ["insert into orders values (1, 1, 'b')", "insert into orders values (2, 1, 'a')"]),
            ("reference_violation", ["insert into lines values (2, 404)", "delete from orders where id = 1"]),
            (
                "data_invalid",
                [
                    "insert into orders values (4, -1, 'd')",
                    "insert into orders values (5, 1, 'e', null)",
                    "insert into orders values (6, 123456, 'f')",
                    "select 'x'::int",
                    "select '2026-02-30'::date",
                    "select 1 / 0",
                    "select 99999999999::int",
                    "select 'abc'::char(2)::varchar(1) || '{x'::json",
                    "select to_date('x', 'YYYY')",
                    "select '\\xzz'::bytea",
                    "select convert_from('\\xff'::bytea, 'utf8')",
                    "select array[1,2]::int[] || 'x'::int[]",
                ],
            ),
            (
                "code_error",
                [
                    "selec 1",
                    "select * from orders where",
                    "select nothing(1)",
                    "select sum(amount), id from orders",
                    "create table orders (a int)",
                    "select id from orders, lines",
                    "select 1 union select 'a'::text",
                    "select count(count(*)) from orders",
                    "rollback to nowhere",
                    "select 'a' + 1::text",
                    "insert into orders values (1, 2, 3, now(), 5)",
                    "begin ;; select 1/0e0 ;; select 1",
                ],
            ),
            (
                "timeout",
                [
                    "set statement_timeout = 50 ;; select pg_sleep(2)",
                    "set statement_timeout = '30ms' ;; select count(*) from generate_series(1, 9000000)",
                ],
            ),
            (
                "config_error",
                [
                    "set session characteristics as transaction read only ;; commit ;; insert into timeouts values (1)",
                    "set default_transaction_read_only = on ;; commit ;; create table t (a int)",
                    "set no_such_setting_here = 1 ;; set role nobody_known",
                    "create database d template nothing",
                ],
            ),
        ]
        found: list[Case] = [(sql[:60], expected, ask(sql)) for expected, statements in asked for sql in statements]
        found += [
            (f"{sql[:50]} (SQLAlchemy)", expected, alchemy(sql))
            for expected, statements in asked
            for sql in statements[::4]
            if ";;" not in sql and ":" not in sql
        ]
        found += [
            ("deadlock", "lock_contention", deadlock),
            ("serialization", "lock_contention", serialization),
            ("nowait", "lock_contention", _nowait(url)),
            ("ended by an administrator", "connection_failure", ended),
            ("closed", "connection_failure", closed),
            ("no database", "config_error", ask("select 1", name="nowhere")),
            ("no role", "config_error", ask("select 1", user="nobody_known")),
            ("not permitted", "config_error", ask("select * from orders", user="reader")),
            ("not permitted to create", "config_error", ask("create schema s", user="reader")),
            ("refused", "connection_failure", lambda: psycopg2.connect("postgresql://postgres@127.0.0.1:1/x")),
            ("no socket", "connection_failure", lambda: psycopg2.connect("host=/nowhere dbname=x")),
            ("bad option", "config_error", lambda: psycopg2.connect("hostt=x")),
            ("bad port", "config_error", lambda: psycopg2.connect("host=x port=abc")),
            (
                "refused (SQLAlchemy)",
                "connection_failure",
                lambda: create_engine("postgresql+psycopg2://postgres@127.0.0.1:1/x").connect(),
            ),
        ]
        yield found


def _nowait(url: str) -> Callable[[], object]:
    def call() -> None:
        import psycopg2

        one, two = psycopg2.connect(url), psycopg2.connect(url)
        try:
            one.cursor().execute("lock table orders")
            two.cursor().execute("lock table orders nowait")
        finally:
            one.close()
            two.close()

    return call


class _Said(Exception):
    """What dbt says of a node; the name stays out of the text."""


MODELS: dict[str, tuple[FailureClass, str]] = {
    "stg_orders": ("schema_mismatch", "select missing_column from {{ ref('base') }}"),
    "stg_timeouts": ("schema_mismatch", "select * from not_there"),
    "retry_429": ("data_invalid", "select cast('x' as integer) as a"),
    "dates": ("data_invalid", "select '2026-02-30'::date as a"),
    "fact_full": ("data_invalid", "select 300::tinyint as a"),
    "broken": ("code_error", "selec 1"),
    "no_function": ("code_error", "select nothing(a) from {{ ref('base') }}"),
    "grouped": ("code_error", "select a, sum(a) from {{ ref('base') }}"),
    "from_file": ("source_missing", "select * from read_csv('/nowhere/orders.csv')"),
    "from_glob": ("source_missing", "select * from read_parquet('/nowhere/*.parquet')"),
    "macro": ("code_error", "{{ exceptions.raise_compiler_error('this cannot be') }}"),
    "undefined": ("code_error", "select {{ no_such_thing() }}"),
    "attribute": ("code_error", "select {{ model.nothing.here }}"),
    "divided": ("code_error", "select {{ 1 / 0 }}"),
    "memory": ("resource_exhausted", "select list(a.range) as x from range(20000000) a"),
    "contracted": ("schema_mismatch", "select 'x' as a"),
    "contracted_extra": ("schema_mismatch", "select 1 as a, 2 as b"),
}
CONTRACT = "{name: %s, config: {contract: {enforced: true}}, columns: [{name: a, data_type: integer}]}"
PARSED: dict[str, tuple[FailureClass, str, str]] = {
    "unknown reference": ("code_error", "models/a.sql", "select * from {{ ref('nowhere') }}"),
    "unknown source": ("code_error", "models/a.sql", "select * from {{ source('raw', 'orders') }}"),
    "open tag": ("code_error", "models/a.sql", "select {{ 1"),
    "open block": ("code_error", "models/a.sql", "{% if true %} select 1"),
    "two of a name": ("code_error", "models/b/base.sql", "select 1 as a"),
    "yaml": ("code_error", "models/a.yml", "models: [\n"),
    "unknown test": (
        "code_error",
        "models/a.yml",
        "models: [{name: base, columns: [{name: a, data_tests: [no_such_test]}]}]",
    ),
    "variable": ("config_error", "models/a.sql", "select {{ var('no_such_variable') }}"),
    "environment": ("config_error", "models/a.sql", "select {{ env_var('NO_SUCH_SETTING_HERE') }}"),
    "profile": ("config_error", "dbt_project.yml", "name: p\nprofile: missing\n"),
    "no name": ("config_error", "dbt_project.yml", "profile: p\n"),
    "project yaml": ("config_error", "dbt_project.yml", "name: [\n"),
    "profiles yaml": ("config_error", "profiles.yml", "p: {target: x, outputs: {}}\n"),
    "adapter": ("config_error", "profiles.yml", "p: {target: d, outputs: {d: {type: nosuch}}}\n"),
}


def dbt_cases(folder: Path) -> list[Case]:
    from dbt.cli.main import dbtRunner

    def project(name: str) -> Path:
        made = folder / name.replace(" ", "_")
        (made / "models" / "b").mkdir(parents=True)
        (made / "dbt_project.yml").write_text("name: p\nprofile: p\n", encoding="utf-8")
        outputs = f"{{type: duckdb, path: '{made}/x.duckdb', threads: 1, settings: {{memory_limit: 60MB, max_temp_directory_size: 0KB}}}}"
        (made / "profiles.yml").write_text(f"p: {{target: d, outputs: {{d: {outputs}}}}}\n", encoding="utf-8")
        (made / "models" / "base.sql").write_text("select 1 as a", encoding="utf-8")
        return made

    def run(made: Path, command: str) -> Any:
        quiet = ["--log-level", "none", "--log-level-file", "none", "--no-print", "--no-send-anonymous-usage-stats"]
        where = ["--project-dir", str(made), "--profiles-dir", str(made)]
        return dbtRunner().invoke([*quiet, command, *where])

    built = project("models of all kinds")
    for name, (_, sql) in MODELS.items():
        (built / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
    contracts = ", ".join(CONTRACT % name for name in MODELS if name.startswith("contracted"))
    (built / "models" / "models.yml").write_text(f"models: [{contracts}]\n", encoding="utf-8")
    answered = run(built, "run")
    results = {item.node.name: item.message for item in getattr(answered.result, "results", ())}

    def said(name: str) -> Callable[[], object]:
        def call() -> None:
            if results.get(name) and "OK" not in str(results[name]):
                raise _Said(results[name])

        return call

    def parsed(name: str, file: str, content: str) -> Callable[[], object]:
        def call() -> None:
            made = project(name)
            (made / file).write_text(content, encoding="utf-8")
            found = run(made, "compile")
            if found.exception is not None:
                raise found.exception
            for item in getattr(found.result, "results", ()):
                if str(item.status) == "error":
                    raise _Said(item.message)

        return call

    return [
        *((name, expected, said(name)) for name, (expected, _) in MODELS.items()),
        *((name, expected, parsed(name, file, content)) for name, (expected, file, content) in PARSED.items()),
    ]


def dagster_cases() -> list[Case]:
    import dagster as dg

    def job(body: Callable[..., object], **config: Any) -> Callable[[], object]:
        def call() -> None:
            @dg.op(**config)
            def step() -> object:
                return body()

            @dg.job
            def made() -> None:
                step()

            with dg.DagsterInstance.ephemeral() as instance, _quiet():
                made.execute_in_process(instance=instance)

        return call

    def configured(run_config: Any) -> Callable[[], object]:
        def call() -> None:
            @dg.op(config_schema={"day": str})
            def step() -> None: ...

            @dg.job
            def made() -> None:
                step()

            made.execute_in_process(run_config=run_config)

        return call

    def definitions(**parts: Any) -> Callable[[], object]:
        return lambda: dg.Definitions(**parts).get_repository_def()

    def raising(error: BaseException) -> Callable[[], object]:
        def body() -> None:
            raise error

        return body

    def write_full() -> None:
        with open("/dev/full", "wb", buffering=0) as device:
            device.write(b"x")

    @dg.asset
    def one() -> None: ...

    @dg.asset(required_resource_keys={"warehouse"})
    def needs() -> None: ...

    return [
        ("step: full", "storage_full", job(write_full)),
        ("step: zero", "code_error", job(lambda: 1 / 0)),
        ("step: refused", "connection_failure", job(raising(ConnectionRefusedError(111, "Connection refused")))),
        ("step: file", "source_missing", job(lambda: Path("/nowhere/orders.csv").read_text())),
        ("step: type", "data_invalid", job(lambda: "text", out=dg.Out(int))),
        ("no config", "config_error", configured({})),
        ("wrong config", "config_error", configured({"ops": {"step": {"config": {"day": 5}}}})),
        ("unknown config", "config_error", configured({"ops": {"stepp": {}}})),
        ("two of a name", "code_error", definitions(assets=[one, one])),
        ("no resource", "code_error", definitions(assets=[needs])),
        ("bad name", "code_error", lambda: dg.asset(name="a b")(lambda: None)),
        ("bad key", "code_error", lambda: dg.AssetKey([])),
        ("bad cron", "code_error", lambda: dg.ScheduleDefinition(job_name="a", cron_schedule="every day", name="s")),
        (
            "no job",
            "code_error",
            definitions(schedules=[dg.ScheduleDefinition(job_name="nowhere", cron_schedule="0 0 * * *", name="s")]),
        ),
        (
            "bad partition",
            "code_error",
            lambda: dg.DailyPartitionsDefinition("2026-01-01").time_window_for_partition_key("later"),
        ),
        ("bad tag", "code_error", lambda: dg.asset(tags={"a b": "c d"})(one.op.compute_fn.decorated_fn)),
        (
            "bad selection",
            "code_error",
            lambda: dg.define_asset_job("j", selection="nowhere").resolve(
                dg.Definitions(assets=[one]).get_repository_def().asset_graph
            ),
        ),
        ("bad owner", "code_error", lambda: dg.AssetSpec("a", owners=["nobody"])),
        ("no such asset", "code_error", lambda: dg.materialize([one], selection=["two"])),
        ("failure", "unknown", job(raising(dg.Failure("the vendor declined")))),
    ]


@contextmanager
def _quiet() -> Iterator[None]:
    import logging

    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with suppress(KeyError):
            yield
    finally:
        logging.disable(before)
