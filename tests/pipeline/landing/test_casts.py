"""The values that each type accepts and refuses, especially those that guessing readers get wrong."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import duckdb
import pytest

from ops_project.model.feed.column import Column
from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read import casts

REFUSED = "refused"
D, T = Decimal, datetime
CASES = [
    # (type and options, format, {text: value})
    (
        {"type": "string"},
        {},
        {"0012": "0012", "9e+05": "9e+05", "17850.0": "17850.0", " a ": " a ", "": None, "NULL": "NULL"},
    ),
    ({"type": "string", "trim": True}, {}, {" a ": "a", "  ": None}),
    (
        {"type": "string"},
        {"null_values": ("", "NULL", "\\N")},
        {"NULL": None, "\\N": None, "null": "null", " NULL": " NULL"},
    ),
    ({"type": "string"}, {"null_values": ()}, {"": "", "x": "x"}),
    (
        {"type": "integer"},
        {},
        {
            "7": 7,
            "-7": -7,
            "+7": 7,
            "007": 7,
            " 7 ": 7,
            "": None,
            "  ": None,
            "1.5": REFUSED,
            "1.0": REFUSED,
            "17850.0": REFUSED,
            "9e2": REFUSED,
            "1_000": REFUSED,
            "0x1F": REFUSED,
            "2147483647": 2147483647,
            "2147483648": REFUSED,
            "1,000": REFUSED,
            "true": REFUSED,
            "７": REFUSED,
            "1 2": REFUSED,
            "--1": REFUSED,
            "-": REFUSED,
        },
    ),
    (
        {"type": "integer", "accept": ["zeros"]},
        {},
        {"17850.0": 17850, "17850.": 17850, "-3.00": -3, "1.5": REFUSED, "9e2": REFUSED},
    ),
    (
        {"type": "bigint", "accept": ["exponent"]},
        {},
        {"9e+05": 900000, "1.5e1": 15, "1.5e0": REFUSED, "12": 12, "1e30": REFUSED},
    ),
    ({"type": "smallint"}, {}, {"32767": 32767, "32768": REFUSED}),
    (
        {"type": "integer"},
        {"thousands": ".", "decimal": ","},
        {"1.000": 1000, "1.2": REFUSED, "1000": 1000, "12.34.567": REFUSED},
    ),
    (
        {"type": "decimal(6,2)"},
        {},
        {
            "1.5": D("1.50"),
            "1.50": D("1.50"),
            "1.500": D("1.50"),
            "1.005": REFUSED,
            "-0.01": D("-0.01"),
            ".5": D("0.50"),
            "5.": D("5.00"),
            "9999.99": D("9999.99"),
            "10000.00": REFUSED,
            "1e2": REFUSED,
            "nan": REFUSED,
            "1,5": REFUSED,
            "5": D("5.00"),
        },
    ),
    (
        {"type": "decimal(6,2)", "accept": ["rounding"]},
        {},
        {"1.005": D("1.01"), "-1.005": D("-1.01"), "1.0049": D("1.00")},
    ),
    (
        {"type": "decimal(10,2)", "accept": ["exponent"]},
        {},
        {"9e+05": D("900000.00"), "2.5e-1": D("0.25"), "2.555e0": REFUSED},
    ),
    (
        {"type": "decimal(10,2)"},
        {"decimal": ",", "thousands": "."},
        {"1.234,56": D("1234.56"), "1234,5": D("1234.50"), "1.5": REFUSED, "12.34,5": REFUSED},
    ),
    (
        {"type": "decimal(38,10)"},
        {},
        {
            "1234567890123456789012345678.0123456789": D("1234567890123456789012345678.0123456789"),
            "99999999.9999999999": D("99999999.9999999999"),
            "100000000.0000000000": D("100000000"),
            "-0.0000000001": D("-0.0000000001"),
            "1.5": D("1.5"),
            "1.00000000001": REFUSED,
            "12345678901234567890123456789": REFUSED,
        },
    ),
    (
        {"type": "decimal(38,0)"},
        {},
        {"9" * 18: D("9" * 18), "1" + "0" * 18: D(10**18), "9" * 38: D("9" * 38), "9" * 39: REFUSED, "007": D(7)},
    ),
    (
        {"type": "decimal(38,0)", "accept": ["exponent"]},
        {},
        {"99999999999999999999.9e0": REFUSED, "5e2": D(500), "9e19": D(9 * 10**19)},
    ),
    (
        {"type": "decimal(38,2)", "accept": ["exponent"]},
        {},
        {"99999999999999999999.999e0": REFUSED, "99999999999999999999.99e0": D("99999999999999999999.99")},
    ),
    ({"type": "decimal(38,20)"}, {}, {"1.5": D("1.5"), "0.00000000000000000001": D("1e-20"), "1e0": REFUSED}),
    (
        {"type": "double"},
        {},
        {
            "1.5": 1.5,
            "9e+05": 900000.0,
            "-.5": -0.5,
            "nan": REFUSED,
            "inf": REFUSED,
            "1e400": REFUSED,
            "0x1": REFUSED,
            "1_0": REFUSED,
        },
    ),
    ({"type": "double", "accept": ["infinity"]}, {}, {"inf": float("inf"), "-Infinity": float("-inf"), "nan": REFUSED}),
    ({"type": "boolean"}, {}, {"true": True, "FALSE": False, "1": True, "no": False, "maybe": REFUSED, "2": REFUSED}),
    ({"type": "boolean", "true_values": ["J"], "false_values": ["N"]}, {}, {"j": True, "N": False, "true": REFUSED}),
    (
        {"type": "date"},
        {},
        {
            "2026-11-01": date(2026, 11, 1),
            " 2026-11-01": date(2026, 11, 1),
            "2026-1-5": REFUSED,
            "2026/11/01": REFUSED,
            "01/11/2026": REFUSED,
            "2026-02-30": REFUSED,
            "2026-11-01 00:00:00": REFUSED,
            "infinity": REFUSED,
            "epoch": REFUSED,
        },
    ),
    (
        {"type": "date", "format": "%d/%m/%Y"},
        {},
        {
            "03/04/2026": date(2026, 4, 3),
            "31/12/2026": date(2026, 12, 31),
            "12/31/2026": REFUSED,
            "2026-11-01": REFUSED,
            "03/04/26": REFUSED,
        },
    ),
    (
        {"type": "date", "format": ["%Y%m%d", "%d.%m.%Y"]},
        {},
        {"20260403": date(2026, 4, 3), "03.04.2026": date(2026, 4, 3)},
    ),
    (
        {"type": "timestamp"},
        {},
        {
            "2026-11-01 10:00:00": T(2026, 11, 1, 10),
            "2026-11-01T10:00:00Z": T(2026, 11, 1, 10),
            "2026-11-01T10:00:00+02:00": T(2026, 11, 1, 8),
            "2026-11-01 10:00:00.123456": T(2026, 11, 1, 10, 0, 0, 123456),
            "2026-11-01 10:00:00.1234567": REFUSED,
            "2026-11-01": REFUSED,
            "2026-11-01 25:00:00": REFUSED,
            "2026-11-01 10:00": T(2026, 11, 1, 10),
            "yesterday": REFUSED,
        },
    ),
    (
        {"type": "timestamp", "timezone": "America/New_York"},
        {},
        {
            "2026-07-01 10:00:00": T(2026, 7, 1, 14),
            "2026-12-01 10:00:00": T(2026, 12, 1, 15),
            "2026-12-01T10:00:00Z": T(2026, 12, 1, 10),
        },
    ),
    (
        {"type": "timestamp", "format": ["%d/%m/%Y %H:%M", "%Y-%m-%dT%H:%M:%S%z"]},
        {},
        {"03/04/2026 09:30": T(2026, 4, 3, 9, 30), "2026-04-03T09:30:00+0130": T(2026, 4, 3, 8)},
    ),
    (
        {"type": "timestamp", "format": "unix"},
        {},
        {"0": T(1970, 1, 1), "1700000000": T(2023, 11, 14, 22, 13, 20), "1.5": REFUSED},
    ),
    ({"type": "timestamp", "format": "unix_ms"}, {}, {"1700000000123": T(2023, 11, 14, 22, 13, 20, 123000)}),
    ({"type": "time"}, {}, {"10:30": time(10, 30), "10:30:05": time(10, 30, 5), "25:00": REFUSED, "1030": REFUSED}),
]


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        yield opened


@pytest.mark.parametrize(
    ("options", "file_format", "expected"), CASES, ids=[f"{case[0]} {case[1] or ''}".strip() for case in CASES]
)
def test_values(connection, options, file_format, expected):
    column, form = Column.model_validate(options), Format.model_validate(file_format)
    text = casts.text_of("raw", column, form)
    value = casts.typed("t", column, form)
    failed = (
        " OR ".join(f"({check.predicate})" for check in casts.checks("t", "v", column, False, "" in form.null_values))
        or "false"
    )
    for raw, wanted in expected.items():
        found = connection.execute(
            f"SELECT t, v, typeof(v), {failed} FROM (SELECT *, {value} AS v FROM (SELECT {text} AS t FROM (SELECT nullif(?::VARCHAR, '') AS raw)))",
            [raw],
        ).fetchone()
        assert found is not None
        if wanted is REFUSED:
            assert found[1] is None and found[3] is True, (raw, found)
        else:
            assert found[1] == wanted and not found[3], (raw, found)
            assert found[2] == column.sql_type


def test_nan_is_taken_where_the_contract_says_so(connection):
    column = Column.model_validate({"type": "double", "accept": ["nan"]})
    [(value,)] = connection.execute(
        f"SELECT isnan({casts.typed('t', column, Format())}) FROM (SELECT 'NaN' AS t)"
    ).fetchall()
    assert value is True
