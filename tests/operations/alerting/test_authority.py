"""One authority decides. Another process beside it only observes, and a process in its place uses its configuration."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import yaml

from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting import authority
from ops_project.operations.alerting.observers.observer import Observation, Observer
from tests.operations.alerting.deciding import FAILED, MINUTE, NOW, Place


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


def test_a_shell_that_only_looks_knows_the_assets_of_the_deciding_configuration(place):
    """Without these assets, everything downstream of a failed asset of the overlay would count as failed itself."""
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
    """Such a shell used to resolve the alerts of the overlay's rules for ever."""
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
    """Such a shell used to lose the daily mail, and to use up the attempts of the daemon's messages."""
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
