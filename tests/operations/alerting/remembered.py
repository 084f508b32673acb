"""Compares what the decisions of a process remember of the state with what a new look at the same state finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ops_project.operations.alerting.decide.dispatch import dispatch
from ops_project.operations.alerting.decide.inhibition import Inhibitions
from ops_project.operations.alerting.decide.memory import Memory
from ops_project.operations.alerting.decide.mute import mark_sla_risk, mute
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, State


def assert_remembered_truly(state: State, config: AlertConfig, now: datetime) -> None:
    """Assert that everything in the memory follows from the state, and that the next decision is the same without the
    memory.
    """
    known, found = state.memory, Decision(replace(state, memory=Memory())).look()
    for name in ("held", "windowed", "timed", "promised", "silent", "resolved", "by_series"):
        assert getattr(known.alerts, name) == getattr(found.alerts, name), name
    for name in ("held", "of_alert", "at"):
        assert getattr(known.groups, name) == getattr(found.groups, name), name
    assert (known.log.held, known.log.of_group) == (found.log.held, found.log.of_group)
    assert known.groups.settled.keys() | known.groups.settled.unsettled == state.groups.keys()
    assert not known.groups.settled.keys() & known.groups.settled.unsettled
    inhibitions = Inhibitions(config.inhibit_rules, config.lineage, config.graph)
    inhibitions.update(dict(state.alerts))
    assert known.inhibitions.found == inhibitions.found
    # What was sent last can change the next decision. So both are asked what they would decide next.
    ours, theirs = (Decision(replace(state.copy(), memory=memory)) for memory in (known, Memory()))
    for decision in (ours, theirs):
        decision.begin(config, now)
        mark_sla_risk(decision, config)
        mute(decision, config, now)
        decision.look()  # as at the end of a whole decision, so that the next one sees that this one was given up
    assert ours.state.alerts == theirs.state.alerts
    if ours.state.alerts == state.alerts:
        dispatch(theirs, config, now)
        assert theirs.state.groups == state.groups
