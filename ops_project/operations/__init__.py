"""Decisions: (values, now) → (values, reasons). No I/O, no clock."""
