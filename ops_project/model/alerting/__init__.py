"""The nouns of alerting: signal, alert, rule, route, receiver, silence, service level."""
