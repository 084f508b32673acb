"""Seeded source systems: they write inbound files as the real ones would, and break them on request.

Nothing here is read by the pipeline: a customer's own files take the place of these without a line of Python.
"""
