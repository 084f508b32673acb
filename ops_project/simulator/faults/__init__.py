"""Puts every kind of fault into a home on request.

- `registry` lists the faults.
- `files`, `columns`, `rows`, `volumes` and the modules of the domains change inbound files.
- `appliers` applies the other faults.
- `truth` records for tests what was done.

Nothing in the pipeline reads this package.
"""
