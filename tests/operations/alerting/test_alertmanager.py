"""Routing, inhibition and silences decide as the real Alertmanager does, on the same tree and the same alerts."""

from __future__ import annotations

import json
import random
import shutil
import socket
import subprocess
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from ops_project import catalog
from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.calendar import Calendar
from ops_project.model.alerting.matcher import Matcher, all_match
from ops_project.model.alerting.receiver import Receivers
from ops_project.model.alerting.route import Routes
from ops_project.operations.alerting.decide.alertmanager_export import export
from ops_project.operations.alerting.decide.inhibition import inhibited_by_rule
from ops_project.operations.alerting.decide.routing import compile_tree, match
from ops_project.settings import Settings

AMTOOL = shutil.which("amtool")
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
needs_amtool = pytest.mark.skipif(AMTOOL is None, reason="amtool is not installed (Debian: prometheus-alertmanager)")
needs_alertmanager = pytest.mark.skipif(
    ALERTMANAGER is None, reason="Alertmanager is not installed (Debian: prometheus-alertmanager)"
)

VALUES = {
    "severity": ["critical", "high", "medium", "low"],
    "domain": ["ecommerce", "streaming", "investor", ""],
    "team": ["", "x", "y y", 'quo"te'],
    "alertname": ["a", "ab", "b"],
}
NAMES = ["r0", "r1", "r2", "r3", "r4"]


def _labels(dice: random.Random) -> dict[str, str]:
    chosen = {name: dice.choice(values) for name, values in VALUES.items()}
    return {name: value for name, value in chosen.items() if value}


def _matcher(dice: random.Random) -> str:
    name = dice.choice(list(VALUES))
    operator = dice.choice(["=", "!=", "=~", "!~"])
    value = dice.choice(VALUES[name])
    if operator in ("=~", "!~"):
        value = dice.choice(["a|b", "a.*", ".*", ".+", "crit.*|low", "e[a-z]+", "x|", "high", "y y"])
    return str(Matcher(name, operator, value))


def _route(dice: random.Random, depth: int) -> dict:
    route: dict = {"matchers": [_matcher(dice) for _ in range(dice.randint(0, 2))], "continue": dice.random() < 0.4}
    if dice.random() < 0.7:
        route["receiver"] = dice.choice(NAMES)
    if dice.random() < 0.4:
        route["group_by"] = dice.sample(list(VALUES), dice.randint(0, 3))
    if depth < 3:
        route["routes"] = [_route(dice, depth + 1) for _ in range(dice.randint(0, 3))]
    return route


def _tree(dice: random.Random) -> Routes:
    rules = [
        {
            "source_matchers": [_matcher(dice) for _ in range(dice.randint(1, 2))],
            "target_matchers": [_matcher(dice) for _ in range(dice.randint(1, 2))],
            "equal": dice.sample(list(VALUES), dice.randint(0, 2)),
        }
        for _ in range(dice.randint(1, 4))
    ]
    root = {"receiver": "r0", "group_by": ["alertname"], "routes": [_route(dice, 1) for _ in range(dice.randint(1, 4))]}
    return Routes.model_validate({"route": root, "inhibit_rules": rules})


RECEIVERS = Receivers.model_validate({"receivers": {n: {"title": n, "channels": [{"type": "file"}]} for n in NAMES}})
CALENDAR = Calendar.model_validate({"time_intervals": {}})


def _write(tmp_path, routes: Routes, receivers=RECEIVERS, calendar=CALENDAR):
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(export(routes, calendar, receivers)))
    return file


