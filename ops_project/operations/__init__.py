"""Brings each failure to a person who can repair it: alerts, on-call, incidents, diagnosis, reports. Decisions are
pure: (values, now) → (values, reasons), without I/O and without a clock.
"""
