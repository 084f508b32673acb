"""Whether the engine can compile a regular expression. The engine uses RE2, which has no lookahead and no
backreference.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Patterns that Python and RE2 read alike. Other patterns are checked with RE2, whose import takes a tenth of a second.
_SURE = re.compile(
    r"(?:\\[dDwWsSbB.*+?()\[\]{}|^$\\/@ -]|\(\?:|\((?!\?)|[^\\({]|\{[0-9]{1,2}(?:,[0-9]{0,2})?\}(?!\+))*"
)
_POSSESSIVE = re.compile(r"(?<!\\)[*+?}]\+")


@lru_cache(maxsize=512)
def refused_by_engine(pattern: str) -> str | None:
    """Why RE2 refuses the pattern; None if RE2 accepts the pattern."""
    if _SURE.fullmatch(pattern) and not _POSSESSIVE.search(pattern):
        return None
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        return str(error).removeprefix("Invalid regular expression: ")
    return None
