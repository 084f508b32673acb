"""Every fault that the insurance, investor and streaming sources can have, tried as an outsider would. A healthy
home gets one more day with the fault, and one run. The finding must be at the asset and of the class that `ops
simulate --list-faults` promises. The run must end with 1 if a person has to act, and the summary must show what
happened. Faults of the first load are tested as well as those of one more day, because no earlier run may be needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ops_project.operations.ledger import Ledger
from ops_project.pipeline.warehouse import snapshots
from ops_project.settings import Settings
from tests.scenarios import homes
from tests.scenarios.verdicts import last_checks

pytestmark = pytest.mark.xdist_group("injected")

# At least eight dates are needed before a day is compared with those before it.
DAYS = {"insurance": 10, "investor": 10, "streaming": 9}
# These faults are found without earlier days, so they are put into a home that other stories share.
FEW_DAYS = 4
NO_HISTORY = {"policies_lost", "policies_duplicated"}
# Only a whole month is reported.
RESTATED_DAYS = 31
SCALE = {"insurance": "0.1", "investor": "0.2", "streaming": "0.2"}
# The exit code of a run is 1 only if something failed. These faults do not count as failures: a late file has come, and
# a repeated key was put aside.
ENDS_WITH_0 = {"source_late", "source_duplicate"}


@dataclass(frozen=True)
class Told:
    """The output of one run."""

    code: int | None
    summary: str
    promised: tuple[str, str]
    """Class and asset of truth.json."""
    found: set[tuple[str, str]] = field(default_factory=set)
    """Class and asset of every finding, check and failed asset."""
    held: list[str] = field(default_factory=list)
    alerts: set[tuple[str, str]] = field(default_factory=set)
    """Rule and asset."""


def simulate(settings: Settings, domain: str, days: int, end: Any, *faults: str) -> None:
    words = [word for fault in faults for word in ("--fault", fault)]
    ended = homes.ops(
        settings,
        "simulate",
        "--domain",
        domain,
        "--scale",
        SCALE[domain],
        "--days",
        str(days),
        "--end",
        str(end),
        *words,
    ).wait()
    assert ended.code == 0, ended.errors


def run(settings: Settings, domain: str) -> Told:
    ended = homes.ops(settings, "run", "--domain", domain, "--json").wait()
    assert ended.output.startswith("{"), ended.output + ended.errors
    [told] = json.loads(ended.output)["runs"]
    truth = json.loads(settings.truth.read_text())[-1] if settings.truth.exists() else {}
    with snapshots.open(snapshots.newest(settings)) as warehouse:
        found = {
            (kind, asset)
            for kind, asset in warehouse.execute(
                "select kind, asset from ops.findings where run_id = ?", [told["run_id"]]
            ).fetchall()
        }
    found |= {(said.failure_class, asset) for (asset, _), said in last_checks(settings).items() if not said.passed}
    alerts = Ledger.open(settings.ledger_url).alerts()
    found |= {(alert.failure_class, alert.asset) for alert in alerts if alert.rule == "asset_failure"}
    return Told(
        ended.code,
        "\n".join([*(one["message"] for one in told["findings"]), *told["failures"], *told["warnings"]]),
        (truth.get("finding", ""), truth.get("asset", "")),
        found,
        told["not_published"],
        {(alert.rule, alert.asset) for alert in alerts},
    )


@pytest.fixture(scope="session")
def healthy(
    investor_done: Settings, policies_done: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, int], Settings]:
    """A domain's home after a good first run over this many days. It is made when it is first asked for."""
    made = {("investor", DAYS["investor"]): investor_done, ("insurance", FEW_DAYS): policies_done}

    def home(domain: str, days: int) -> Settings:
        if (domain, days) not in made:
            homes.warm()
            settings = Settings(home=tmp_path_factory.mktemp(domain) / "home", as_of=homes.NOW)
            simulate(settings, domain, days, homes.LAST)
            told = run(settings, domain)
            assert (told.code, told.found, told.summary) == (0, set(), ""), told
            made[domain, days] = settings
        return made[domain, days]

    return home


def one_more_day(healthy: Callable[[str, int], Settings], tmp_path: Path, domain: str, *faults: str) -> Told:
    days = RESTATED_DAYS if "restatement" in faults else FEW_DAYS if NO_HISTORY & {*faults} else DAYS[domain]
    home = homes.copy(healthy(domain, days), tmp_path / "home")
    later = Settings(home=home.home, as_of=homes.NOW + timedelta(days=1))
    simulate(later, domain, 1, homes.LAST + timedelta(days=1), *faults)
    return run(later, domain)


