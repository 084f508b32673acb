"""A ledger in each of its stores. The tests of `operations` share one PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from ops_project.operations.ledger import Ledger
from tests.postgres import shared_server

__all__ = ["shared_server"]


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: object) -> Iterator[Ledger]:
    """An empty ledger."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/ledger/ledger.db"
    else:
        url = request.getfixturevalue("server")
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
        engine.dispose()
    with Ledger.open(url) as opened:
        yield opened
