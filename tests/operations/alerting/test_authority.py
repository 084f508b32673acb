"""One authority decides. Another process beside it only observes, and a process in its place uses its configuration."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from types import SimpleNamespace

import pytest
import yaml
from click.testing import CliRunner
from dagster._daemon.controller import DagsterDaemonController

from ops_project import catalog
from ops_project.cli import cli, dagster_daemon
from ops_project.cli.stopping import record_end
from ops_project.dagster_bridge.dev import OURS
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting import authority
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers.observer import Observation, Observer
from ops_project.operations.alerting.watch import Watch
from ops_project.operations.ledger import open_ledger
from ops_project.process.processes import current
from ops_project.settings import CONFIG_DIR, Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FAILED = Signal(
    "run.failure",
    FIRING,
    NOW,
    NOW,
    "r1",
    1.0,
    pipeline="master_pipeline",
    labels={"scheduled": "true"},
    owners=("team:ecommerce-data",),
)


class Place:
    """A home, the daemon's overlay with a rule and a receiver of its own, and shells with and without it."""

    def __init__(self, folder) -> None:
        self.overlay = folder / "overlay"
        self.overlay.mkdir()
        rules = yaml.safe_load((CONFIG_DIR / "rules.yaml").read_text(encoding="utf-8"))
        rules["rules"]["acme_rule"] = {
            "title": "Acme failed",
            "severity": "high",
            "category": "data",
            "runbook": "models",
            "response": "Look at Acme.",
            "all": [{"metric": "run.failure", "match": ["pipeline=acme"]}],
        }
        self._write("rules.yaml", rules)
        receivers = yaml.safe_load((CONFIG_DIR / "receivers.yaml").read_text(encoding="utf-8"))
        receivers["receivers"]["acme"] = {"title": "Acme", "channels": [{"type": "file"}]}
        self._write("receivers.yaml", receivers)
        routes = yaml.safe_load((CONFIG_DIR / "routes.yaml").read_text(encoding="utf-8"))
        routes["route"]["routes"].insert(0, {"matchers": ["pipeline=acme"], "receiver": "acme", "continue": True})
        self._write("routes.yaml", routes)
        self.plain = Settings.load(home=folder / "home")
        self.theirs = replace(self.plain, overlay=self.overlay)
        self.ledger = open_ledger(self.plain)

    def _write(self, name: str, body) -> None:
        (self.overlay / name).write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")

    def cycle(self, settings, at, **options):
        return run_once(settings, catalog.load(settings), at, observers=options.pop("observers", ()), **options)

    def rules(self) -> set[str]:
        return {alert.rule for alert in self.ledger.alerts("open")}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("OPS_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("OPS_SMTP_PORT", "9")
    return Place(tmp_path)


def _acme(state=FIRING, at=NOW, **fields):
    return Signal("run.failure", state, at, at, fields.pop("occurrence", "a1"), 1.0, pipeline="acme", **fields)


def test_a_shell_beside_a_living_daemon_observes_and_decides_nothing(place):
    place.cycle(place.theirs, NOW, daemon=True)
    looks = []

    def look(view):
        looks.append(view.now)
        return Observation([FAILED])

    beside = [Observer("facts", look, anywhere=True), Observer("metrics of the configuration", look)]
    report = place.cycle(place.plain, NOW + MINUTE / 2, observers=beside)
    assert len(looks) == 1 and report.signals == 1
    assert "the daemon decides" in report.skipped and str(place.overlay) in report.skipped
    assert place.rules() == set()
    place.cycle(place.theirs, NOW + MINUTE, daemon=True)
    assert place.rules() == {"job_failure"}


def test_a_daemon_that_was_stopped_leaves_the_decision_to_the_next_command_at_once(place):
    """It used to be told 'the daemon decides' for a minute, and no alert was made."""
    place.cycle(place.theirs, NOW, daemon=True)
    assert place.cycle(place.plain, NOW + timedelta(seconds=5)).skipped
    authority.stopped(place.ledger, authority.DAEMON, NOW + timedelta(seconds=6))
    place.ledger.append([FAILED])
    report = place.cycle(place.plain, NOW + timedelta(seconds=10))
    assert report.skipped == "" and place.rules() == {"job_failure"}


def test_the_end_of_one_daemon_is_not_the_end_of_another_whose_clock_is_behind(place):
    place.cycle(place.theirs, NOW, daemon=True)
    authority.stopped(place.ledger, authority.DAEMON, NOW + timedelta(seconds=6))
    place.cycle(place.theirs, NOW - timedelta(seconds=30), daemon=True)
    assert "the daemon decides" in place.cycle(place.plain, NOW + timedelta(seconds=10)).skipped


def test_a_watcher_that_was_stopped_leaves_the_decision_too(place, monkeypatch):
    place.cycle(place.theirs, NOW, role=authority.WATCH)
    assert place.cycle(place.plain, NOW + timedelta(seconds=5)).skipped
    monkeypatch.setattr(Watch, "look", lambda *_: None)
    done = CliRunner().invoke(cli, ["--home", str(place.plain.home), "watch", "--looks", "1"])
    assert done.exit_code == 0, done.output
    assert place.cycle(place.plain, NOW + timedelta(seconds=10)).skipped == ""


def test_an_end_that_cannot_be_recorded_is_said_with_what_follows(tmp_path, capsys):
    settings = Settings(home=tmp_path / "home", as_of=NOW)
    (settings.home / "ledger" / "ledger.db").mkdir(parents=True)
    record_end(settings, authority.DAEMON)
    said = capsys.readouterr().err
    assert "was not recorded" in said and "ops cycle" in said and "Traceback" not in said


def test_a_daemon_that_begins_after_the_stop_decides_again(place):
    place.cycle(place.theirs, NOW, daemon=True)
    authority.stopped(place.ledger, authority.DAEMON, NOW + timedelta(seconds=6))
    place.cycle(place.theirs, NOW + timedelta(seconds=12), daemon=True)
    assert "the daemon decides" in place.cycle(place.plain, NOW + timedelta(seconds=20)).skipped


def test_a_shell_that_only_looks_knows_the_assets_of_the_deciding_configuration(place):
    """Without them, everything downstream of a failed asset of the overlay would count as failed itself."""
    shipped = AssetFacts("bronze/orders", owners=("team:ecommerce-data",))
    acme = [AssetFacts("bronze/acme"), AssetFacts("gold/acme", ("bronze/acme",), ("team:data-science",))]
    place.cycle(place.theirs, NOW, daemon=True, lineage=Lineage.of([shipped, *acme]))
    seen = []
    look = Observer("facts", lambda view: seen.append(view.lineage) or Observation(), anywhere=True)
    own = AssetFacts("silver/new_here")
    report = place.cycle(place.plain, NOW + MINUTE / 2, observers=[look], lineage=Lineage.of([shipped, own]))
    assert report.skipped
    [graph] = seen
    assert graph.ancestors("gold/acme") == {"bronze/acme"} and graph.get("gold/acme").owners == ("team:data-science",)
    assert "silver/new_here" in graph.assets


def test_a_shell_without_the_folder_stands_in_under_the_recorded_configuration(place):
    """It used to resolve the alerts of the overlay's rules for ever."""
    place.ledger.append([_acme()])
    place.cycle(place.theirs, NOW + MINUTE, daemon=True)
    assert "acme_rule" in place.rules()
    report = place.cycle(place.plain, NOW + timedelta(minutes=10), flush_now=True)
    assert report.skipped == "" and "recorded configuration" in report.decided_by
    assert "acme_rule" in place.rules() and report.resolved == []
    assert "dead" not in place.ledger.outbox_counts()
    assert authority.recorded(place.ledger).overlay == str(place.overlay)


def test_where_the_recorded_folder_is_gone_a_shell_says_that_it_cannot(place):
    place.ledger.append([_acme()])
    place.cycle(place.theirs, NOW + MINUTE, daemon=True)
    place.overlay.rename(place.overlay.with_name("moved"))
    report = place.cycle(place.plain, NOW + timedelta(minutes=10))
    assert "cannot decide" in report.skipped and "--take-over" in report.skipped
    assert "acme_rule" in place.rules()
    taken = place.cycle(place.plain, NOW + timedelta(minutes=11), take_over=True)
    assert taken.skipped == "" and "acme_rule" not in place.rules()
    assert authority.recorded(place.ledger).overlay == ""


def test_a_shell_is_told_that_its_folder_is_not_used_and_how_it_would_be(place):
    place.cycle(place.plain, NOW, daemon=True)
    later = NOW + timedelta(minutes=10)
    said = place.cycle(place.theirs, later).decided_by
    assert f"--config {place.overlay} is not used for alerts" in said and "under the shipped configuration" in said
    assert "not given" not in said and f"ops --config {place.overlay} cycle --take-over" in said
    other = replace(place.theirs, overlay=place.overlay.with_name("other"))
    other.overlay.mkdir()
    (other.overlay / "owners.d").mkdir()
    more = {"people": {"zoe": {"name": "Zoe", "email": "zoe@example.com"}}}
    (other.overlay / "owners.d" / "zoe.yaml").write_text(yaml.safe_dump(more), encoding="utf-8")
    place.cycle(place.theirs, later + MINUTE, daemon=True)
    said = place.cycle(other, later + timedelta(minutes=11)).decided_by
    assert f"--config {other.overlay} is not used" in said and f"decides under --config {place.overlay};" in said
    taken = place.cycle(other, later + timedelta(minutes=12), take_over=True)
    assert taken.decided_by == "" == place.cycle(other, later + timedelta(minutes=13)).decided_by


@pytest.mark.parametrize("role", ["watch", "shell"])
def test_the_same_configuration_in_a_folder_of_another_machine_is_used(place, role):
    place.ledger.append([_acme()])
    place.cycle(place.theirs, NOW, daemon=True)
    recorded = str(place.overlay)
    elsewhere = place.overlay.rename(place.overlay.with_name("elsewhere"))
    report = place.cycle(replace(place.plain, overlay=elsewhere), NOW + timedelta(minutes=10), role=role)
    assert report.skipped == report.decided_by == ""
    assert "acme_rule" in place.rules()
    assert authority.recorded(place.ledger).overlay == recorded, "the daemon finds its own folder again"


def test_a_folder_that_does_not_load_is_named_with_its_mistake(place):
    place.cycle(place.theirs, NOW, daemon=True)
    (place.overlay / "rules.yaml").write_text("rules: 7\n", encoding="utf-8")
    assert "rules.yaml" in place.cycle(place.plain, NOW + timedelta(minutes=10)).skipped


def test_edited_configuration_in_the_same_folder_holds_at_once(place):
    place.cycle(place.theirs, NOW, daemon=True)
    before = authority.recorded(place.ledger).config
    rules = yaml.safe_load((place.overlay / "rules.yaml").read_text())
    rules["rules"]["acme_rule"]["severity"] = "medium"
    place._write("rules.yaml", rules)
    report = place.cycle(place.theirs, NOW + timedelta(minutes=10))
    assert report.skipped == report.decided_by == ""
    assert authority.recorded(place.ledger).config != before


def test_a_shell_without_the_secrets_queues_what_the_daemon_will_send(place, monkeypatch):
    """It used to lose the daily mail, and to use up the attempts of the daemon's messages."""
    place.cycle(place.plain, NOW, daemon=True)
    done = NOW + timedelta(minutes=10)
    place.ledger.append(
        [Signal("run.failure", OK, done, done, "r2", 0.0, pipeline="master_pipeline", domain="ecommerce"), FAILED]
    )
    with monkeypatch.context() as shell:
        shell.delenv("OPS_SMTP_HOST")
        report = place.cycle(place.plain, done, flush_now=True)
    mails = [m for m in place.ledger.outbox_list("pending", 99) if m["channel"].endswith("-email")]
    assert mails and all(m["attempts"] == 0 for m in mails)
    assert any(m["kind"] == "success" for m in mails)
    assert any("OPS_SMTP_HOST is not set" in words for words in report.waiting.values())
    place.cycle(place.plain, done + MINUTE, daemon=True)
    tried = [m for m in place.ledger.outbox_list(None, 99) if m["channel"].endswith("-email") and m["attempts"]]
    assert tried, "the daemon has the address and tries it"


def test_only_names_of_secrets_are_recorded(place, monkeypatch):
    monkeypatch.setenv("OPS_SMTP_PASSWORD", "hunter2hunter2")
    place.cycle(place.plain, NOW, daemon=True)
    found = authority.recorded(place.ledger)
    assert "OPS_SMTP_PASSWORD" in found.secrets and "hunter2" not in str(found)


def test_a_named_folder_is_taken_where_only_shells_have_decided(place):
    place.cycle(place.plain, NOW)
    place.cycle(place.theirs, NOW + MINUTE)
    assert authority.recorded(place.ledger).overlay == str(place.overlay)
    assert "recorded configuration" in place.cycle(place.plain, NOW + 2 * MINUTE).decided_by


def test_a_daemon_in_a_long_cycle_is_alive(place):
    seen = []
    clock = [NOW]

    def slow(_view):
        clock[0] += timedelta(seconds=59)
        seen.append(authority.alive(place.ledger, clock[0], "cycle"))
        return Observation()

    place.cycle(
        place.plain, NOW, daemon=True, observers=[Observer(str(n), slow) for n in range(4)], clock=lambda: clock[0]
    )
    assert [found.role for found in seen if found] == ["daemon"] * 4


HERE = current()


@pytest.mark.parametrize(
    ("boot", "believed"),
    [(HERE.boot, False), (f"{HERE.boot.partition('.')[0]}.1", True), ("another-machine.1", True)],
    ids=["here", "another container", "another machine"],
)
def test_a_daemon_whose_process_is_gone_is_not_waited_for_however_it_ended(place, boot, believed):
    """`kill -9` records no end. A process that cannot be seen from here is believed until its heartbeat is old."""
    place.cycle(place.theirs, NOW, daemon=True, holder=str(replace(HERE, pid=999_999_999, boot=boot)))
    assert bool(place.cycle(place.plain, NOW + timedelta(seconds=5)).skipped) is believed
    assert not place.cycle(place.plain, NOW + timedelta(minutes=2)).skipped


def test_the_daemon_records_its_end_although_the_rest_of_dagster_goes_on(place, monkeypatch):
    """It records its end before it waits for its threads, some of which sleep."""
    monkeypatch.setattr(DagsterDaemonController, "__exit__", lambda *_: said.append(next_command()))
    monkeypatch.setattr(dagster_daemon.Settings, "load", lambda: place.theirs)
    said, stopped, sensors = [], Event(), Thread(target=lambda: stopped.wait(5))
    controller = SimpleNamespace(_daemon_shutdown_event=stopped, _daemon_threads={"SENSOR": sensors})

    def next_command() -> str:
        return place.cycle(place.plain, NOW + timedelta(seconds=5)).skipped

    def work() -> None:
        place.cycle(place.theirs, NOW, daemon=True)
        said.append(next_command())
        DagsterDaemonController.__exit__(controller, None, None, None)

    sensors.start()
    monkeypatch.setattr(dagster_daemon.daemon, "run", work)
    assert OURS["dagster._daemon"] == dagster_daemon.__name__
    dagster_daemon.run()
    assert "the daemon decides" in said[0] and said[1:] == [""]
    assert not sensors.is_alive()
