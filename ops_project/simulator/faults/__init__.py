"""Injects every failure mode on request. `registry` lists the faults, and `truth` records for tests what was done.
`files`, `columns`, `rows`, `volumes` and the domains' modules apply them to inbound files; `appliers` applies the
others. Nothing in the pipeline reads this package.
"""
