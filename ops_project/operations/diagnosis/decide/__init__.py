"""Pure decisions about causes: no database, no network, no clock."""
