"""Brings each failure to a person who can repair it: alerts, on-call, incidents, diagnosis and reports. Decisions are
pure: values and a time go in, values and reasons come out. They use neither I/O nor a clock.
"""
