"""SQL that casts texts to dates, times and timestamps, and handles the hours that clocks skip or repeat. Under a
format, a text is accepted if writing the value in the same format gives the same text. DuckDB alone would read `130`
under `%H%M` as 13:00, and day 366 as a day of the next year.
"""

from __future__ import annotations

from dataclasses import dataclass

from ops_project.model.feed.column import Column
from ops_project.model.feed.moment_format import OFFSET, spelling
from ops_project.sql_text import literal

BLANKS = "E' \\t\\r\\n'"
# The engine writes dates and timestamps with this number of characters. Other values, such as 'infinity', have another
# length.
WIDTHS = {"date": 10, "timestamp": 19}
_ANY_BLANKS = r"[ \t\r\n]*"
_OFFSET = f"(Z|z|{OFFSET})"
# A year 0 does not exist.
_YEAR = r"([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_DAY = _YEAR + r"-[0-9]{2}-[0-9]{2}"
_HOUR = r"([01][0-9]|2[0-3])"
_ISO = _DAY + r"[ T]" + _HOUR + r":[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?"
_FULL = _DAY + r"[ T]" + _HOUR + r":[0-9]{2}:[0-9]{2}(\.[0-9]{1,6}0*)?"
# Other spellings of a timestamp: without seconds, with a comma, without separators, with a named zone.
_FRACTION = r"([.,][0-9]{1,6}0*)?"
_OTHER = (
    rf"({_DAY}[ Tt]{_HOUR}:[0-9]{{2}}(:[0-9]{{2}}{_FRACTION})?"
    rf"|{_YEAR}[0-9]{{4}}[Tt]{_HOUR}[0-9]{{2}}([0-9]{{2}}{_FRACTION})?)"
)
_OTHER_ZONE = rf" ?([Zz]|UTC|GMT|{OFFSET})(\[[A-Za-z0-9_/+-]+\])?"
_LAST = "TIMESTAMP '9999-12-31 23:59:59.999999'"
# Name of a format → the number of microseconds in its unit, and the most digits with which the timestamp cannot
# overflow.
_UNIX = {"unix": (1_000_000, 11), "unix_ms": (1_000, 14), "unix_us": (1, 17)}


@dataclass(frozen=True)
class ClockChange:
    """The check for local times that do not exist in their zone, or that exist twice.

    `predicate`: SQL that is true if the text is a local time at all.
    """

    reason: str
    predicate: str


def trimmed(text: str) -> str:
    """SQL of the text without blanks around it."""
    return f"trim({text}, {BLANKS})"


def fits(text: str, regex: str) -> str:
    """SQL that is true if the text, without the blanks around it, matches this regular expression."""
    return f"regexp_full_match({text}, {literal(f'{_ANY_BLANKS}({regex}){_ANY_BLANKS}')})"


def typed(text: str, column: Column) -> str:
    """SQL of a date, a time or a timestamp (UTC) from a text. NULL if the text is none of these."""
    if column.base_type != "timestamp":
        value = _naive(text, column)
        return f"CAST({value} AS {column.sql_type})" if column.formats else value
    if column.formats:
        options = [_stamp(text, item, column) for item in column.formats]
        return options[0] if len(options) == 1 else f"coalesce({', '.join(options)})"
    direct = f"TRY_CAST({text} AS TIMESTAMP)"
    canonical = _canonical(text)
    return (
        f"CASE WHEN strlen({text}) = 19 AND CAST({direct} AS VARCHAR) = {text} THEN {_local(direct, column)} "
        f"WHEN {fits(text, _ISO)} THEN {_local(f'TRY_CAST({trimmed(text)} AS TIMESTAMP)', column)} "
        f"WHEN {fits(text, _FULL + _OFFSET)} AND {text} NOT LIKE '%z%' THEN {_utc(trimmed(text))} "
        f"WHEN {fits(text, _OTHER)} THEN {_local(f'TRY_CAST({canonical} AS TIMESTAMP)', column)} "
        f"WHEN {fits(text, _OTHER + _OTHER_ZONE)} THEN {_utc(canonical)} END"
    )


def _utc(text: str) -> str:
    return _of_calendar(f"timezone('UTC', TRY_CAST({text} AS TIMESTAMPTZ))")


def _of_calendar(moment: str) -> str:
    """SQL of a UTC moment. NULL if an offset moves the moment out of the years 1 to 9999. Other years are unknown to
    some readers of the table.
    """
    return f"CASE WHEN {moment} BETWEEN TIMESTAMP '0001-01-01' AND {_LAST} THEN {moment} END"


def _canonical(text: str) -> str:
    """SQL that turns another spelling into the one that the engine reads, such as 2026-01-05T10:00:00.5+00."""
    sql = f"replace(upper(regexp_replace({trimmed(text)}, '\\[.*\\]$', '')), ',', '.')"
    basic = "^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})"
    sql = f"regexp_replace({sql}, '{basic}', '\\1-\\2-\\3T\\4:\\5:')"
    sql = f"regexp_replace({sql}, '^([0-9-]{{10}}[ T][0-9]{{2}}:[0-9]{{2}}):?([^:0-9]|$)', '\\1:00\\2')"
    sql = f"regexp_replace({sql}, ' ?(Z|UTC|GMT)$', '+00')"
    return f"regexp_replace({sql}, ' ([+-])', '\\1')"


