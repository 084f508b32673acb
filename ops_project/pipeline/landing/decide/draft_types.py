"""Finds the narrowest type of a contract that fits all values of a column. The module is pure: a function that the
caller gives (`Fits`) tells whether the values load.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ops_project.counted import counted

ABSENT = ("NA", "N/A", "n/a", "#N/A", "NULL", "null", "None", "nan", "NaN", "-", "--", "?", ".", "n.a.")
Fits = Callable[[Sequence[str], Mapping[str, Any]], bool]
"""A function of two arguments: values, none of which is empty, and the keys of a column. It tells whether landing would
load every one of these values.
"""

# Columns with these names are identifiers although their values look like numbers: nobody adds up telephone numbers.
IDENTIFIERS = re.compile(
    r"(^|_)(zip|zipcode|zip_code|postal|postal_code|postcode|plz|phone|telephone|tel|telefon|mobile|fax|ean|gtin|isbn|upc"
    r"|iban|bic|account_number|account_no|card_number|ssn|vat_id)($|_)"
)
TIMES_BY_NAME = re.compile(
    r"(^|_)(ts|time|times|timestamp|epoch|at|created|updated|modified|date|day|when|unix|posted|logged)(_|$)|time$|stamp$"
)
DAYS = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %B %Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%y/%m/%d",
    "%d-%b-%y",
    "%d-%m-%y",
    "%Y.%m.%d",
)
CLOCKS = (
    "",
    " %H:%M:%S",
    " %H:%M",
    "T%H:%M:%S",
    "T%H:%M",
    " %H:%M:%S.%f",
    "T%H:%M:%S.%f",
    " %I:%M:%S %p",
    " %I:%M %p",
    " %I:%M:%S%p",
    " %I:%M%p",
    ", %H:%M:%S",
    ", %H:%M",
    "%H%M%S",
    " %H%M%S",
    ":%H:%M:%S",
)
OFFSETS = ("", "%z", " %z")
TIMES = ("%H:%M", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H.%M", "%H%M%S")
MONEY_SCALE, MOST_SCALE, MOST_DIGITS = 2, 12, 38
LOOKED_AT = 3000
_SHAPES = {"Y": r"\d{4}", "y": r"\d{2}", "b": r"[A-Za-z]{3}\.?", "B": r"[A-Za-z]+", "p": r"[AaPp][Mm]", "f": r"\d{1,9}"}
# A pattern for the codes of a format (such as `%d`) whose leading zero may be missing. A code that another code follows
# directly keeps its zero: `%Y%m%d` needs every digit.
_NUMBERS = re.compile(r"\d+")
_PADDED = re.compile(r"(?<!%[A-Za-z])%([dmHI])(?!%)")
_TRUE, _FALSE = {"true", "t", "yes", "y"}, {"false", "f", "no", "n"}


def looks_typed(values: Sequence[str]) -> bool:
    """Whether all values are numbers or times, apart from words such as NA. In such a column, a word of this kind can
    only mean that there is no value.
    """
    others = [value for value in values if value and value not in ABSENT]
    return bool(others) and all(
        re.fullmatch(r"[+-]?[\d.,]*\d[\d.,]*([eE][+-]?\d+)?|\d[\d/.:T -]+.*", v) for v in others
    )


def comma(values: Sequence[str]) -> bool:
    """Whether the values are numbers with a decimal comma."""
    return (
        any("," in value for value in values)
        and all(re.fullmatch(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?", value) for value in values)
        and not grouped(values)
    )


def grouped(values: Sequence[str]) -> bool:
    """Whether the values are numbers with commas between the thousands."""
    # If a value has commas before a point, its commas certainly separate thousands. Then other values may have four and
    # more digits without commas.
    sure = any(re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+\.\d+", value) for value in values)
    whole = r"(\d+|\d{1,3}(,\d{3})+)" if sure else r"\d{1,3}(,\d{3})*"
    return any("," in value for value in values) and all(
        re.fullmatch(rf"[+-]?{whole}(\.\d+)?", value) for value in values
    )


def type_of(
    name: str, values: Sequence[str], layout: Mapping[str, Any], fits: Fits
) -> tuple[dict[str, Any], list[str]]:
    """The keys of the column, and doubts about them. A type is proposed only if every value fits it."""
    if not values:
        return {"type": "string"}, ["no value in the file"]
    distinct = list(dict.fromkeys(values))
    for keys, notes in _candidates(name, distinct, layout):
        if fits(distinct, keys):
            return dict(keys), notes
    return {"type": "string"}, []


def _candidates(name: str, values: Sequence[str], layout: Mapping[str, Any]) -> Any:
    reason = _is_identifier(name, values)
    if reason is not None:
        yield {"type": "string"}, [reason] if reason else []
        return
    yield from _unix(name, values)
    yield from _moments(values, compact=True)
    plain = _plain(values, layout.get("decimal", "."), layout.get("thousands"))
    if plain:
        yield from _numbers(plain)
        return
    lowered = {value.lower() for value in values}
    if lowered <= _TRUE | _FALSE and ((lowered & _TRUE and lowered & _FALSE) or lowered <= {"true", "false"}):
        yield {"type": "boolean"}, []
        return
    yield from _moments(values, compact=False)


def _is_identifier(name: str, values: Sequence[str]) -> str | None:
    digits = [value for value in values if re.fullmatch(r"[+]?\d+", value)]
    if len(digits) < len(values):
        return None
    if any(re.fullmatch(r"0\d+", value) for value in values):
        same = {len(value) for value in values}
        if len(same) == 1 and _moment_shaped(values):
            return None
        return "leading zeros, so it is not a number"
    if any(value.startswith("+") and len(value) > 7 for value in values):
        return "telephone numbers, which are not numbers to calculate with"
    if IDENTIFIERS.search(name):
        return "digits that are not a number to calculate with"
    return None


def _moment_shaped(values: Sequence[str]) -> bool:
    return all(re.fullmatch(r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])(19|20)\d\d", value) for value in values)


def _plain(values: Sequence[str], decimal: str, thousands: str | None) -> list[str]:
    """The values in Python's spelling of numbers. Empty if one of them is not a number. A date with dots is not a
    number.
    """
    whole = rf"(\d+|\d{{1,3}}({re.escape(thousands)}\d{{3}})+)" if thousands else r"\d+"
    point = re.escape(decimal)
    form = re.compile(rf"[+-]?(({whole}({point}\d*)?|{point}\d+)([eE][+-]?\d+)?|[iI]nf(inity)?)")
    if not all(form.fullmatch(value) for value in values):
        return []
    return [(value.replace(thousands, "") if thousands else value).replace(decimal, ".") for value in values]


def _numbers(plain: Sequence[str]) -> Any:
    """Number types, from the narrowest to the widest. The caller tries them in this order."""
    finite = [value for value in plain if value.strip("+-")[:1].lower() != "i"]
    if len(finite) < len(plain):
        yield {"type": "double", "accept": ["infinity"]}, []
        return
    spelled = sum("e" in value.lower() for value in plain)
    exponent = spelled > 0
    if 2 * spelled > len(plain):
        yield {"type": "double"}, []
        return
    places = max(_places(value) for value in plain)
    digits = max(_digits(value) for value in plain)
    if places == 0:
        accept = [word for word, seen in (("zeros", any("." in v for v in plain)), ("exponent", exponent)) if seen]
        notes = [f"accept: {', '.join(accept)}, because some numbers are written like that"] if accept else []
        more: dict[str, Any] = {"accept": accept} if accept else {}
        if digits <= 9 and not exponent and not accept:
            yield {"type": "integer"}, []
        yield {"type": "bigint"} | more, notes
        if not accept:
            yield {"type": "decimal(38,0)"}, []
            yield {"type": "string"}, ["more than 38 digits, which no number type holds"]
    if digits + places <= MOST_DIGITS and places <= MOST_SCALE:
        scale = max(places, MONEY_SCALE)
        precision = 18 if digits + scale <= 18 else MOST_DIGITS
        more = {"accept": ["exponent"]} if exponent else {}
        notes = [f"{places} decimal places"] if places > MONEY_SCALE else []
        yield {"type": f"decimal({precision},{scale})"} | more, notes
    yield {"type": "double"}, [f"up to {counted(places, 'decimal place')}: floating point, not exact"]


# No type can hold a power of ten whose exponent has more digits than this.
POWER_DIGITS = 7


def _parts(value: str) -> tuple[str, str, int]:
    mantissa, _, power = value.lower().lstrip("+-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    sign = -1 if power.startswith("-") else 1
    return whole, fraction, sign * int(power.lstrip("+-").lstrip("0")[:POWER_DIGITS] or 0)


def _places(value: str) -> int:
    _, fraction, power = _parts(value)
    return max(0, len(fraction.rstrip("0")) - power if fraction.strip("0") else -min(power, 0) if power < 0 else 0)


def _digits(value: str) -> int:
    whole, _, power = _parts(value)
    return max(1, len(whole.lstrip("0")) + max(power, 0))


def _unix(name: str, values: Sequence[str]) -> Any:
    """The timestamp format for values that are seconds, milliseconds or microseconds since 1970. All values must lie in
    the years 2000 to 2049.
    """
    if not all(re.fullmatch(r"\d{10}|\d{13}|\d{16}", value) for value in values):
        return
    sizes = {len(value) for value in values}
    if len(sizes) != 1:
        return
    size = sizes.pop()
    if not all(946_684_800 <= int(value[:10]) < 2_524_608_000 for value in values):
        return
    if size == 10 and not TIMES_BY_NAME.search(name):
        return
    if size == 13 and IDENTIFIERS.search(name):
        return
    form, unit = {10: ("unix", "seconds"), 13: ("unix_ms", "milliseconds"), 16: ("unix_us", "microseconds")}[size]
    yield {"type": "timestamp", "format": form}, [f"{size} digits: {unit} since 1970, UTC"]


def _moments(values: Sequence[str], compact: bool) -> Any:
    """Dates, times and timestamps that fit all values.

    `compact`: try only the formats without separators. A value in such a format could also be a number.
    """
    if compact:
        if all(re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", value) for value in values):
            yield {"type": "date", "format": "%Y%m%d"}, []
        if all(re.fullmatch(r"(19|20)\d{6}([01]\d|2[0-3])[0-5]\d[0-5]\d", value) for value in values):
            yield {"type": "timestamp", "format": "%Y%m%d%H%M%S"}, [ZONE]
        if _moment_shaped(values):
            yield {"type": "date", "format": "%d%m%Y"}, []
        return
    yield {"type": "date"}, []
    offset = all(value.endswith("Z") or re.search(r"[+-]\d{2}:?\d{2}$", value[10:]) for value in values)
    yield {"type": "timestamp"}, [] if offset else [ZONE]
    yield {"type": "time"}, []
    for form in TIMES:
        if all(map(_shape(form).fullmatch, values[:LOOKED_AT])):
            yield {"type": "time", "format": form}, []
            yield {"type": "time", "format": loosened(form)}, []
    forms = [
        day + clock + offset
        for day, clock in itertools.product(DAYS, CLOCKS)
        for offset in (OFFSETS if clock else ("",))
        if any(map(_shape(day + clock + offset).fullmatch, values[:LOOKED_AT]))
    ]
    whole = [form for form in forms if all(map(_shape(form).fullmatch, values))]
    for position, form in enumerate(whole):
        notes = _said(form, whole[position + 1 :], values)
        yield _moment(form), notes
        yield _moment(loosened(form)), [loosened(note) for note in notes]
    for chosen in itertools.chain(itertools.combinations(forms, 2), itertools.combinations(forms[:8], 3)):
        shapes = [_shape(form) for form in chosen]
        forms_of = [list(chosen), list(map(loosened, chosen))]
        if {_has_clock(form) for form in chosen} and all(any(s.fullmatch(value) for s in shapes) for value in values):
            kind = "timestamp" if any(map(_has_clock, chosen)) else "date"
            for several in forms_of:
                yield {"type": kind, "format": several}, ["several formats; for each value the first that fits is used"]


ZONE = "timezone: UTC is meant; write timezone: Europe/London, if not"


def _moment(form: str) -> dict[str, Any]:
    return {"type": "timestamp" if _has_clock(form) else "date", "format": form}


def loosened(form: str) -> str:
    """The format that also accepts days, months and hours without a leading zero, as in `1/5/2026` and `9:05`."""
    return _PADDED.sub(r"%-\1", form)


def _has_clock(form: str) -> bool:
    return re.search("%-?[HI]", form) is not None


def _said(form: str, others: Sequence[str], values: Sequence[str]) -> list[str]:
    notes = []
    day = form[:8]
    swapped = {"%d": "%m", "%m": "%d"}
    mirror = swapped.get(form[:2], form[:2]) + form[2:3] + swapped.get(form[3:5], form[3:5]) + form[5:]
    # A regular expression checks only where digits stand: 31/01 matches month/day, but no month 31 exists.
    as_month = 0 if day[:2] == "%d" else 1
    if day[:2] in swapped and mirror in others and all(int(_NUMBERS.findall(one)[as_month]) <= 12 for one in values):
        notes.append(f"or {mirror}: the sample fits both")
    if _has_clock(form) and not form.endswith("%z"):
        notes.append(ZONE)
    return notes


def _shape(form: str) -> re.Pattern[str]:
    """The regular expression for texts of a strptime format. Days and months may lack their leading zero."""
    if form not in _COMPILED:
        pieces = re.split(r"(%.)", form)
        text = "".join(
            _SHAPES.get(piece[1], r"[+-]\d\d:?\d\d|Z" if piece == "%z" else r"\d{1,2}")
            if piece[:1] == "%"
            else re.escape(piece)
            for piece in pieces
        )
        text = text.replace(r"[+-]\d\d:?\d\d|Z", r"([+-]\d\d:?\d\d|Z)")
        _COMPILED[form] = re.compile(text)
    return _COMPILED[form]


_COMPILED: dict[str, re.Pattern[str]] = {}
