"""Pure decisions of learning: metrics, promotion gate, model health."""
