"""Errors of Dagster: steps that raise, and definitions that it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.operations.diagnosis.make_errors import Case


def cases() -> list[Case]:
    import dagster as dg

    def job(body: Callable[..., object], **config: Any) -> Callable[[], object]:
        def call() -> None:
            @dg.op(**config)  # type: ignore[untyped-decorator]  # its options are those of the case
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
        ("bad tag", "code_error", lambda: dg.asset(tags={"a b": "c d"})(lambda: None)),
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
