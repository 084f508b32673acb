"""Pure decisions about models: metrics, whether a candidate is promoted, and the health of a model."""
