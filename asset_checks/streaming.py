"""Checks of the streaming domain. Its document sets two limits. Both are checked over exact sliding windows, by the
time of the event and by the time of the load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asset_checks.stated import StatedCheck

TABLES: Mapping[str, Mapping[str, Any]] = {
    # This table holds deliveries that have been replaced. It is usually empty, which is correct.
    "silver.int_stream_repeats": {"expected": False},
}

FEEDS = ("streams", "songs", "users")

STATED = (
    StatedCheck(
        name="validation_error_rate",
        asset="bronze.streams",
        table="silver.rec_stream_validation",
        failing="not is_error_rate_within",
        says="business_date || ': ' || worst_error_window_errors || ' of ' || worst_error_window_events"
        " || case when worst_error_window_events = 1 then ' stream is an error' else ' streams are errors' end"
        " || ' in the 15 minutes to ' || worst_error_window_end || ' (' || clock || ' time)'",
        description="In no 15 minutes are more than 5 % of the streams refused or without a known song and user.",
        advice="Look at the quarantine of these streams; the day is not served until it passes.",
        failure_class="data_invalid",
        evidence=(
            "business_date",
            "clock",
            "worst_error_rate",
            "worst_error_window_errors",
            "worst_error_window_events",
            "worst_error_window_end",
        ),
        order="worst_error_rate desc, business_date desc",
        date_column="business_date",
        feeds=FEEDS,
    ),
    StatedCheck(
        name="reference_integrity",
        asset="bronze.streams",
        table="silver.rec_stream_validation",
        failing="not is_reference_within",
        says="business_date || ': ' || worst_reference_violations"
        " || ' streams name unknown songs or users in the hour to ' || worst_reference_window_end"
        " || ' (' || clock || ' time)'",
        description="No hour has more than 10 streams that name an unknown song or user.",
        advice="Ask the catalogue's owner about these songs and users; the day is not served until it passes.",
        failure_class="reference_violation",
        evidence=(
            "business_date",
            "clock",
            "reference_violations",
            "worst_reference_violations",
            "worst_reference_window_end",
        ),
        order="worst_reference_violations desc, business_date desc",
        date_column="business_date",
        feeds=FEEDS,
        counts="worst_reference_violations",
        counted_as="reference_violations",
    ),
)
