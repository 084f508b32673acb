"""Dagster's storage in PostgreSQL, with events that hold no personal data.

The two classes extend those of `dagster-postgres`. That package is not installed by default: use
`pip install 'ops-project[postgres]'`. Then write into dagster.yaml:

    storage:
      custom:
        module: ops_project.dagster_bridge.postgres_storage
        class: Storage
        config: {postgres_url: {env: OPS_DAGSTER_URL}}

The config is that of Dagster's own `storage: postgres`. A URL begins with `postgresql+psycopg2://`.
"""

from __future__ import annotations

from typing import Any

from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from dagster_postgres.utils import get_token_provider_from_config, pg_url_from_config

from ops_project.dagster_bridge.masked_events import MaskedEvents


class EventLog(MaskedEvents, PostgresEventLogStorage):
    """Like PostgresEventLogStorage, with the same tables. No event holds personal data."""


class Storage(DagsterPostgresStorage):
    """Dagster's PostgreSQL storage with the event log above. dagster.yaml names it in `storage: {custom: …}`."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: Any = None,
        token_provider: Any = None,
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data, token_provider)
        self._event_log_storage.dispose()
        self._event_log_storage = EventLog(postgres_url, should_autocreate_tables, token_provider=token_provider)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Storage:
        return cls(
            pg_url_from_config(config_value),
            config_value.get("should_autocreate_tables", True),
            inst_data,
            get_token_provider_from_config(config_value),
        )
