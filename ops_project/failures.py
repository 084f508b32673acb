"""What failed, and whether trying again can help: exception → failure class, transient or permanent.

Looks at types and messages along the chain of causes, imports none of the libraries that raise them, and says `unknown`
where it does not know. Unknown is permanent: a retry that nobody can justify hides the failure for its duration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ops_project.model.failure_class import FailureClass

TRANSIENT: frozenset[FailureClass] = frozenset({"connection_failure", "lock_contention", "timeout"})


class Unusable(RuntimeError):
    """Something that the program needs cannot be used; the message says what, where, and what to do next."""


@dataclass(frozen=True)
class Classified:
    """A failure class, whether a retry can help, and what gave it away."""

    failure_class: FailureClass
    transient: bool
    because: str


# First match wins, the outermost exception first. (class, exception type names, pattern in "Type: message")
_RULES: tuple[tuple[FailureClass, frozenset[str], str | None], ...] = (
    ("config_error", frozenset({"ConfigError", "SettingsError"}), None),
    ("lock_contention", frozenset({"LockTimeout"}), None),
    ("lock_contention", frozenset({"IOException", "OperationalError"}), r"could not set lock|database is locked"),
    ("lock_contention", frozenset({"TransactionException"}), r"conflict"),
    ("storage_full", frozenset(), r"no space left|disk quota|disk (is )?full|errno 28\b|errno 122\b"),
    ("resource_exhausted", frozenset({"OutOfMemoryException", "MemoryError"}), None),
    ("resource_exhausted", frozenset(), r"out of memory|cannot allocate memory|too many open files|throttl(ed|ing)"),
    ("timeout", frozenset({"TimeoutError", "ReadTimeout", "ConnectTimeout", "Timeout", "QueryCanceled"}), None),
    ("connection_failure", frozenset({"ConnectionError", "HTTPException", "SSLError"}), None),
    (
        "connection_failure",
        frozenset({"OperationalError", "InterfaceError", "EndpointConnectionError", "NewConnectionError"}),
        None,
    ),
    ("connection_failure", frozenset(), r"connection (was )?(refused|reset|closed|timed out)|network is unreachable"),
    ("connection_failure", frozenset(), r"temporary failure in name resolution|could not connect"),
    ("key_violation", frozenset({"IntegrityError", "ConstraintException"}), r"unique|primary key|duplicate"),
    ("data_invalid", frozenset({"ConversionException", "IntegrityError", "ConstraintException"}), None),
    ("schema_mismatch", frozenset(), r"contract.*(mismatch|failed|enforced)|column .* (does not exist|not found)"),
    ("schema_mismatch", frozenset({"BinderException", "CatalogException"}), None),
    ("process_killed", frozenset({"DagsterExecutionInterruptedError", "KeyboardInterrupt", "SystemExit"}), None),
    ("code_error", frozenset({"CompilationError", "ParserException", "ParsingError", "SyntaxError"}), None),
    (
        "code_error",
        frozenset(
            {"TypeError", "AttributeError", "NameError", "KeyError", "IndexError", "ImportError", "AssertionError"}
        ),
        None,
    ),
)


def classify(error: BaseException) -> Classified:
    """The failure class of an exception and of what caused it."""
    chain = list(_chain(error))
    for found in chain:
        names = {cls.__name__ for cls in type(found).__mro__}
        text = f"{type(found).__name__}: {found}"
        for failure_class, types, pattern in _RULES:
            if types and not types & names:
                continue
            if pattern is not None and not re.search(pattern, text, re.IGNORECASE):
                continue
            return Classified(failure_class, failure_class in TRANSIENT, text.splitlines()[0][:300])
    return Classified("unknown", False, f"{type(error).__name__}: {error}".splitlines()[0][:300])


def classify_message(message: str) -> Classified:
    """The failure class of a message alone, where a library hands over text and no exception (dbt)."""
    for failure_class, types, pattern in _RULES:
        named = any(re.search(rf"\b{_spaced(name)}\b", message) for name in types)
        fits = pattern is not None and bool(re.search(pattern, message, re.IGNORECASE))
        if (named and (pattern is None or fits)) or (not types and fits):
            return Classified(failure_class, failure_class in TRANSIENT, message.splitlines()[0][:300])
    return Classified("unknown", False, (message.splitlines() or [""])[0][:300])


def _spaced(name: str) -> str:
    """ConversionException, ParsingError → how DuckDB and dbt write it: `Conversion Error`, `Parsing Error`."""
    stem = re.sub(r"(Error|Exception)$", "", name)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", r"\\s?", stem) + r"\s?(Error|Exception)"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
