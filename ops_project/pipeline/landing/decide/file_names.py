"""Makes the pattern of a feed's file names from one example. Placeholders stand for the date and the time of day."""

from __future__ import annotations

import re
from datetime import datetime

_DATES = (
    (re.compile(r"(19|20)\d\d-\d\d-\d\d"), "%Y-%m-%d"),
    (re.compile(r"(19|20)\d\d_\d\d_\d\d"), "%Y_%m_%d"),
    (re.compile(r"(19|20)\d\d\.\d\d\.\d\d"), "%Y.%m.%d"),
    (re.compile(r"(?<!\d)(19|20)\d{6}(?=\d{4}(\d\d)?(?!\d))"), "%Y%m%d"),
    (re.compile(r"(?<!\d)(19|20)\d{6}(?!\d)"), "%Y%m%d"),
    (re.compile(r"(?<!\d)\d{4}(19|20)\d\d(?!\d)"), "%d%m%Y"),
    (re.compile(r"\d\d\.\d\d\.(19|20)\d\d"), "%d.%m.%Y"),
    (re.compile(r"\d\d-\d\d-(19|20)\d\d"), "%d-%m-%Y"),
    (re.compile(r"\d\d-[A-Z][a-z]{2}-(19|20)\d\d"), "%d-%b-%Y"),
    (re.compile(r"(?<!\d)\d{6}(?!\d)"), "%y%m%d"),
)
_TIME = re.compile(r"(?P<between>[T_ .-]?)(?P<time>([01]\d|2[0-3])[-:_.h]?[0-5]\d([-:_.m]?[0-5]\d)?Z?)(?!\d)")


def name_pattern(file_name: str) -> tuple[str, str]:
    """The pattern of a feed's file names, and a doubt about it. The pattern leaves out the `.gz` of a compressed file,
    because landing ignores this ending when it compares names.

    A time of day becomes `{part}`, so that several files of a date exist side by side. If a later file replaces the
    earlier ones of its date, `{revision}` is right instead. `{revision}` is not proposed: if it is wrong, rows are
    lost, but no rows are lost if `{part}` is wrong.
    """
    name = file_name.removesuffix(".gz")
    for pattern, form in _DATES:
        for found in pattern.finditer(name):
            if not _is_date(found[0], form):
                continue
            before, after = _escaped(name[: found.start()]), name[found.end() :]
            if (time := _TIME.match(after)) is not None:
                rest = _escaped(after[time.end() :])
                return (
                    f"{before}{{date:{form}}}{time['between']}{{part}}{rest}",
                    f"the time {time['time']} in the file's name is {{part}}, so that several files of a date stand "
                    "side by side; write {revision} where a later file replaces the earlier one",
                )
            return f"{before}{{date:{form}}}{_escaped(after)}", ""
    return _escaped(name), ""


def _escaped(text: str) -> str:
    """The text as a part of a pattern. A brace would begin a placeholder, so `?`, which matches any character, takes
    its place.
    """
    return re.sub(r"[{}]", "?", text)


def _is_date(text: str, form: str) -> bool:
    try:
        day = datetime.strptime(text, form)  # noqa: DTZ007 - only whether it is one
    except ValueError:
        return False
    return 1990 <= day.year <= 2060
