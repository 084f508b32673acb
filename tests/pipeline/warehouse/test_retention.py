"""Which snapshots stay: those that hold each domain's tables after each of its last runs."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ops_project.pipeline.warehouse import announced, retention, snapshots
from ops_project.pipeline.warehouse.connection import Warehouse
from ops_project.settings import Settings
from tests.empty_home import NOW

DOMAINS = ("ecommerce", "insurance", "investor", "marketing", "streaming")


def _played(domains: list[str | None], keep: int) -> list[dict[str, object]]:
    """The manifests that stay if the snapshots of these runs are made one after the other."""
    kept: list[dict[str, object]] = []
    for number, domain in enumerate(domains):
        new: dict[str, object] = {"id": f"{number:06d}", "domain": domain}
        kept.append({**new, "runs": retention.runs_of([*kept, new])[-1]})
        stay = retention.needed(retention.runs_of(kept), keep)
        kept = [item for index, item in enumerate(kept) if index in stay]
    return kept


def test_one_run_of_several_domains_leaves_the_snapshots_of_the_runs_before(warehouse: Warehouse) -> None:
    """`keep` is 2 here."""
    for turn in range(3):
        for domain in ("ecommerce", "investor", "streaming"):
            snapshots.take(warehouse, run_id=f"{domain}-{turn}", as_of=NOW, commit="c0ffee", domain=domain)
    found = snapshots.existing(warehouse.settings)
    assert [item.manifest["run_id"] for item in found] == ["streaming-1", "streaming-2"]
    snapshots.take(warehouse, run_id="ecommerce-3", as_of=NOW, commit="c0ffee", domain="ecommerce")
    found = snapshots.existing(warehouse.settings)
    assert [item.manifest["run_id"] for item in found] == ["streaming-1", "streaming-2", "ecommerce-3"]


def test_a_domain_that_runs_each_hour_displaces_only_its_own() -> None:
    kept = _played([*DOMAINS, *DOMAINS, *["insurance"] * 24], 3)
    assert [item["id"] for item in kept] == ["000004", "000031", "000032", "000033"]


def test_snapshots_of_an_earlier_version_count_by_their_domain() -> None:
    old = [{"id": f"{number:06d}", "domain": domain} for number, domain in enumerate(["a", "b", "a", None, "a"])]
    assert retention.runs_of(old)[-1] == {"a": "000004", "b": "000003", "": "000003"}
    assert retention.needed(retention.runs_of(old), 1) == {4}
    assert retention.needed(retention.runs_of(old), 2) == {2, 3, 4}
    assert retention.needed(retention.runs_of([{"id": "000001"}]), 1) == {0}


def test_the_snapshot_before_a_restore_stays(warehouse: Warehouse) -> None:
    """A restore makes a snapshot too, and the tables of each domain may differ in it. `keep` is 2 here."""
    for number, domain in enumerate(["a", "b", None]):
        snapshots.take(warehouse, run_id=f"run-{number}", as_of=NOW, commit="c0ffee", domain=domain)
    assert [item.manifest["run_id"] for item in snapshots.existing(warehouse.settings)] == ["run-1", "run-2"]


def test_a_snapshot_is_good_after_the_last_run_of_each_domain_was_good(warehouse: Warehouse) -> None:
    """`keep` is 2 here, and the failure of one domain displaces no good snapshot."""
    for number, (domain, good) in enumerate(
        [("a", True), ("b", True), ("a", False), ("b", True), ("b", True), (None, True), ("b", True)]
    ):
        snapshots.take(warehouse, run_id=f"run-{number}", as_of=NOW, commit="c0ffee", domain=domain, good=good)
    found = {item.manifest["run_id"]: item.good for item in snapshots.existing(warehouse.settings)}
    assert [run for run, good in found.items() if good] == ["run-1"]
    assert found["run-6"] is False, "what failed in domain a was not built again"
    snapshots.take(warehouse, run_id="run-7", as_of=NOW, commit="c0ffee", domain="a")
    assert snapshots.newest(warehouse.settings).good


@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=30), st.integers(1, 4))
def test_the_result_of_each_of_the_last_runs_of_each_domain_stays(domains: list[str | None], keep: int) -> None:
    kept = [int(str(item["id"])) for item in _played(domains, keep)]
    assert kept[-1] == len(domains) - 1
    for domain in set(domains):
        # A change of several domains counts as a run of each of them that has had a run.
        runs = [number for number, of in enumerate(domains) if of in (domain, None) and domain in domains[: number + 1]]
        for first, after in list(zip(runs, [*runs[1:], len(domains)], strict=True))[-keep:]:
            assert any(first <= number < after for number in kept)
    assert len(kept) <= keep * len(set(domains))


def test_a_run_of_a_part_makes_no_domain_good() -> None:
    """The failed tables of the domain may lie in the other part."""
    failed = {"id": "000001", "domain": "a", "failed": ["a"]}
    assert retention.standing([failed], "000002", "a", good=True, whole=False)["failed"] == ["a"]
    assert retention.standing([failed], "000002", "a", good=True, whole=True)["failed"] == []
    assert retention.standing([], "000002", "a", good=False, whole=False)["failed"] == ["a"]


def test_the_first_snapshot_after_an_upgrade_keeps_what_had_failed_before() -> None:
    """An earlier version recorded in each snapshot only how its own run went."""
    old = [
        {"id": "000001", "domain": "a", "good": True},
        {"id": "000002", "domain": "a", "good": False},
        {"id": "000003", "domain": "b", "good": True},
    ]
    assert retention.standing(old, "000004", "c", good=True)["failed"] == ["a"]
    assert retention.standing(old, "000004", "a", good=True)["failed"] == []


def _history(turns: list[tuple[str | None, bool]], keep: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The manifests of all snapshots that were made, and of those that stay after each was pruned."""
    made: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for number, (domain, good) in enumerate(turns):
        name = f"{number:06d}"
        made.append({"id": name, "domain": domain, "good": good})
        made[-1] |= retention.standing(kept, name, domain, good=good)
        kept.append(made[-1])
        stay = retention.stay(kept, keep)
        kept = [item for item in kept if item["id"] in stay]
    return made, kept


