"""Our messages are compared with those of the real Alertmanager: which alerts are sent together, and to whom. The trees
are generated, with continue, expressions, grouping, time intervals, inhibition with equal, and silences; labels may be
missing.

Each example is a handful of worlds with one Alertmanager each, side by side, because nearly all of their time is group
wait.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.calendar import Calendar
from ops_project.model.alerting.matcher import Matcher, all_match
from ops_project.model.alerting.receiver import Receivers
from ops_project.model.alerting.route import GraphInhibition, Routes
from ops_project.model.alerting.silence import Silence
from ops_project.model.owner import Owners
from ops_project.operations.alerting.decide.alertmanager_export import export
from ops_project.operations.alerting.decide.dispatch import dispatch
from ops_project.operations.alerting.decide.mute import mute
from ops_project.operations.alerting.decide.notify import flush
from ops_project.operations.alerting.decide.routing import compile_tree, match
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, State
from tests.operations.alerting.test_alertmanager import (
    Alertmanager,
    _amtool_receivers,
    needs_alertmanager,
    needs_amtool,
)
from tests.operations.channels.http import http_server

VALUES = {
    "alertname": ["a", "ab", "b"],
    "severity": ["", "critical", "high", "low"],
    "domain": ["", "ecommerce", "streaming"],
    "team": ["", "x", "y y", 'quo"te', "ü"],
}
EXPRESSIONS = ["a|b", "a.*", ".*", ".+", "", "crit.*|low", "e[a-z]+", "x|", "high", "y y", "[^x]*", "(a|ab)", "ü?"]
NAMES = ["r0", "r1", "r2", "r3"]
INTERVALS = ["t0", "t1", "t2"]
ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
WAIT = timedelta(seconds=1)

labelsets = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()}).map(
    lambda chosen: {name: value for name, value in chosen.items() if value}
)


@st.composite
def matchers(draw: st.DrawFn) -> str:
    name, operator = draw(st.sampled_from(list(VALUES))), draw(st.sampled_from(["=", "!=", "=~", "!~"]))
    value = draw(st.sampled_from(EXPRESSIONS if "~" in operator else VALUES[name]))
    return str(Matcher(name, operator, value))


@st.composite
def nodes(draw: st.DrawFn, depth: int = 1, timed: bool = True) -> dict:
    route: dict = {"matchers": draw(st.lists(matchers(), max_size=2)), "continue": draw(st.booleans())}
    if draw(st.booleans()):
        route["receiver"] = draw(st.sampled_from(NAMES))
    if draw(st.booleans()):
        route["group_by"] = draw(
            st.one_of(st.just(["..."]), st.lists(st.sampled_from(list(VALUES)), max_size=3, unique=True))
        )
    for kind in ("mute_time_intervals", "active_time_intervals"):
        if timed and draw(st.integers(0, 3)) == 0:
            route[kind] = draw(st.lists(st.sampled_from(INTERVALS), min_size=1, max_size=2, unique=True))
    if depth < 3:
        route["routes"] = draw(st.lists(nodes(depth=depth + 1, timed=timed), max_size=3))
    return route


@st.composite
def intervals(draw: st.DrawFn) -> dict:
    """Time intervals that begin or end so close to now that now may lie inside or outside of them."""
    zone = draw(st.sampled_from(ZONES))
    here = datetime.now(ZoneInfo(zone))
    found: dict = {"location": zone}
    if draw(st.booleans()):
        start = max(0, min(22, here.hour + draw(st.integers(-3, 2))))
        # The drawn values must not depend on the clock, because hypothesis may draw them again in a later hour.
        end = min(24, start + draw(st.integers(1, 24)))
        found["times"] = [{"start_time": f"{start:02d}:00", "end_time": f"{end:02d}:00"}]
    if draw(st.booleans()):
        found["weekdays"] = draw(st.sampled_from([["monday:friday"], ["saturday", "sunday"], [f"{here:%A}".lower()]]))
    if draw(st.booleans()):
        found["days_of_month"] = [
            draw(st.sampled_from(["1:31", "1:-1", "-10:-1", "-31:-15", str(here.day), "1:15", "16:20"]))
        ]
    if draw(st.booleans()):
        found["months"] = [draw(st.sampled_from([f"{here:%B}".lower(), "1:6", "7:12", str(here.month)]))]
    if draw(st.booleans()):
        found["years"] = [draw(st.sampled_from([str(here.year), f"{here.year - 1}:{here.year + 1}", "2020:2021"]))]
    return found


@dataclass
class World:
    routes: Routes
    calendar: Calendar
    labels: list[dict[str, str]]
    silences: list[list[Matcher]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    inhibit = st.fixed_dictionaries(
        {
            "source_matchers": st.lists(matchers(), min_size=1, max_size=2),
            "target_matchers": st.lists(matchers(), min_size=1, max_size=2),
            "equal": st.lists(st.sampled_from(list(VALUES)), max_size=2, unique=True),
        }
    )
    root = {
        "receiver": "r0",
        "group_by": ["alertname"],
        "group_wait": "1s",
        "group_interval": "1h",
        "routes": draw(st.lists(nodes(), min_size=1, max_size=4)),
    }
    silences = [
        [Matcher.parse(text) for text in texts]
        for texts in draw(st.lists(st.lists(matchers(), min_size=1, max_size=2), max_size=2))
    ]
    return World(
        Routes.model_validate({"route": root, "inhibit_rules": draw(st.lists(inhibit, max_size=3))}),
        Calendar.model_validate({"time_intervals": {name: [draw(intervals())] for name in INTERVALS}}),
        draw(st.lists(labelsets, min_size=12, max_size=60, unique_by=lambda labels: tuple(sorted(labels.items())))),
        [s for s in silences if not all_match(tuple(s), {})],
    )


def quick(max_examples: int) -> settings:
    """An example takes seconds, so a failing example is not shrunk."""
    return settings(
        max_examples=max_examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )


Told = frozenset[tuple[str, tuple, frozenset[tuple]]]


def _key(labels: dict) -> tuple:
    return tuple(sorted(labels.items()))


def receivers() -> Receivers:
    return Receivers.model_validate({"receivers": {n: {"title": n, "channels": [{"type": "file"}]} for n in NAMES}})


def _ours(world: World, now: datetime) -> Told:
    config = AlertConfig(
        rules={},
        metrics={},
        tree=compile_tree(world.routes.route),
        receivers=receivers().receivers,
        owners=Owners(people={}, teams={}),
        zone=ZoneInfo("UTC"),
        inhibit_rules=world.routes.inhibit_rules,
        graph=GraphInhibition(enabled=False),
        intervals=world.calendar.time_intervals,
    )
    alerts = {
        n: Alert(
            number=n,
            key=str(n),
            rule="",
            status=FIRING,
            severity="low",
            labels=labels,
            starts_at=now,
            updated_at=now,
            fired_at=now,
        )
        for n, labels in enumerate(world.labels, 1)
    }
    silences = {
        n: Silence(n, tuple(found), now, now + timedelta(hours=1), "t", "t", now)
        for n, found in enumerate(world.silences)
    }
    decision = Decision(State(alerts=alerts, silences=silences))
    mute(decision, config, now)
    dispatch(decision, config, now)
    flush(decision, config, now)
    assert decision.notifications == [], "the group wait is not over"
    flush(decision, config, now + WAIT)
    return frozenset(
        (n.receiver, _key(n.payload["group"]), frozenset(_key(alerts[number].labels) for number in n.firing))
        for n in decision.notifications
    )


def _write(folder, world: World, url: str):
    body = export(world.routes, world.calendar, receivers())
    body["receivers"] = [{"name": n, "webhook_configs": [{"url": f"{url}/{n}"}]} for n in NAMES]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(body))
    return file


def _agree(ours, theirs) -> bool:
    """Whether both engines send the same messages, except that our engine sends a receiver one message if several
    branches of the tree lead to it. So each receiver gets the same alerts. Each of our messages is one of
    Alertmanager's, perhaps without alerts that the receiver gets through another branch.
    """
    heard = [{(receiver, alert) for receiver, _, alerts in told for alert in alerts} for told in (ours, theirs)]
    return heard[0] == heard[1] and all(
        any(receiver == other and group == named and alerts <= all_of_it for other, named, all_of_it in theirs)
        for receiver, group, alerts in ours
    )


def _compare(folder, chosen: list[World]) -> tuple[int, int]:
    """(alerts, messages) that were compared."""
    ours, servers = [], []
    try:
        for n, world in enumerate(chosen):
            held = http_server()
            endpoint = held.__enter__()
            servers.append(
                (Alertmanager(folder / str(n), _write(folder / str(n), world, endpoint.url)), endpoint, held)
            )
        for world, (server, _, _) in zip(chosen, servers, strict=True):
            now = datetime.now(UTC)
            for found in world.silences:
                server.call(
                    "silences",
                    {
                        "matchers": [
                            {
                                "name": m.name,
                                "value": m.value,
                                "isRegex": "~" in m.operator,
                                "isEqual": m.operator[0] == "=",
                            }
                            for m in found
                        ],
                        "startsAt": now.isoformat(),
                        "endsAt": (now + timedelta(hours=1)).isoformat(),
                        "createdBy": "t",
                        "comment": "t",
                    },
                )
            server.call("alerts", [{"labels": labels, "startsAt": now.isoformat()} for labels in world.labels])
            ours.append((_ours(world, now), _ours(world, now + timedelta(seconds=30))))
        until = time.monotonic() + 20
        while time.monotonic() < until and not all(
            len(endpoint.accepted) >= len(mine[0]) for mine, (_, endpoint, _) in zip(ours, servers, strict=True)
        ):
            time.sleep(0.2)
        # A message that should not come would have to come within the same time.
        time.sleep(WAIT.total_seconds() + 1)
    finally:
        for server, _, held in servers:
            server.process.kill()
            server.process.wait(10)
            held.__exit__(None, None, None)
    for world, mine, (_, endpoint, _) in zip(chosen, ours, servers, strict=True):
        theirs = frozenset(
            (body["receiver"], _key(body["groupLabels"]), frozenset(_key(alert["labels"]) for alert in body["alerts"]))
            for _, _, body in endpoint.accepted
        )
        # At the minute at which an interval ends, both answers are right.
        if not any(_agree(ours_then, theirs) for ours_then in mine):
            (folder / "difference.yaml").write_text(
                yaml.safe_dump(
                    {
                        "config": export(world.routes, world.calendar, receivers()),
                        "labels": world.labels,
                        "silences": [list(map(str, found)) for found in world.silences],
                        "theirs alone": sorted(map(str, theirs - mine[0])),
                        "ours alone": sorted(map(str, mine[0] - theirs)),
                    }
                )
            )
            pytest.fail(f"messages differ: {folder / 'difference.yaml'}")
    return sum(len(world.labels) for world in chosen), sum(len(endpoint.accepted) for _, endpoint, _ in servers)


def _generated(folder, examples: int, each: int) -> tuple[int, int, int]:
    total = [0, 0, 0]

    @quick(max_examples=examples)
    @given(st.lists(worlds(), min_size=each, max_size=each))
    def compared(chosen: list[World]) -> None:
        alerts, messages = _compare(folder / str(total[0]), chosen)
        total[0], total[1], total[2] = total[0] + len(chosen), total[1] + alerts, total[2] + messages

    compared()
    return total[0], total[1], total[2]


@needs_alertmanager
def test_the_messages_of_generated_trees_are_alertmanagers(tmp_path):
    trees, alerts, messages = _generated(tmp_path, examples=2, each=8)
    assert trees >= 16 and alerts >= 200 and messages >= 40, (trees, alerts, messages)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@needs_alertmanager
def test_the_messages_of_hundreds_of_generated_trees_are_alertmanagers(tmp_path):
    print(_generated(tmp_path, examples=60, each=8))  # noqa: T201


@needs_amtool
@pytest.mark.parametrize("examples", [40, pytest.param(1500, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])])
def test_generated_trees_route_as_amtool_says(tmp_path, examples):
    @quick(max_examples=examples)
    @given(world=worlds())
    def compared(world: World) -> None:
        tree, file = compile_tree(world.routes.route), _write(tmp_path, world, "http://127.0.0.1:1")
        for labels in world.labels[:1]:
            assert [node.receiver for node in match(tree, labels)] == _amtool_receivers(file, labels), labels

    compared()