def _naive(text: str, column: Column) -> str:
    """SQL of a date or a time, or of the local time of a timestamp without offset."""
    kind = column.base_type
    if column.formats:
        options = [_written(text, item) for item in column.formats if item not in _UNIX and not spelling(item).zoned]
        if kind != "timestamp":
            options = [_stamp(text, item, column) for item in column.formats]
        return f"coalesce({', '.join([*options, 'NULL'])})"
    if kind == "date":
        # The limit of ten characters excludes 'infinity' and '2024-01-05 (BC)'. DuckDB reads both and writes them in
        # the same spelling, so the second condition alone would accept them.
        direct = f"TRY_CAST({text} AS DATE)"
        return (
            f"CASE WHEN strlen({text}) = 10 AND CAST({direct} AS VARCHAR) = {text} THEN {direct} "
            f"WHEN {fits(text, _DAY)} THEN {direct} END"
        )
    if kind == "time":
        return (
            f"CASE WHEN {fits(text, _HOUR + ':[0-9]{2}(:[0-9]{2}([.][0-9]{1,6}0*)?)?')} "
            f"THEN TRY_CAST({text} AS TIME) END"
        )
    return (
        f"CASE WHEN {fits(text, _ISO)} THEN TRY_CAST({trimmed(text)} AS TIMESTAMP) "
        f"WHEN {fits(text, _OTHER)} THEN TRY_CAST({_canonical(text)} AS TIMESTAMP) END"
    )


def _stamp(text: str, item: str, column: Column) -> str:
    """SQL of one format's value. The value of a timestamp is in UTC."""
    if item in _UNIX:
        return (
            f"CASE WHEN {fits(text, f'[+-]?[0-9]{{1,{_UNIX[item][1]}}}')} "
            f"THEN {_of_calendar(f'make_timestamp(TRY_CAST({text} AS BIGINT) * {_UNIX[item][0]})')} END"
        )
    value = _written(text, item)
    if column.base_type == "time":
        return f"CAST({value} AS TIME)"
    return _local(value, column) if column.base_type == "timestamp" and not spelling(item).zoned else value


def _written(text: str, item: str) -> str:
    """SQL of the value under a strptime format. NULL if writing the value again does not give the text. A value with an
    offset is in UTC, and any other value is local.
    """
    form, value = spelling(item), trimmed(text)
    if form.regex is None:
        parsed = f"try_strptime({value}, {literal(item)})"
        checked = f"lower(strftime({parsed}, {literal(form.plain)})) = lower({value})"
        whole = parsed
    else:
        plain = f"regexp_replace({value}, {literal(f'^{form.regex}$')}, {literal(form.replacement)})"
        parsed = f"try_strptime({plain}, {literal(form.plain)})"
        checked = (
            f"regexp_full_match({value}, {literal(form.regex)}) "
            f"AND lower(strftime({parsed}, {literal(form.plain)})) = lower({plain})"
        )
        given = f"regexp_replace({value}, '[Zz]$', '+00')" if item.endswith("%z") else value
        whole = f"try_strptime({given}, {literal(item)})"
        whole = _of_calendar(f"timezone('UTC', {whole})") if form.zoned else whole
    # A year has four digits.
    years = f" AND year({parsed}) BETWEEN 1000 AND 9999" if "%Y" in form.plain else ""
    return f"CASE WHEN {checked}{years} THEN {whole} END"


def _local(local: str, column: Column) -> str:
    """SQL of the UTC moment of a local time. NULL if clocks skip this time, or if clocks repeat it and the contract
    refuses repeated times.
    """
    if column.timezone in (None, "UTC"):
        return local
    zone = column.timezone
    assert zone is not None
    moment = f"timezone('UTC', timezone({literal(zone)}, {local}))"
    other = other_moment(moment, local, zone)
    chosen = {
        "first": f"least({moment}, {other})",
        "second": f"greatest({moment}, {other})",
        "refuse": f"CASE WHEN {other} IS NULL THEN {moment} END",
    }[column.ambiguous]
    return f"CASE WHEN {local_time(moment, zone)} = {local} THEN {_of_calendar(chosen)} END"


def local_time(moment: str, zone: str) -> str:
    """SQL of the local time of a UTC moment."""
    return f"timezone({literal(zone)}, timezone('UTC', {moment}))"


def other_moment(moment: str, local: str, zone: str) -> str:
    """SQL of the other UTC moment that has this local time; NULL if there is none. The other moment is found with the
    zone's offset on the day before or the day after `moment`.
    """
    around = []
    for day in ("- INTERVAL 1 DAY", "+ INTERVAL 1 DAY"):
        candidate = f"({local} - ({local_time(f'({moment} {day})', zone)} - ({moment} {day})))"
        around.append(
            f"CASE WHEN {candidate} <> {moment} AND {local_time(candidate, zone)} = {local} THEN {candidate} END"
        )
    return f"coalesce({', '.join(around)})"


def exists_twice(value: str, text: str, column: Column) -> str:
    """SQL that is true if `text` is a local time that occurs twice and `value` is one of its two moments."""
    assert column.timezone is not None
    other = other_moment(value, local_time(value, column.timezone), column.timezone)
    return f"coalesce({_naive(text, column)} IS NOT NULL AND {other} IS NOT NULL, false)"


def clock_change(text: str, column: Column) -> ClockChange | None:
    """The check for local times that do not exist in the column's zone, or that exist twice and are refused. None if
    the column has no zone.
    """
    if column.timezone in (None, "UTC"):
        return None
    reason = f"does not exist in {column.timezone}: clocks skip it"
    if column.ambiguous == "refuse":
        reason = f"does not exist in {column.timezone}, or exists twice: clocks are changed"
    return ClockChange(reason, f"{_naive(text, column)} IS NOT NULL")