def _amtool_receivers(file, labels) -> list[str]:
    command = [AMTOOL, "config", "routes", "test", f"--config.file={file}"]
    # amtool reads its arguments as matchers, so values are quoted as in a file.
    command += [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().split(",")


@needs_amtool
@pytest.mark.parametrize("seed", range(12))
def test_random_trees_route_as_amtool_says(tmp_path, seed):
    dice = random.Random(seed)
    routes = _tree(dice)
    tree, file = compile_tree(routes.route), _write(tmp_path, routes)
    for _ in range(8):
        labels = _labels(dice)
        assert [node.receiver for node in match(tree, labels)] == _amtool_receivers(file, labels), (
            labels,
            file.read_text(),
        )


@needs_amtool
def test_the_shipped_tree_is_valid_for_amtool_and_routes_as_it_says(tmp_path):
    loaded = catalog.load(Settings.load(home=tmp_path))
    file = _write(tmp_path, loaded.routes, loaded.receivers, loaded.calendar)
    subprocess.run([AMTOOL, "check-config", file], check=True, capture_output=True)
    tree = compile_tree(loaded.routes.route)
    dice = random.Random(7)
    for name in dice.sample(sorted(loaded.rules.rules), 20):
        rule = loaded.rules.rules[name]
        labels = {
            "alertname": name,
            "severity": rule.severity,
            "category": rule.category,
            **rule.labels,
            "domain": dice.choice(["ecommerce", "streaming"]),
            "sla_at_risk": dice.choice(["true", "false"]),
        }
        assert [node.receiver for node in match(tree, labels)] == _amtool_receivers(file, labels), labels


class Alertmanager:
    def __init__(self, tmp_path, file) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [
                ALERTMANAGER,
                f"--config.file={file}",
                f"--storage.path={tmp_path / 'am'}",
                "--cluster.listen-address=",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 20
        while True:
            try:
                self.call("status")
                return
            except OSError:
                assert time.monotonic() < until and self.process.poll() is None, "Alertmanager did not start"
                time.sleep(0.05)

    def call(self, path: str, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v2/{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def statuses(self, count: int) -> dict[tuple, dict]:
        """Label set → status and receivers, read after all alerts were sent and the answer no longer changes."""
        until, before = time.monotonic() + 10, None
        while True:
            found = {tuple(sorted(a["labels"].items())): a for a in self.call("alerts")}
            now = {k: (bool(v["status"]["inhibitedBy"]), bool(v["status"]["silencedBy"])) for k, v in found.items()}
            if len(found) == count and now == before:
                return found
            assert time.monotonic() < until
            before = now
            time.sleep(0.1)


@needs_alertmanager
@pytest.mark.parametrize("seed", range(5))
def test_random_alerts_are_inhibited_silenced_and_routed_as_alertmanager_does(tmp_path, seed):
    dice = random.Random(100 + seed)
    routes = _tree(dice)
    tree = compile_tree(routes.route)
    now = datetime.now(UTC)
    sets = {tuple(sorted(_labels(dice).items())) for _ in range(40)}
    alerts = [
        Alert(
            number=n,
            key=str(n),
            rule="",
            status=FIRING,
            severity="low",
            labels=dict(labels),
            starts_at=now,
            updated_at=now,
        )
        for n, labels in enumerate(sorted(sets), 1)
    ]
    silences = [[Matcher.parse(_matcher(dice)) for _ in range(dice.randint(1, 2))] for _ in range(3)]
    silences = [s for s in silences if not all_match(tuple(s), {})]
    server = Alertmanager(tmp_path, _write(tmp_path, routes))
    try:
        for matchers in silences:
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
                        for m in matchers
                    ],
                    "startsAt": now.isoformat(),
                    "endsAt": (now + timedelta(hours=1)).isoformat(),
                    "createdBy": "t",
                    "comment": "t",
                },
            )
        server.call("alerts", [{"labels": dict(a.labels), "startsAt": now.isoformat()} for a in alerts])
        found = server.statuses(len(alerts))
    finally:
        server.process.terminate()
        server.process.wait(10)
    inhibited = inhibited_by_rule(alerts, routes.inhibit_rules)
    for alert in alerts:
        theirs = found[tuple(sorted(alert.labels.items()))]
        assert (alert.number in inhibited) == bool(theirs["status"]["inhibitedBy"]), dict(alert.labels)
        assert any(all_match(tuple(s), alert.labels) for s in silences) == bool(theirs["status"]["silencedBy"])
        assert {n.receiver for n in match(tree, alert.labels)} == {r["name"] for r in theirs["receivers"]}
