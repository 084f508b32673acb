"""The classes of alerting: signal, alert, rule, route, receiver, silence, service level."""
