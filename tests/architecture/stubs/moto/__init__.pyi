# What the tests use of moto, which has a module for each service of AWS.
from contextlib import AbstractContextManager

def mock_aws() -> AbstractContextManager[object]: ...
