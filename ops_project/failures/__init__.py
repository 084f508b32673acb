"""Finds the failure class of an exception, and whether a retry can help (transient) or not (permanent).

The evidence for each class is data (`config/failure_classes.yaml`). Structured codes count before the types of
exceptions, and types count before words. A word within a name or a value is not evidence.

A failure that fits no class is `unknown`, which is permanent, because a retry without a reason would hide the failure.

This module imports none of the libraries that raise the exceptions.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

from ops_project.causes import chain
from ops_project.failures.text import codes, exceptions, names_in, service_or_status, signal_name, without_names
from ops_project.failures.types import known
from ops_project.model.failure_class import FailureClass
from ops_project.model.failure_rules import CodeRule, FailureClasses, TypeRule, WordRule

Level = Literal["code", "type", "words"]
CONFIDENCE: dict[Level, float] = {"code": 0.95, "type": 0.85, "words": 0.65}
DOUBT = 0.2
"""How much a second class that also fits reduces the confidence in the first."""
LONGEST = 300


class Unusable(RuntimeError):
    """Something that the program needs cannot be used. The message names it, says where it is, and what to do next."""


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence for a class."""

    failure_class: FailureClass
    transient: bool
    level: Level
    what: str
    """The evidence that was recognized: `SQLSTATE 23505`, `ConversionException`, `words: timed out`."""
    said: str
    """The line that contains the evidence."""
    attempt: int = 1


@dataclass(frozen=True)
class Classified:
    """A failure class, whether a retry can help, and the evidence."""

    failure_class: FailureClass
    transient: bool
    because: str
    confidence: float = 0.0
    """The confidence from 0 to 1. It is 0 for `unknown`."""
    evidence: tuple[Evidence, ...] = ()
    also: tuple[FailureClass, ...] = ()
    """Other classes for which there is evidence."""


_installed: list[FailureClasses] = []


def install(rules: FailureClasses) -> None:
    """Use these rules in this process from now on. They are the rules of the loaded configuration."""
    _installed[:] = [rules]


def rules() -> FailureClasses:
    """The rules in force: those that were installed, or else the shipped ones."""
    return _installed[0] if _installed else _shipped()


