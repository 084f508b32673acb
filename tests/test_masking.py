"""A rule of masking is left out if a text lacks what the rule needs. Such a rule would not have changed the text."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from ops_project import masking

PIECES = (
    *("password", "passwd", "Secret", "TOKEN", "api_key", "api-key", "apikey", "Authorization", "routing_key"),
    *(
        "to\u212aen",
        "\u017fecret",
        "author\u0131zation",
        "bearer ",
        "=",
        ": ",
        " ",
        "-",
        "(",
        ")",
        "+",
        "@",
        "://",
        ".",
        ":",
    ),
    *(
        "https",
        "user",
        "example.com",
        "a",
        "Z",
        "GB82",
        "WEST",
        "1234",
        "5698",
        "7654",
        "32",
        "1",
        "555",
        "617",
        "\u0663",
    ),
    *("0123456789", "078-05-1120", "(617) 555-1234", "+1 617 555 1234", "+16175551234", "4111 1111 1111 1111"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(max_size=30))
@example("GB82 WEST 1234 5698 7654 32")
@example("1617 555123")
@example("1617-555123 4111111111111111")
def test_every_rule_that_would_mask_something_is_applied(text: str) -> None:
    expected = text
    for pattern, replacement, _ in masking._RULES:
        expected = pattern.sub(replacement, expected)
    assert masking.mask(text) == expected
