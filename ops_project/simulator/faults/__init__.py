"""Every failure mode, injected on request. What was done is recorded only for tests.

`registry` lists them; `files`, `columns`, `rows`, `volumes` and the domains' modules carry them out on inbound files,
`appliers` what lies elsewhere. Nothing in the pipeline reads any of it.
"""
