"""Each step of a runbook is run where its failure has happened, and shows what its text promises.

The failures of the shop and of the platform happen in one home here. The steps of the other runbooks are followed where
their homes are made: tests/streaming, tests/insurance, tests/investor, test_marketing_chain.py.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from ops_project import catalog
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import Notification
from ops_project.operations.incidents.runbooks import read, slugs
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.queueing import queue
from ops_project.pipeline.learning import tables
from ops_project.pipeline.warehouse import connection, snapshots
from ops_project.settings import CONFIG_DIR, Settings
from tests.scenarios import homes, runbooks

pytestmark = pytest.mark.xdist_group("runs")
TESTS = Path(__file__).parents[1]
FAULTS = (
    "missing_column:orders",
    "duplicate_delivery:customers",
    "missing:products",
    "duplicate_key:web_events",
    "negative_amount:order_items",
    "undecodable:exchange_rates",
)
# Two days later, everything that nobody has repaired is stale and past its deadline.
LATER = homes.NOW + timedelta(hours=52)
# No file can cause these failures, so they are given as their observer reports them.
REPORTED: dict[str, dict[str, object]] = {
    "orchestrator.down": {},
    "backup.failed": {"check": "/mnt/backup/ops", "message": "gold.daily_revenue differs"},
    "resource.disk_percent": {"check": "the disk of the archive", "value": 97.0},
    "serving.throttled_requests": {"pipeline": "streaming_pipeline", "domain": "streaming", "value": 20.0},
    "asset.failure": {
        "asset": "bronze/transactions",
        "domain": "investor",
        "failure_class": "connection_failure",
        "message": "could not connect to server",
    },
}


@pytest.fixture(scope="module")
def broken(waiting: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Six faults of files and one run; then the failures of the platform, and a cycle that reports all of them."""
    settings = homes.copy(waiting, tmp_path_factory.mktemp("runbooks") / "home")
    words = [word for fault in FAULTS for word in ("--fault", fault)]
    ended = homes.ops(settings, "simulate", "--domain", "ecommerce", *words).wait()
    assert ended.code == 0, ended.output + ended.errors
    homes.ops(settings, "run", "--domain", "ecommerce").wait()
    _unhealthy_model(settings)
    damaged = next(path for path in settings.archive.rglob("*customers_*.csv"))
    damaged.write_bytes(damaged.read_bytes() + b"\n")
    assert homes.ops(settings, "archive", "verify", "--feed", "customers").wait().code == 1
    later = Settings(home=settings.home, as_of=LATER)
    with Ledger.open(later.ledger_url) as ledger:
        ledger.append([_reported(kind, **fields) for kind, fields in REPORTED.items()], now=LATER)
    assert homes.ops(replace(later, overlay=_both_on_leave(settings.home.parent)), "cycle").wait().code == 0
    _message_that_waits(later)
    return later


def _both_on_leave(folder: Path) -> Path:
    """A configuration in which the person on call next week and the backup are both away, so that the rota has a gap."""
    owners = yaml.safe_load((CONFIG_DIR / "owners.yaml").read_text(encoding="utf-8"))
    for person in ("engineer-b", "engineer-d"):
        owners["people"][person]["absences"] = [{"first": "2026-03-10", "last": "2026-03-12", "why": "leave"}]
    overlay = folder / "on leave"
    overlay.mkdir()
    (overlay / "owners.yaml").write_text(yaml.safe_dump(owners), encoding="utf-8")
    return overlay


def _reported(kind: str, value: float = 1.0, **fields: object) -> Signal:
    reading = Signal(
        kind=kind,
        state=FIRING,
        event_at=LATER,
        observed_at=LATER,
        occurrence=f"story {kind}",
        value=value,
        owners=("team:infrastructure",),
    )
    for name, given in fields.items():
        object.__setattr__(reading, name, given)
    return reading


