"""Reads a failure from text. It finds the exceptions in a log, the codes and types that they name, and their plain
words.

A log shows an exception together with its causes. A line of code in a traceback is not evidence, and a word within a
name or a value is not evidence either. This module knows no failure class.
"""

from __future__ import annotations

import errno
import re
import signal
from collections.abc import Iterator
from functools import lru_cache

# These are the forms in which codes stand in a message. Tables, columns and files do not have names of these forms.
_TEXT_CODES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("sqlstate", re.compile(r"\bSQLSTATE[\s:=(\[]*([0-9A-Z]{5})\b", re.IGNORECASE)),
    ("errno", re.compile(r"\[Errno (\d+)\]")),
    ("service", re.compile(r"An error occurred \((\w+)\) when calling")),
    (
        "http",
        re.compile(r"\bHTTP Error (\d{3})\b|\b(\d{3}) (?:Client|Server) Error\b|(?:Client|Server) error '(\d{3}) "),
    ),
    ("http", re.compile(r"\b(?:status|status code|response code|HTTP/[\d.]+)[\s:=]+(\d{3})\b", re.IGNORECASE)),
    ("http", re.compile(r"\bHTTP (?:GET|PUT|POST|HEAD|DELETE) error .*\(HTTP (\d{3})|\bHTTP code (\d{3})\b")),
    ("sqlite", re.compile(r"\b(SQLITE_[A-Z_]+)\b")),
    ("exit", re.compile(r"\bexit(?:ed with)? (?:status|code) (1[2-9]\d)\b")),
    ("signal", re.compile(r"\b(?:signal|Signals\.)\s*(SIG[A-Z]+|\d{1,2})\b", re.IGNORECASE)),
)
# A type stands at the start of a line, or in the place where a library quotes the error that it wraps.
_NAMED = re.compile(
    r"(?:^|\(Caused by |\(|: |<)(?:E\s+|[\s>|])*(?:[A-Za-z_]\w*\.)*"
    r"([A-Z]\w*(?:Error|Exception|Timeout|Interrupt|Exit|Violation|Failure|Canceled|Unavailable|Column|Table|Function)"
    r"|StopIteration|StopAsyncIteration|BadStatusLine|IncompleteRead|RemoteDisconnected|gaierror|TimeoutExpired|BadZipFile)(?=[:()\s]|$)"
)
# A type may have any name if its module stands before the name: psycopg2.errors.UndefinedColumn, zlib.error.
_DOTTED = re.compile(r"(?:^|\()(?:E\s+|[\s>|])*(?:[A-Za-z_]\w*\.)+([A-Z]\w*(?=[:)]|$)|error(?=:))")
# dbt writes the name of the model first: hub_customer: Binder Error: …
_SPACED = re.compile(
    r"^(?:E\s+|[\s|>])*(?:[a-z_][\w.]*: )?"
    r"((?:[A-Z][A-Za-z]*|[a-z]+)(?: [A-Za-z]+){0,3}) (?:Error|Exception)(?=:| in |\s*$)"
)


# Python prints one of these sentences between a cause and the exception that it led to. Python prints the outermost
# exception last.
CAUSED = "The above exception was the direct cause of the following exception:"
DURING = "During handling of the above exception, another exception occurred:"
_BETWEEN = re.compile(rf"^\s*(?:{re.escape(CAUSED)}|{re.escape(DURING)})\s*$", re.MULTILINE)
# A line of a traceback that names a place in the code, together with the quoted code and the marks below it.
_FRAME = re.compile(r'^(\s+)File ".*", line \d+.*(?:\n\1\s+\S.*)*\n?', re.MULTILINE)


def exceptions(text: str) -> list[str]:
    """The texts of a log about each exception of a chain, the outermost first, without quoted code."""
    return [_FRAME.sub("", part) for part in reversed(_BETWEEN.split(text))]


def codes(text: str) -> Iterator[tuple[str, str, str]]:
    """Each structured code in a text: (its kind, the code, the line)."""
    for kind, pattern in _TEXT_CODES:
        for match in pattern.finditer(text):
            code = next(group for group in match.groups() if group)
            line = _line_at(text, match.start())
            if kind == "errno":
                yield kind, errno.errorcode.get(int(code), ""), line
            elif kind == "exit":
                yield "signal", signal_name(int(code) - 128), line
            elif kind == "signal":
                yield kind, signal_name(int(code)) if code.isdecimal() else code.upper(), line
            else:
                yield service_or_status(code) if kind == "service" else kind, code, line


def service_or_status(code: str) -> str:
    """The kind of a cloud service's code: http for the status of an answer, service for the name of an error."""
    return "http" if code.isdecimal() else "service"


def signal_name(number: int) -> str:
    """The name of a signal, for example SIGKILL for 9; empty if there is no such signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""


def _spaced_names(name: str) -> tuple[str, str]:
    """The two names of an exception that DuckDB and dbt write with blanks: `outofmemoryexception` and
    `outofmemoryerror` for `Out of Memory Error`. Names are compared in lower case.
    """
    stem = re.sub(r"(error|exception)$", "", name.replace(" ", "").lower())
    return f"{stem}exception", f"{stem}error"


def names_in(line: str) -> list[tuple[str, ...]]:
    """The names of the exceptions in a line, the innermost first. The line itself has the innermost name last."""
    spaced = _SPACED.match(line)
    found = [(match[1],) for pattern in (_DOTTED, _NAMED) for match in pattern.finditer(line)]
    return [*([_spaced_names(spaced[1])] if spaced else []), *reversed(dict.fromkeys(found))]


def _line_at(text: str, at: int) -> str:
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    return text[start : len(text) if end < 0 else end].strip()


_QUOTED = re.compile(r"(?<!\w)'[^'\n]*'(?!\w)|\"[^\"\n]*\"|`[^`\n]*`")
# This is the SQL statement that an engine repeats below its message, or that SQLAlchemy shows.
_STATEMENT = re.compile(r"^\s*LINE \d+:.*$|\[SQL: [\s\S]*?\](?=\s*(?:\[parameters|\(Background|$))", re.MULTILINE)
_REPEATED = re.compile(r"((?:Error|Exception|Timeout)\((?:-?\d+, )?)(['\"])([^'\"\n]*)\2")
_COMPOUND = re.compile(r"\S*\w[_./\\@:]\w\S*")
_NAMING = re.compile(
    r"\b(column|table|model|relation|view|schema|feed|asset|step|op|job|macro|node|check|test|source|seed|file|key|"
    r"index|role|user|host|function|type|name|named|value|dataset|bucket|queue|topic)(:? +)(?!(?:is|was|are|not|does|"
    r"do|with|has|have|had|constraint|constraints|error|already|of|in|for|and|or|on|at|to|by|could|can|cannot|must|"
    r"may|"
    r"missing|mismatch|found|violates|exists|limit|required|undefined|named|resolution|refused|locked|conflict|matches|match|expects|"
    r"expected|takes|returns|did|should|needs|failed|fails|arguments?|closed|larger|limits?|size|descriptor|disk|pages?|version|server|unreachable|lookup)\b)\S+",
    re.IGNORECASE,
)


@lru_cache(maxsize=512)
def without_names(text: str) -> str:
    """`text` without statements, quotations, paths and names. Only the program's own words remain."""
    # Where an exception is printed as code, for example KeyError('x'), its argument is its message.
    plain = _REPEATED.sub(r"\1\3", _STATEMENT.sub("", text))
    plain = _QUOTED.sub(" … ", plain)
    plain = _COMPOUND.sub(" … ", plain)
    return _NAMING.sub(r"\1\2…", plain)