@lru_cache(maxsize=1)
def _shipped() -> FailureClasses:
    import yaml

    from ops_project.settings import CONFIG_DIR

    text = (CONFIG_DIR / "failure_classes.yaml").read_text(encoding="utf-8")
    return FailureClasses.model_validate(yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


@dataclass(frozen=True)
class Link:
    """One exception of a chain: the names of its types, its message, and its structured codes."""

    names: tuple[str, ...]
    message: str
    codes: tuple[tuple[str, str], ...] = ()
    """(kind, code) for each code. The kind is sqlstate, errno, http, service, sqlite or signal."""


def classify(error: BaseException) -> Classified:
    """The failure class of an exception, found from it and from the exceptions that caused it."""
    return classify_links(link_of(error), f"{type(error).__name__}: {error}")


def link_of(error: BaseException) -> list[Link]:
    """The chain of an exception, the outermost first. If a library stored an exception in another one, the stored
    exception comes first.
    """
    return [
        Link(tuple(cls.__name__ for cls in type(inner).__mro__[:-1]), str(inner), tuple(_codes_of(inner)))
        for outer in chain(error)
        for inner in _wrapped(outer)
    ]


def classify_links(links: Sequence[Link], text: str) -> Classified:
    """The failure class of a chain that `link_of` returned. If nothing is recognized, the reason is the first line of
    `text`.
    """
    return _concluded([item for link in links for item in _of_link(link)], text)


def classify_message(message: str) -> Classified:
    """The failure class of a message alone, for libraries that return text and no exception (dbt)."""
    return _concluded(list(_of_text(message)), message)


def classify_attempts(attempts: Sequence[BaseException | str]) -> Classified:
    """One class for all attempts at the same work, the oldest first.

    The class is the first known class, so that a retry does not hide the first cause. It is transient only if every
    attempt with a known class is transient.
    """
    each = [classify(item) if isinstance(item, BaseException) else classify_message(item) for item in attempts]
    known = [(number, item) for number, item in enumerate(each, 1) if item.failure_class != "unknown"]
    if not known:
        return each[-1] if each else classify_message("")
    first = known[0][1]
    others = [name for _, item in known for name in (item.failure_class, *item.also) if name != first.failure_class]
    evidence = tuple(replace(part, attempt=number) for number, item in known for part in item.evidence)
    return replace(
        first,
        transient=all(item.transient for _, item in known),
        evidence=evidence,
        also=tuple(dict.fromkeys(others)),
    )


def _concluded(found: Sequence[Evidence], text: str) -> Classified:
    line = (text.splitlines() or [""])[0][:LONGEST]
    if not found:
        return Classified("unknown", False, line)
    # The outermost error with a known code or type decides. Words count only if no error has a known code or type.
    strong = [item for item in found if item.level != "words"]
    first = (strong or found)[0]
    also = tuple(dict.fromkeys(item.failure_class for item in found if item.failure_class != first.failure_class))
    confidence = CONFIDENCE[first.level] - (DOUBT if also else 0.0)
    return Classified(
        failure_class=first.failure_class,
        transient=first.transient,
        because=first.said[:LONGEST],
        confidence=confidence,
        evidence=tuple(found),
        also=also,
    )


def _evidence(rule: CodeRule | TypeRule | WordRule, level: Level, what: str, said: str) -> Evidence:
    helps = rule.transient
    if helps is None:
        helps = rule.failure_class in rules().transient
    return Evidence(rule.failure_class, helps, level, what, said.splitlines()[0] if said else what)


def _of_link(link: Link) -> Iterator[Evidence]:
    text = f"{link.names[0]}: {link.message}"
    for kind, code in link.codes:
        rule = _code_rule(kind, code)
        if rule is not None:
            yield _evidence(rule, "code", f"{kind} {code}", text)
            return
    found = _type_rule(link.names, link.message)
    if found is not None:
        yield _evidence(found, "type", link.names[0], text)
        return
    yield from _of_words(link.message)


def _codes_of(error: BaseException) -> Iterator[tuple[str, str]]:
    """Structured codes of one exception, as (kind, code)."""
    names = {cls.__name__ for cls in type(error).__mro__}
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if isinstance(state, str):
        yield "sqlstate", state
    name = getattr(error, "sqlite_errorname", None)
    if isinstance(name, str):
        yield "sqlite", name
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = str(response.get("Error", {}).get("Code", ""))
        yield service_or_status(code), code
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = getattr(response, "status_code", None) or getattr(error, "status_code", None)
        if status is None and "HTTPError" in names:
            status = getattr(error, "code", None)
    if isinstance(status, int) and 400 <= status < 600:
        yield "http", str(status)
    number = getattr(error, "errno", None)
    # The errors of TLS and of name resolution have numbers of their own, which are not errno values.
    if isinstance(number, int) and not names & {"SSLError", "gaierror", "herror"} and number in errno.errorcode:
        yield "errno", errno.errorcode[number]
    ended = getattr(error, "returncode", None)
    if isinstance(ended, int) and (found := signal_name(-ended if ended < 0 else ended - 128)):
        yield "signal", found


def _code_rule(kind: str, code: str) -> CodeRule | None:
    """The rule of a code. If codes are matched by prefix, the longest prefix counts."""
    known = getattr(rules().codes, kind)
    if kind in ("sqlstate", "http", "sqlite"):
        fitting = [prefix for prefix in known if code.startswith(prefix)]
        return known[max(fitting, key=len)] if fitting else None
    found: CodeRule | None = known.get(code)
    if found is None and kind == "service":
        found = next((known[name] for name in known if "*" in name and fnmatchcase(code, name)), None)
    return found


@lru_cache(maxsize=4096)
def _types(rule: TypeRule) -> frozenset[str]:
    return frozenset(name.lower() for name in rule.types)


def _type_rule(names: Iterable[str], text: str) -> TypeRule | None:
    """The rule of the most specific type that has a fitting rule. `names`: the type and its bases, the most specific
    first.
    """
    words = without_names(text)
    for name in names:
        for rule in rules().types:
            if _fits(name.lower(), rule) and (rule.words is None or re.search(rule.words, words, re.IGNORECASE)):
                return rule
    return None


def _fits(name: str, rule: TypeRule) -> bool:
    types = _types(rule)
    return name in types or any("*" in pattern and fnmatchcase(name, pattern) for pattern in types)


def _of_words(text: str) -> Iterator[Evidence]:
    for line in text.splitlines():
        words = without_names(line)
        for rule in rules().words:
            found = re.search(rule.words, words, re.IGNORECASE)
            if found is not None:
                yield _evidence(rule, "words", f"words: {found[0]}", line.strip())
                break


# These types only say that something else failed.
_WRAPPERS = frozenset({"runtimeexception", "databaseexception", "dbtruntimeerror", "dbtdatabaseerror"})


def _of_text(text: str) -> Iterator[Evidence]:
    late: list[Evidence] = []
    for said in exceptions(text):
        for kind, code, line in codes(said):
            rule = _code_rule(kind, code) if code else None
            if rule is not None:
                yield _evidence(rule, "code", f"{kind} {code}", line)
        lines = said.splitlines()
        for number, line in enumerate(lines):
            for names in names_in(line):
                state = next((known().sqlstates[name] for name in names if name in known().sqlstates), "")
                if state and (code_rule := _code_rule("sqlstate", state)) is not None:
                    yield _evidence(code_rule, "code", f"sqlstate {state}", line.strip())
                    continue
                names = (*names, *(known().ancestors.get(names[0], ())))
                type_rule = _type_rule(names, "\n".join(lines[number:]))
                if type_rule is None:
                    continue
                found = _evidence(type_rule, "type", names[0], line.strip())
                if names[0].lower() in _WRAPPERS:
                    late.append(found)
                else:
                    yield found
    yield from late
    for said in exceptions(text):
        yield from _of_words(said)


def _wrapped(error: BaseException, depth: int = 0) -> Iterator[BaseException]:
    """Yields the exceptions that a library stored as values in this exception, the innermost first. Yields the
    exception itself last.
    """
    if depth < 6:
        inside = [getattr(error, name, None) for name in ("orig", "reason", "original_error")]
        inside += list(error.args[:2])
        for item in dict.fromkeys(id(item) for item in inside if isinstance(item, BaseException)):
            found = next(value for value in inside if id(value) == item)
            if isinstance(found, BaseException) and found is not error:
                yield from _wrapped(found, depth + 1)
    yield error
