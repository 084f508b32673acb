"""Operations over a Dagster project that is not ours: who is told, of what, and when it is over."""

from __future__ import annotations

import json
import logging
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.catalog import ConfigError
from ops_project.dagster_bridge.ticks import last_due, next_due, schedules_of
from ops_project.defs.any_project import with_operations
from ops_project.lineage import Lineage
from ops_project.operations.alerting.cycle import down_signal, run_once
from ops_project.operations.alerting.dagster.events import SHOWN_CHECK
from ops_project.settings import SettingsError
from tests.defs import bookshop
from tests.defs.watched_shop import Bookshop


def test_a_broken_asset_is_told_to_its_own_owners_with_what_depends_on_it_and_ends_when_it_is_built(
    shop: Bookshop,
) -> None:
    bookshop.BROKEN.add("titles")
    shop.run()
    shop.cycle()
    alert = shop.open()["titles was not built"]
    assert alert.owners == ("team:intake", "ines@books.example")
    assert alert.labels["domain"] == "intake"
    payload = next(
        json.loads(line)
        for line in (shop.settings.home / "alerts" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    )["alerts"][0]
    assert payload["blast_radius"]["assets"] == ["board", "mart/daily/turnover"]
    assert payload["runbook"] == "infrastructure"  # the runbook of the failure class: the connection was refused
    assert {who for who, what, _ in shop.told() if what == "titles was not built"} == set(alert.owners)
    (incident,) = shop.ledger.incidents()
    assert (incident.status, incident.priority) == ("triggered", "P2")

    bookshop.BROKEN.clear()
    shop.run()
    shop.cycle(timedelta(minutes=1))
    shop.cycle(timedelta(minutes=40))
    assert shop.open() == {}
    assert ("team:intake", "titles was not built", "resolved") in shop.told()
    assert [item.status for item in shop.ledger.incidents()] == ["resolved"]


def test_nothing_is_said_about_pipelines_that_are_not_there(shop: Bookshop) -> None:
    shop.run()
    shop.cycle()
    shop.cycle(timedelta(days=2))
    assert shop.open() == {}
    assert set(shop.lineage.assets) == {"titles", "tills", "mart/daily/turnover", "board", "catalogue"}
    loaded = catalog.load(shop.settings)
    assert not (loaded.domain_ids() or loaded.feeds or loaded.slas.slas or loaded.owners.people or loaded.owners.teams)
    names = {key.name for key in shop.definitions.resolve_asset_graph().asset_check_keys}
    assert SHOWN_CHECK not in names


def test_failed_checks_become_alerts_of_the_owners_of_their_asset(shop: Bookshop) -> None:
    bookshop.BROKEN |= {"turnover_is_usual"}
    shop.run()
    bookshop.BROKEN |= {"titles_have_names"}
    shop.run()
    shop.cycle()
    found = {summary: (alert.severity, alert.owners) for summary, alert in shop.open().items()}
    assert found["Check turnover_is_usual of mart/daily/turnover warns"] == ("medium", ("team:sales",))
    assert found["Check titles_have_names of titles failed"] == ("high", ("team:intake", "ines@books.example"))


@pytest.mark.parametrize(
    ("kind", "facts", "summary", "owners"),
    [
        ("schedule.tick_missed", {"check": "at_night"}, "at_night did not start when it should", "intake"),
        ("schedule.tick_missed", {"check": "twice"}, "twice did not start when it should", "team:stock"),
        ("schedule.tick_failure", {"check": "parcels"}, "The tick of parcels failed", "intake"),
        ("schedule.tick_failure", {"check": "doors"}, "The tick of doors failed", "team:doors"),
        ("run.stuck", {"pipeline": "count"}, "Run of count makes no progress", "team:stock"),
        ("run.stuck", {"pipeline": "nightly"}, "Run of nightly makes no progress", "intake"),
    ],
)
def test_an_alert_about_no_asset_has_the_owners_of_the_job_or_of_what_it_builds(
    shop: Bookshop, kind: str, facts: dict[str, str], summary: str, owners: str
) -> None:
    shop.signal(kind, **facts)
    run_once(shop.settings, catalog.load(shop.settings), datetime.now(UTC), lineage=shop.lineage, observers=())
    built = ("team:sales", "team:intake", "ines@books.example")
    assert shop.open()[summary].owners == (built if owners == "intake" else (owners,))


def test_the_owners_of_jobs_are_kept_in_the_ledger(shop: Bookshop) -> None:
    assert Lineage.parse(json.loads(json.dumps(shop.lineage.dump()))) == shop.lineage
    assert Lineage().joined(shop.lineage) == shop.lineage


def test_a_schedule_with_several_crons_is_expected_at_each_of_them() -> None:
    schedule = schedules_of(bookshop.definitions().get_repository_def())["twice"]
    noon = datetime(2026, 11, 27, 12, tzinfo=UTC)
    assert last_due(schedule, noon) == datetime(2026, 11, 27, 6, tzinfo=UTC)
    assert next_due(schedule, noon) == datetime(2026, 11, 27, 18, 30, tzinfo=UTC)


def test_the_folder_of_yaml_adds_people_and_the_asset_still_says_who_owns_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bookshop, "BROKEN", {"titles"})
    files = {
        "owners.d/shop.yaml": """
people:
  ida: {name: Ida, email: ida@books.example}
  max: {name: Max, email: max@books.example}
teams:
  intake: {name: Intake, email: intake@books.example, members: [ida]}
  desk: {name: Desk, email: desk@books.example, members: [max]}
""",
        "domains.d/shop.yaml": "domains: {intake: {title: Intake, owners: [team:desk], tier: 1}}",
        "receivers.d/shop.yaml": "receivers: {mail: {title: Mail, channels: [{type: email, to: owners}]}}",
        "routes.d/shop.yaml": "route: {routes: [{receiver: mail, matchers: ['domain=\"intake\"'], continue: true}]}",
    }
    for name, text in files.items():
        (tmp_path / "config" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "config" / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("OPS_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("OPS_SMTP_PORT", "9")
    monkeypatch.setenv("OPS_SMTP_FROM", "ops@books.example")
    shop = Bookshop(tmp_path, tmp_path / "config")
    shop.run(**{"dagster/schedule_name": "at_night"})
    shop.cycle()
    addressed = {(row["channel"], row["recipient"]) for row in shop.ledger.outbox_list(None, 100)}
    mails = {recipient for channel, recipient in addressed if channel == "mail/0-email"}
    assert mails == {"intake@books.example", "ines@books.example"}
    # A route that continues does not take the alert away from its owners, whatever its severity.
    told = {who for who, what, _ in shop.told() if what == "titles was not built"}
    assert {"team:intake", "ines@books.example"} <= told
    # The page goes to the first person of the asset's own team, and not to the owner of its domain.
    assert ("on-call/0-file", "ida") in addressed
    assert not any("max" in recipient or "desk" in recipient for _, recipient in addressed)
    shop.instance.dispose()


def test_an_owner_without_an_address_gets_no_mail(shop: Bookshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("OPS_SMTP_PORT", "9")
    monkeypatch.setenv("OPS_SMTP_FROM", "ops@books.example")
    bookshop.BROKEN.add("titles")
    shop.run()
    shop.cycle()
    mails = {row["recipient"] for row in shop.ledger.outbox_list(None, 100) if "email" in row["channel"]}
    assert mails == {"ines@books.example"}


def test_the_sensors_are_added_and_nothing_else_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv("OPS_HOME", raising=False)
    before = bookshop.definitions()
    after = with_operations(before)
    assert {sensor.name for sensor in after.sensors or ()} == {"parcels", "doors", "alert_cycle", "run_failure_alerts"}
    assert after.resolve_asset_graph().asset_check_keys == before.resolve_asset_graph().asset_check_keys
    assert [job.name for job in after.jobs or ()] == [job.name for job in before.jobs or ()]
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_in_the_folder_of_yaml_is_told_when_the_definitions_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    (tmp_path / "config" / "feeds").mkdir(parents=True)
    (tmp_path / "config" / "feeds" / "shop.yaml").write_text("domain: shop\nfeeds: {}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"feeds/shop\.yaml:1: nothing reads this file"):
        with_operations(bookshop.definitions(), config=tmp_path / "config")


def test_a_mistake_is_told_without_our_own_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster prints the trace below the words, and a long trace hides the words."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.delenv("OPS_CONFIG", raising=False)
    folder = tmp_path / "config"
    said = []

    def told(config: Path | None) -> str:
        with pytest.raises((ConfigError, SettingsError)) as raised:
            with_operations(bookshop.definitions(), config=config)
        assert [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)] == ["told", "with_operations"]
        assert raised.value.__cause__ is None and raised.value.__suppress_context__
        said.append(traceback.format_exception(raised.value)[-1])
        return str(raised.value)

    assert told(folder) == f"configuration folder {folder} does not exist; config= takes a folder"
    folder.write_text("", encoding="utf-8")
    assert told(folder) == f"configuration folder {folder} is not a folder; config= takes a folder"
    monkeypatch.setenv("OPS_CONFIG", str(folder))
    assert told(None) == f"configuration folder {folder} is not a folder; OPS_CONFIG takes a folder"
    folder.unlink()
    (folder / "owners.d").mkdir(parents=True)
    file = folder / "owners.d" / "shop.yaml"
    file.write_text("people:\n  ida: {name: Ida, email: ida@books.example, manger: ida}\n", encoding="utf-8")
    words = f"{file}:2: unknown key 'manger' in people.ida; valid: absences, email, manager,"
    assert told(folder).startswith(words) and "\n" not in str(said[-1]).rstrip()
    assert words in said[-1]


def test_an_owner_whom_the_folder_does_not_know_is_told_when_the_definitions_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    (tmp_path / "config" / "owners.d").mkdir(parents=True)
    file = tmp_path / "config" / "owners.d" / "shop.yaml"
    file.write_text(
        """
people: {desk: {name: Desk, email: desk@books.example}}
teams:
  intakes: {name: Intake, email: intake@books.example, members: [desk]}
  sales: {name: Sales, email: sales@books.example, members: [desk]}
  stock: {name: Stock, email: stock@books.example, members: [desk]}
  doors: {name: Doors, email: doors@books.example, members: [desk]}
""",
        encoding="utf-8",
    )
    monkeypatch.setattr(logging.getLogger("dagster"), "propagate", True)
    with_operations(bookshop.definitions(), config=tmp_path / "config")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            "owner team:intake: owners.yaml does not know it (did you mean team:intakes?), so no mail and no page reaches"
            " it; `ops owners lint` shows all of them",
        )
    ]


def test_a_promise_about_an_asset_that_no_step_builds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    files = {
        "domains.d/shop.yaml": "domains: {sales: {title: Sales, owners: [desk]}}",
        "owners.d/shop.yaml": "people: {desk: {name: Desk, email: desk@books.example}}",
        "slas.d/shop.yaml": "slas: {s: {title: S, domain: sales, pipeline: nightly, assets: [catalogue], deadline: '08:00'}}",
    }
    for name, text in files.items():
        (tmp_path / "config" / name).parent.mkdir(parents=True)
        (tmp_path / "config" / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="asset 'catalogue' does not exist"):
        with_operations(bookshop.definitions(), config=tmp_path / "config")


def test_a_daemon_that_is_down_is_told_to_the_owner_of_what_has_no_owner(shop: Bookshop, tmp_path: Path) -> None:
    """The signal used to name a team of this project, which no other project has."""
    (tmp_path / "config" / "owners.d").mkdir(parents=True)
    people = "people: {desk: {name: Desk, email: desk@books.example}}\notherwise: desk\n"
    (tmp_path / "config" / "owners.d" / "shop.yaml").write_text(people, encoding="utf-8")
    settings = replace(shop.settings, overlay=tmp_path / "config")
    now = datetime.now(UTC)
    shop.ledger.append([down_signal(True, now, "no cycle has ended")], now=now)
    run_once(settings, catalog.load(settings), now, lineage=shop.lineage, observers=())
    (alert,) = shop.open().values()
    assert (alert.rule, alert.owners) == ("orchestrator_down", ("desk@books.example",))
