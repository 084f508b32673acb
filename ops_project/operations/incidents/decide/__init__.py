"""Pure decisions about incidents: (incidents, alerts, policy, now) → incidents, timeline, messages."""
