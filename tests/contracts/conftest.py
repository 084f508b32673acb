from tests.defs.conftest import definitions, site  # noqa: F401
