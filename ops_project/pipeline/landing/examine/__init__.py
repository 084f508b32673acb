"""Judge a staged file against its contract, before anything is written."""
