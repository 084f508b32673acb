"""Every failure mode, injected on request. A record of the faults is kept only for tests. `registry` lists them.
`files`, `columns`, `rows`, `volumes` and the domains' modules apply them to inbound files; `appliers` applies the
others. Nothing in the pipeline reads this package.
"""
