"""Every failure mode, injected on request, and what was done written down for judges only.

`registry` lists them; `files`, `columns`, `rows`, `volumes` and the domains' modules carry them out on inbound files,
`appliers` what lies elsewhere. Nothing in the pipeline reads any of it.
"""
