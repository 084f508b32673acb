"""The tests of one group run in one process, one after the other. Groups share a home that is expensive to build, or a
server. pytest 9.2 removed an attribute with which pytest-xdist 3.8 marks a group. No message reported this: each
process built each home again, and the suite took seven times as long.
"""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.xdist_group("groups")


def test_the_groups_of_tests_are_held(request: pytest.FixtureRequest) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("one process runs everything here")
    assert request.node.nodeid.endswith("@groups")
