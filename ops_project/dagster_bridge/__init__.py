"""Everything that touches Dagster's instance, storages and internals, and nothing else. It imports neither `pipeline`
nor `operations`.
"""
