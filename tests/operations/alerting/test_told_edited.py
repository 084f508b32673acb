"""The random histories with edits of the severity of a rule and of the routes. Nobody is told again because of them, and
whoever was told of a failure is told of its end.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from ops_project import catalog
from ops_project.model.alerting.route import Route
from ops_project.operations.alerting.decide.routing import Node, compile_tree
from ops_project.settings import Settings
from tests.operations.alerting.told_machine import RULES, Engine, run

_ROUTES = catalog.load(Settings.load(home="/nonexistent-home", environ={})).routes.route
_SAME = Route.model_validate({"matchers": ['domain!="nowhere"']}).matchers
"""A matcher that every alert of the histories fulfils."""
_EDITED = {"on-call", "owners", "data-team"}


def _edited() -> Node:
    """The shipped tree with a further matcher in the routes of some receivers, and with larger groups."""
    routes = tuple(
        r.model_copy(update={"matchers": (*r.matchers, *_SAME)}) if r.receiver in _EDITED else r for r in _ROUTES.routes
    )
    return compile_tree(_ROUTES.model_copy(update={"group_by": ("alertname",), "routes": routes}))


_TREE = _edited()


class Edited(Engine):
    def __init__(self) -> None:
        super().__init__()
        self.critical: set[str] = set()
        self.shipped_tree = self.config.tree

    @rule(name=st.sampled_from(sorted(RULES.values())))
    def a_severity_is_edited(self, name: str) -> None:
        self.critical ^= {name}
        self._configure()

    @rule()
    def the_routes_are_edited(self) -> None:
        edited = self.config.tree is self.shipped_tree
        self.config = replace(self.config, tree=_TREE if edited else self.shipped_tree)

    def _configure(self) -> None:
        super()._configure()
        rules = {
            name: found.model_copy(update={"severity": "critical"}) if name in self.critical else found
            for name, found in self.config.rules.items()
        }
        self.config = replace(self.config, rules=rules)


def test_edits_tell_nobody_again_and_lose_no_end() -> None:
    run(examples=6, steps=20, shrink=False, machine=Edited)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_edits_tell_nobody_again_and_lose_no_end() -> None:
    run(examples=1000, machine=Edited)