def _message_that_waits(settings: Settings) -> None:
    """A message that a mail server refused for the moment."""
    waiting = Notification(
        key="story",
        kind="alert",
        receiver="data-team",
        channel="data-team/0-email",
        recipient="data-team@example.com",
        severity="high",
        reason=AlertReason.ROUTED,
        created_at=LATER,
        payload={},
    )
    with Ledger.open(settings.ledger_url) as ledger:
        with ledger.write() as transaction:
            assert queue(transaction, [waiting]) == 1
        (message,) = ledger.due(LATER)
        assert ledger.claim(message.id, LATER)
        assert ledger.failed(message.id, LATER, "452 mailbox full", retry_at=LATER + timedelta(minutes=1))


def _unhealthy_model(settings: Settings) -> None:
    """The findings that a nightly scoring leaves for a model whose input has drifted, in a snapshot."""
    platform = catalog.load(settings).platform
    with connection.writer(settings, platform, owner="a scoring", now=homes.NOW) as held:
        warehouse = held.connection()
        tables.ensure(warehouse)
        for number in range(600):
            warehouse.execute(
                "insert into gold.customer_churn_predictions by name select ? as customer_id, 0.9 as churn_probability,"
                " 'High' as churn_risk, '' as reasons, 14 as horizon_days, date '2026-03-03' as data_date,"
                " '1' as model_version, ?::timestamp as predicted_at",
                [f"C{number}", homes.NOW.replace(tzinfo=None)],
            )
        warehouse.execute(
            "insert into ops.model_health by name select 'churn' as model, ?::timestamp as as_of, 'r' as run_id,"
            " 'input_drift' as metric, 0.4 as value, 'failed' as status, 'views_14 has moved' as detail",
            [homes.NOW.replace(tzinfo=None)],
        )
        warehouse.execute(
            "insert into ops.model_trainings by name select 'churn' as model, ?::timestamp as as_of, 'r' as run_id,"
            " false as promoted, 'not_better' as reason, 'no better' as message, '1' as code_version, '{}' as metrics,"
            " '{}' as facts",
            [homes.NOW.replace(tzinfo=None)],
        )
        snapshots.take(held, run_id="story", as_of=homes.NOW, commit="story")


@pytest.mark.parametrize("failure", sorted(runbooks.OF_THE_SHOP))
def test_the_steps_run_and_show_what_they_promise(broken: Settings, failure: str) -> None:
    runbooks.follow(broken, failure, runbooks.OF_THE_SHOP[failure])


def test_a_backup_that_failed_its_proof_is_looked_for_in_its_store(broken: Settings, tmp_path: Path) -> None:
    overlay, store = tmp_path / "overlay", tmp_path / "store"
    overlay.mkdir()
    store.mkdir()
    shipped = (CONFIG_DIR / "platform.yaml").read_text(encoding="utf-8")
    (overlay / "platform.yaml").write_text(f"{shipped}\nbackups: {{destination: {store}}}\n")
    runbooks.follow(replace(broken, overlay=overlay), "backup_failed", "backup_failed")


def test_a_lost_ledger_is_examined_without_it(broken: Settings, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("snapshots", "published"):
        (home / name).symlink_to(broken.home / name)
    (home / "ledger").mkdir()
    (home / "ledger" / "ledger.db").write_bytes(b"no database" * 1000)
    runbooks.follow(Settings(home=home, as_of=LATER), "ledger_lost", "")


def test_every_step_of_every_runbook_has_a_failure_that_some_test_follows(tmp_path: Path) -> None:
    loaded = catalog.load(Settings.load(home=tmp_path, environ={}))
    shown = {
        (slug, step)
        for stories in runbooks.STORIES.values()
        for slug, steps in stories.items()
        for step, words in steps.items()
        if words is not None
    }
    wanted = {(slug, step.number) for slug in slugs(loaded) for step in read(loaded, slug).steps if step.commands}
    assert shown == wanted
    sources = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    unfollowed = [
        failure
        for failure in runbooks.STORIES
        if failure not in runbooks.OF_THE_SHOP and not re.search(rf'"{failure}', sources)
    ]
    assert unfollowed == []
