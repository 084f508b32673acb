"""Files in the inbound folders that no contract matches: one alert for each folder, which closes when they are gone."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.defs.operations.observers import OBSERVERS
from ops_project.model.alerting.alert import Alert
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
INBOUND = tuple(observer for observer in OBSERVERS if observer.name == "inbound")


class Home:
    def __init__(self, home: Path) -> None:
        self.settings, self.now = Settings(home=home), NOW
        self.catalog = catalog.load(self.settings)

    def put(self, relative: str, age: timedelta = timedelta()) -> Path:
        path = self.settings.inbound / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a\n", encoding="utf-8")
        os.utime(path, (self.now.timestamp() - age.total_seconds(),) * 2)
        return path

    def alerts(self) -> list[Alert]:
        """The open alerts after one more cycle."""
        self.now += timedelta(minutes=1)
        run_once(self.settings, self.catalog, self.now, observers=INBOUND, flush_now=True)
        return open_ledger(self.settings).alerts("open", limit=100)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_an_unclaimed_file_is_an_alert_that_names_it_and_closes_when_it_is_gone(home: Home) -> None:
    stray = home.put("insurance/policies.xlsx")
    (alert,) = home.alerts()
    assert (alert.rule, alert.severity, alert.labels["domain"]) == ("file_unclaimed", "medium", "insurance")
    assert "policies.xlsx" in alert.summary + str(alert)
    assert alert.owners == ("team:insurance-data",)
    assert [one.number for one in home.alerts()] == [alert.number]
    stray.unlink()
    assert home.alerts() == []


def test_files_of_contracts_and_their_control_files_are_none(home: Home) -> None:
    home.put("insurance/policies_20260303.csv")
    home.put("insurance/policies_20260303.ctl")
    # The control file arrives first.
    home.put("insurance/policies_20260304.ctl")
    assert home.alerts() == []


def test_a_control_file_of_no_possible_file_is_one(home: Home) -> None:
    home.put("insurance/premiums_20260304.ctl")
    assert [alert.rule for alert in home.alerts()] == ["file_unclaimed"]


def test_a_second_file_changes_the_alert_and_makes_no_other(home: Home) -> None:
    home.put("insurance/one.txt")
    (first,) = home.alerts()
    home.put("insurance/two.txt")
    (second,) = home.alerts()
    assert first.number == second.number
    assert "two.txt" in str(second)


def test_a_folder_of_no_domain_and_a_file_in_no_folder_are_told(home: Home) -> None:
    home.put("insurence/policies_20260303.csv")
    home.put("policies_20260303.csv")
    said = " ".join(map(str, home.alerts()))
    assert "no domain has this name" in said
    assert "files belong in the folder of their domain" in said


def test_a_transfer_that_goes_on_is_none_and_one_that_stopped_is(home: Home) -> None:
    home.put("insurance/policies_20260303.csv.part", age=timedelta(minutes=5))
    assert home.alerts() == []
    home.now += timedelta(hours=2)
    assert len(home.alerts()) == 1


def test_the_alert_closes_when_a_contract_takes_the_file(home: Home, tmp_path: Path) -> None:
    home.put("insurance/quotes_20260303.csv")
    assert len(home.alerts()) == 1
    overlay = tmp_path / "config" / "feeds"
    overlay.mkdir(parents=True)
    text = Path(home.catalog.documents["feeds/insurance.yaml"].file).read_text(encoding="utf-8")
    assert "policies_{date:%Y%m%d}{revision}.csv" in text
    (overlay / "insurance.yaml").write_text(
        text.replace("policies_{date:%Y%m%d}{revision}.csv", "quotes_{date:%Y%m%d}{revision}.csv"), encoding="utf-8"
    )
    home.settings = Settings(home=home.settings.home, overlay=overlay.parent)
    home.catalog = catalog.load(home.settings)
    assert home.alerts() == []


def test_a_folder_that_is_a_link_is_an_alert_that_says_what_to_put_there(home: Home, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    home.settings.inbound.mkdir(parents=True, exist_ok=True)
    folder = home.settings.inbound / "insurance"
    folder.symlink_to(tmp_path / "elsewhere")
    (alert,) = home.alerts()
    assert alert.rule == "file_unclaimed" and "inbound/insurance is a symbolic link" in alert.summary + str(alert)
    folder.unlink()
    folder.mkdir()
    assert home.alerts() == []
