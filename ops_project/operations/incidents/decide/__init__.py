"""Pure decisions about incidents. Incidents, alerts, policy and time go in; incidents, timelines and messages
come out.
"""
