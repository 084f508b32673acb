"""failure_classes.yaml: the rules that find the failure class of an error. The order of the rules counts."""

from __future__ import annotations

import errno
import re
import signal
from typing import Any

from pydantic import Field, field_validator

from ops_project.model.alerting.rule import FirstResponse
from ops_project.model.base import Model
from ops_project.model.failure_class import FailureClass
from ops_project.model.oncall.escalation import ClassRoles


def _pattern(value: str | None) -> str | None:
    if value is not None:
        try:
            re.compile(value, re.IGNORECASE)
        except re.error as error:
            raise ValueError(f"{value!r} is not a regular expression: {error}") from None
    return value


class CodeRule(Model):
    """The failure class of a code. `transient` is given only if it differs between this code and its class."""

    failure_class: FailureClass = Field(alias="class")
    """The failure class of the code."""
    transient: bool | None = None
    """Whether a retry can help. Default: the answer for the class."""


class TypeRule(Model):
    """A rule for exceptions of these types whose message fits."""

    types: tuple[str, ...] = Field(min_length=1)
    """Names of exception classes: the exception's own class, or a class from which it derives."""
    words: str | None = None
    """A regular expression that must match a part of the message. It ignores case."""
    failure_class: FailureClass = Field(alias="class")
    """The failure class of these exceptions."""
    transient: bool | None = None
    """Whether a retry can help. Default: the answer for the class."""

    _valid = field_validator("words")(_pattern)


class WordRule(Model):
    """A rule for words in a message. Words within names and values do not count."""

    words: str
    """A regular expression. It ignores case."""
    failure_class: FailureClass = Field(alias="class")
    """The failure class of a message with these words."""
    transient: bool | None = None
    """Whether a retry can help. Default: the answer for the class."""

    _valid = field_validator("words")(_pattern)


Coded = dict[str, CodeRule]


def _coded(value: Any) -> Any:
    """Accepts `"23505": key_violation` as a short form of `"23505": {class: key_violation}`."""
    if not isinstance(value, dict):
        return value
    return {str(code): {"class": item} if isinstance(item, str) else item for code, item in value.items()}


class Codes(Model):
    """Rules for structured codes. A code counts before a type, and a type counts before words."""

    sqlstate: Coded = {}
    """Codes of PostgreSQL and other databases: five characters, or the first two or more of them."""
    errno: Coded = {}
    """Error codes of the operating system, by name: ENOSPC."""
    http: Coded = {}
    """Status of an answer: 429, or 5 for every status from 500 to 599."""
    service: Coded = {}
    """Error codes of cloud services, for example NoSuchBucket."""
    sqlite: Coded = {}
    """SQLite's error names, or the beginning of a name: SQLITE_BUSY."""
    signal: Coded = {}
    """The signal that ended a process: SIGKILL."""

    _short = field_validator("sqlstate", "errno", "http", "service", "sqlite", "signal", mode="before")(_coded)

    @field_validator("errno")
    @classmethod
    def _known_errno(cls, value: Coded) -> Coded:
        valid = {name for name in dir(errno) if name.startswith("E")}
        # The operating system may have two names for one number, for example EAGAIN and EWOULDBLOCK.
        known = _known(value, valid, "error of the operating system")
        return {errno.errorcode[getattr(errno, name)]: rule for name, rule in known.items()}

    @field_validator("signal")
    @classmethod
    def _known_signal(cls, value: Coded) -> Coded:
        return _known(value, {item.name for item in signal.Signals}, "signal")


def _known(value: Coded, valid: set[str], what: str) -> Coded:
    for name in value:
        if name not in valid:
            raise ValueError(f"{name!r} is not a known {what}; for example {', '.join(sorted(valid)[:5])}")
    return value


class FailureClasses(Model):
    """failure_classes.yaml: the rules that find the failure class of an error. The first rule of a list that fits
    counts.
    """

    transient: tuple[FailureClass, ...] = ()
    """The classes for which a retry can help."""
    codes: Codes = Codes()
    types: tuple[TypeRule, ...] = ()
    words: tuple[WordRule, ...] = ()
    first_responses: dict[FailureClass, FirstResponse] = {}
    """Failure class → what to do first. It applies to the alerts of all generic rules. An entry of rules.yaml wins."""
    class_roles: dict[FailureClass, ClassRoles] = {}
    """Failure class → who is needed, and what level 2 does first. An overlay's own escalation.yaml wins."""