def as_promised(told: Told) -> None:
    assert told.promised in told.found, told
    assert told.summary, "the summary says nothing"
    assert told.alerts, "nobody is told"
    if told.promised[0] not in ENDS_WITH_0:
        assert told.code == 1, told


soak = pytest.mark.soak
INSURANCE = ("cdc_gap", "policies_lost", "policies_duplicated", "premium_changed_fact", "negative_premium")
ALL = [
    *(("insurance", fault) for fault in INSURANCE),
    ("insurance", "premium_changed_ods"),
    ("insurance", "offsetting_errors"),
    *(
        ("insurance", f"{fault}:policies")
        for fault in (
            "missing",
            "late",
            "late_partition",
            "zero_bytes",
            "truncated",
            "truncated_mid_row",
            "undecodable",
            "unbalanced_quote",
            "duplicate_delivery",
            "control_count",
            "extra_column",
            "missing_column",
            "changed_type",
        )
    ),
    *(
        ("investor", fault)
        for fault in (
            "fan_out",
            "wrong_join_key",
            "sales_counted_twice",
            "transformation_broken",
            "spend_schema_drift",
            "sample_ratio_mismatch",
            "restatement",
            "negative_profit",
            "late:marketing_spend",
            "missing:marketing_spend",
            "missing_column:transactions",
            "extra_column:product_events",
            "zero_bytes:transactions",
        )
    ),
    *(
        ("streaming", fault)
        for fault in (
            "error_rate",
            "unknown_songs",
            "consumer_lag",
            "late:streams",
            "missing:streams",
            "late:songs",
            "missing:songs",
            "missing_column:users",
            "undecodable:streams",
            "changed_type:streams",
        )
    ),
]
# One fault of each kind that no other test of the suite covers. The others belong to the soak.
IN_THE_SUITE = {"policies_lost", "policies_duplicated", "fan_out", "transformation_broken"}


@pytest.mark.parametrize(
    ("domain", "fault"),
    [pytest.param(*case, marks=() if case[1] in IN_THE_SUITE else soak, id="-".join(case)) for case in ALL],
)
def test_a_fault_in_one_more_day_is_found_where_it_is_promised(
    healthy: Callable[[str, int], Settings], tmp_path: Path, domain: str, fault: str
) -> None:
    as_promised(one_more_day(healthy, tmp_path, domain, fault))


@pytest.mark.parametrize(
    ("domain", "fault"),
    [
        pytest.param("insurance", "late_partition:policies", marks=()),
        pytest.param("insurance", "negative_premium", marks=soak),
        pytest.param("insurance", "cdc_gap", marks=soak),
        pytest.param("investor", "fan_out", marks=soak),
        pytest.param("investor", "wrong_join_key", marks=soak),
        pytest.param("investor", "late:marketing_spend", marks=soak),
        pytest.param("streaming", "late:streams", marks=soak),
        pytest.param("streaming", "unknown_songs", marks=soak),
    ],
)
def test_a_fault_of_the_first_load_is_found_though_nobody_looked_before(
    tmp_path: Path, domain: str, fault: str
) -> None:
    homes.warm()
    settings = Settings(home=tmp_path / "home", as_of=homes.NOW)
    simulate(settings, domain, DAYS[domain], homes.LAST, fault)
    told = run(settings, domain)
    assert told.promised in told.found, told
    assert told.summary and told.alerts


@pytest.mark.parametrize(
    ("domain", "fault"),
    [
        pytest.param("insurance", "premium_changed_fact", marks=soak),
        pytest.param("insurance", "offsetting_errors", marks=soak),
        pytest.param("insurance", "policies_duplicated", marks=soak),
        ("investor", "sales_counted_twice"),
    ],
)
def test_a_wrong_number_of_silver_does_not_reach_the_consumers_of_gold(
    healthy: Callable[[str, int], Settings], tmp_path: Path, domain: str, fault: str
) -> None:
    told = one_more_day(healthy, tmp_path, domain, fault)
    as_promised(told)
    assert told.held


@soak
def test_an_exhausted_serving_store_fires_the_metric_and_the_failed_asset(
    healthy: Callable[[str, int], Settings], tmp_path: Path
) -> None:
    told = one_more_day(healthy, tmp_path, "streaming", "serving_throttled")
    as_promised(told)
    assert {rule for rule, asset in told.alerts} >= {"asset_failure", "performance_warning"}


@soak
def test_a_rush_on_a_holiday_is_no_finding(tmp_path: Path) -> None:
    homes.warm()
    settings = Settings(home=tmp_path / "home", as_of=homes.NOW)
    simulate(settings, "investor", 30, homes.LAST, "holiday_spike")
    told = run(settings, "investor")
    assert (told.code, told.found) == (0, set()), told
