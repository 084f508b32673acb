"""The entry point for Alembic. It migrates the connection that it is given."""

from alembic import context

from ops_project.operations.ledger.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    context.run_migrations()
