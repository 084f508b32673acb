"""The simulated worlds: the same bytes for the same seed. A day is the same in every window, and the files keep their
contracts.
"""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ops_project.catalog import Catalog
from ops_project.settings import PROJECT_ROOT, Settings
from ops_project.simulator import SIMULATED, simulate, sources
from ops_project.simulator.plans import SimulationError
from ops_project.simulator.timing import arrival
from ops_project.simulator.world import World
from tests.simulator.conftest import END, NOW, SCALE, contents, home, landed


def test_the_same_seed_gives_the_same_bytes(week: Settings, tmp_path: Path) -> None:
    again = home(tmp_path)
    simulate(again, days=7, end=END, scale=SCALE)
    assert contents(again.inbound) == contents(week.inbound)


def test_another_seed_gives_another_world(week: Settings, tmp_path: Path) -> None:
    other = home(tmp_path)
    simulate(other, days=7, end=END, scale=SCALE, seed=7)
    first, second = contents(week.inbound), contents(other.inbound)
    assert not [name for name, content in first.items() if content == second.get(name) and len(content) > 2_000]


def test_a_day_does_not_depend_on_the_window(week: Settings, tmp_path: Path) -> None:
    """A second, shorter call goes on in the same world: only the first day of a home brings initial loads."""
    other = home(tmp_path)
    simulate(other, days=5, end=END - timedelta(days=2), scale=SCALE)
    simulate(other, days=1, end=END - timedelta(days=1))
    simulate(other, end=END)
    start = f"{END - timedelta(days=6):%Y%m%d}"
    first = {name: content for name, content in contents(week.inbound).items() if start not in name.replace("-", "")}
    second = {name: content for name, content in contents(other.inbound).items() if start not in name.replace("-", "")}
    assert second == first


def test_the_shop_sends_no_initial_load(week: Settings, tmp_path: Path) -> None:
    other = home(tmp_path)
    simulate(other, domain="ecommerce", days=1, end=END, scale=SCALE)
    whole = contents(week.inbound / "ecommerce")
    assert contents(other.inbound / "ecommerce").items() <= whole.items()


def test_a_second_call_without_days_delivers_what_is_new_only(tmp_path: Path) -> None:
    settings = home(tmp_path)
    first = simulate(settings, domain="insurance", days=2, end=END - timedelta(days=3), scale=SCALE)
    second = simulate(settings, domain="insurance")
    third = simulate(settings, domain="insurance")
    assert [(report.start, report.end) for report in (first.reports + second.reports + third.reports)] == [
        (END - timedelta(days=4), END - timedelta(days=3)),
        (END - timedelta(days=2), END),
        (None, None),
    ]
    assert second.reports[0].scale == SCALE, "the home remembers its world"


@pytest.mark.parametrize("domain", SIMULATED)
def test_every_clean_file_keeps_its_contract(domain: str, week: Settings, catalog: Catalog, tmp_path: Path) -> None:
    settings = home(tmp_path)
    shutil.copytree(week.inbound / domain, settings.inbound / domain)
    feeds = [feed.name for feed in catalog.feeds_of(domain)]
    results = landed(settings, catalog, *feeds)
    assert {name: result.rows_quarantined for name, result in results.items()} == dict.fromkeys(feeds, 0)
    assert not [finding for result in results.values() for finding in result.findings]
    assert all(result.rows_loaded > 0 and not result.waiting for result in results.values())
    assert not list(settings.inbound.rglob("*.*")), "every file was taken"


def test_every_feed_of_a_source_has_a_contract(catalog: Catalog) -> None:
    for domain in SIMULATED:
        assert sorted(sources.source_of(domain).FEEDS) == sorted(feed.name for feed in catalog.feeds_of(domain))


def test_a_domain_with_other_contracts_is_not_simulated(tmp_path: Path) -> None:
    """The overlay of the Online Retail example. The simulator does not make its files."""
    settings = home(tmp_path, PROJECT_ROOT / "examples/online_retail")
    with pytest.raises(SimulationError, match="domain 'ecommerce' has other sources in this configuration"):
        simulate(settings, domain="ecommerce", days=1, end=END, scale=SCALE)
    delivered = simulate(settings, days=1, end=END, scale=SCALE).reports
    assert [report.domain for report in delivered] == [domain for domain in SIMULATED if domain != "ecommerce"]


def test_files_arrive_in_the_night_after_their_day(week: Settings, catalog: Catalog) -> None:
    zone = catalog.platform.zone
    for path in (week.inbound / "ecommerce").glob("orders_*.csv"):
        arrived = datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone(zone)
        day = date.fromisoformat(path.stem.removeprefix("orders_"))
        assert arrived.date() == day + timedelta(days=1)
        assert (0, 30) <= (arrived.hour, arrived.minute) < (1, 0)


def test_arrival_is_right_on_both_daylight_saving_days(catalog: Catalog) -> None:
    zone = catalog.platform.zone
    for day in (date(2026, 3, 7), date(2026, 10, 31)):
        local = arrival(World(), zone, "ecommerce", "orders", day).astimezone(zone)
        assert (local.date(), local.hour) == (day + timedelta(days=1), 0)


def test_nothing_arrives_after_now(tmp_path: Path) -> None:
    settings = home(tmp_path)
    simulate(settings, domain="ecommerce", days=1, end=NOW.date(), scale=SCALE)
    assert all(path.stat().st_mtime <= NOW.timestamp() for path in settings.inbound.rglob("*.csv"))


def test_nothing_half_written_is_left(week: Settings) -> None:
    assert not [path for path in week.inbound.rglob("*") if path.name.startswith(".")]


def test_staged_files_of_a_killed_simulation_are_swept(tmp_path: Path) -> None:
    settings = home(tmp_path)
    stale = settings.inbound / "insurance" / ".staging-999999999"
    stale.mkdir(parents=True)
    (stale / "policies_20260312.csv").write_text("half")
    simulate(settings, domain="insurance", days=1, end=END, scale=SCALE)
    assert not stale.exists()


def test_bad_requests_are_told_before_anything_is_written(tmp_path: Path) -> None:
    settings = home(tmp_path)
    for asked, message in (
        ({"domain": "warehouse"}, "no source system is simulated for 'warehouse'; valid: ecommerce"),
        ({"days": 0}, "0 days cannot be simulated"),
        ({"scale": -1.0}, "scale -1 is not possible"),
        ({"days": 3, "end": date(2009, 1, 1)}, "before the platform's start_date 2009-01-01"),
    ):
        with pytest.raises(ValueError, match=message):
            simulate(settings, **asked)
    assert not settings.inbound.exists()


def test_a_damaged_memory_is_named(tmp_path: Path) -> None:
    settings = home(tmp_path)
    settings.home.mkdir(exist_ok=True)
    (settings.home / "simulator.json").write_text("{")
    with pytest.raises(ValueError, match=r"simulator\.json is damaged"):
        simulate(settings, domain="insurance")
    assert issubclass(SimulationError, ValueError)