def test_a_domain_that_always_fails_does_not_displace_the_good_results_of_another() -> None:
    turns: list[tuple[str | None, bool]] = [("x", False), ("b", True), *[("a", True)] * 3, *[("a", False)] * 4]
    _, kept = _history(turns, 3)
    assert [item["id"] for item in kept if retention.is_well(item, "a")][-3:] == ["000002", "000003", "000004"]
    assert len(kept) <= 7, "three good results of a, and three failed ones; b and x are in each of them"


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "x", None]), st.booleans()), min_size=1, max_size=30),
    st.integers(1, 4),
    st.booleans(),
)
def test_the_result_of_each_of_the_last_good_runs_of_each_domain_stays(
    turns: list[tuple[str | None, bool]], keep: int, always: bool
) -> None:
    """`always`: the domain x always fails."""
    turns = [(domain, good and not (always and domain == "x")) for domain, good in turns]
    made, kept = _history(turns, keep)
    domains = {domain for domain, _ in turns if domain is not None}
    runs = retention.runs_of(made)
    for domain in domains:
        mine = [item[domain] for item, manifest in zip(runs, made, strict=True) if domain in item]
        well = [
            item[domain]
            for item, manifest in zip(runs, made, strict=True)
            if domain in item and retention.is_well(manifest, domain)
        ]
        for promised, fits in ((mine, lambda _: True), (well, lambda item, of=domain: retention.is_well(item, of))):
            for run in [*dict.fromkeys(promised)][-keep:]:
                assert any(item["runs"].get(domain) == run and fits(item) for item in kept)
    good = [item for item in made if not item["failed"]]
    assert not good or good[-1]["runs"] in [item["runs"] for item in kept if not item["failed"]]
    assert kept[-1] is made[-1]
    assert len(kept) <= 3 * keep * (len(domains) + 1)


def test_a_run_that_ended_without_a_snapshot_leaves_its_domain_failed_until_a_whole_run(
    warehouse: Warehouse, settings: Settings
) -> None:
    """The half-built tables are in the snapshot of the next run, whichever domain that run has."""

    def take(run: str, domain: str | None = None, **more: Any) -> dict[str, Any]:
        found = snapshots.take(warehouse, run_id=run, as_of=NOW, commit="c0ffee", domain=domain, **more).manifest
        assert announced.unfinished(settings) == set()
        return dict(found)

    for domain in ("a", "b"):
        announced.run(settings, f"first-{domain}", domain)
        assert take(f"first-{domain}", domain)["failed"] == []
    announced.run(settings, "killed", "a")
    announced.run(settings, "next-b", "b")
    found = take("next-b", "b")
    assert (found["failed"], found["runs"]["a"]) == (["a"], found["id"]), "the tables of a have changed too"
    announced.run(settings, "part-a", "a")
    assert take("part-a", "a", whole=False)["failed"] == ["a"]
    announced.run(settings, "again-a", "a")
    assert take("again-a", "a")["failed"] == []


def test_a_run_that_was_killed_after_its_snapshot_has_finished(warehouse: Warehouse, settings: Settings) -> None:
    announced.run(settings, "run-a", "a")
    snapshots.take(warehouse, run_id="run-a", as_of=NOW, commit="c0ffee", domain="a")
    announced.run(settings, "run-a", "a")  # Killed before the announcement was removed.
    announced.run(settings, "run-b", "b")
    assert snapshots.take(warehouse, run_id="run-b", as_of=NOW, commit="c0ffee", domain="b").good


def test_an_announced_run_that_cannot_be_read_may_be_of_any_domain(warehouse: Warehouse, settings: Settings) -> None:
    announced.run(settings, "run-a", "a")
    settings.warehouse.with_name("unfinished.json").write_bytes(b"{")
    found = snapshots.take(warehouse, run_id="run-b", as_of=NOW, commit="c0ffee", domain="b", landed={"a", "b"})
    assert found.manifest["failed"] == [retention.SEVERAL]


def test_a_failure_of_several_domains_stands_until_each_has_had_a_whole_run() -> None:
    kept: list[dict[str, Any]] = [{"id": "000001", "domain": None, "failed": [retention.SEVERAL]}]

    def after(domain: str | None, *, good: bool = True, whole: bool = True) -> list[str]:
        name = f"{len(kept) + 1:06d}"
        said = retention.standing(kept, name, domain, good=good, whole=whole, landed={"a", "b", "c"})
        kept.append({"id": name, "domain": domain, **said})
        return [domain for domain in ("a", "b", "c") if retention.is_well(kept[-1], domain)]

    assert after("a") == ["a"]
    assert after("b", whole=False) == ["a"], "only a part of b was built again"
    assert after("b") == ["a", "b"]
    assert after("c", good=False) == ["a", "b"]
    assert kept[-1]["failed"] == ["c"], "each domain stands for itself again"
    assert after("c") == ["a", "b", "c"]
    assert kept[-1]["failed"] == []
    assert after(None, good=False, whole=False) == []
    assert after("a") == ["a"]
    assert after(None, good=False, whole=False) == [], "the earlier run of a says nothing about the new failure"
