from __future__ import annotations

import sqlite3

import duckdb
import pytest
from sqlalchemy.exc import OperationalError

from ops_project.failures import classify, classify_message
from ops_project.process.locks import LockTimeout


def caused(error: BaseException, by: BaseException) -> BaseException:
    try:
        raise error from by
    except BaseException as raised:
        return raised


@pytest.mark.parametrize(
    ("error", "failure_class", "transient"),
    [
        (ConnectionResetError("reset by peer"), "connection_failure", True),
        (TimeoutError("no answer"), "timeout", True),
        (LockTimeout("held by somebody"), "lock_contention", True),
        (duckdb.TransactionException("Conflict on tuple deletion"), "lock_contention", True),
        (duckdb.IOException("Could not set lock on file x: Conflicting lock is held"), "lock_contention", True),
        (OSError(28, "No space left on device"), "storage_full", False),
        (OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full")), "storage_full", False),
        (duckdb.OutOfMemoryException("failed to allocate"), "resource_exhausted", False),
        (duckdb.ConversionException("Could not convert string 'x' to INT32"), "data_invalid", False),
        (duckdb.ConstraintException("Duplicate key violates primary key"), "key_violation", False),
        (duckdb.BinderException("Referenced column not found"), "schema_mismatch", False),
        (KeyError("no such thing"), "code_error", False),
        (RuntimeError("something nobody has seen"), "unknown", False),
    ],
)
def test_an_exception_has_a_class(error: BaseException, failure_class: str, transient: bool) -> None:
    found = classify(error)
    assert (found.failure_class, found.transient) == (failure_class, transient)
    assert found.because


def test_the_cause_speaks_where_the_outer_error_says_nothing() -> None:
    assert classify(caused(RuntimeError("landing failed"), ConnectionRefusedError("port 5432"))).transient


def test_a_chain_that_loops_ends() -> None:
    error = RuntimeError("a")
    error.__cause__ = ValueError("b")
    error.__cause__.__cause__ = error
    assert classify(error).failure_class == "unknown"


@pytest.mark.parametrize(
    ("message", "failure_class"),
    [
        ("Runtime Error in model x\n  Conversion Error: Could not convert string", "data_invalid"),
        ("Compilation Error in model x\n  'foo' is undefined", "code_error"),
        ("Runtime Error in model x\n  Out of Memory Error: failed to allocate", "resource_exhausted"),
        ("This model has an enforced contract that failed.", "schema_mismatch"),
        ("dbt said something else", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_message_alone_has_a_class(message: str, failure_class: str) -> None:
    assert classify_message(message).failure_class == failure_class
