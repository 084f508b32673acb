import pytest

from tests.scenarios.world import World


@pytest.fixture
def world(monkeypatch, tmp_path):
    def make(**options) -> World:
        return World(monkeypatch, tmp_path, **options)

    return make
