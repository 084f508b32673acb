"""Why a mutant survives: classes of edits that change no table, and what protects against them. A survivor outside
of these classes shows that a test is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

UNEXPLAINED = "No reason is known: a test is missing"


@dataclass(frozen=True)
class Reason:
    """A reason, and the mutants that have it: patterns of the model, and of the place and the words of the edit."""

    text: str
    model: str
    words: str

    def fits(self, model: str, words: str) -> bool:
        return bool(re.fullmatch(self.model, model) and re.search(self.words, words, re.DOTALL))


@dataclass(frozen=True)
class Reasons:
    """The reasons, in the order in which they are tried. The first reason that fits counts."""

    known: tuple[Reason, ...]

    def of(self, model: str, place: str, text: str) -> str:
        return next((reason.text for reason in self.known if reason.fits(model, f"{place}: {text}")), UNEXPLAINED)


RANKED = (
    r"_line DESC|\.line DESC|cdc_seq DESC|genre|song_id|window_end|contact_id DESC|response_id DESC|channel_code"
    r"|run_id DESC|state|business_date DESC|daily_revenue\.order_date"
)
REASONS = Reasons(
    (
        Reason(
            "No two rows of the window have the same place in its order. The order ends with a value that "
            "distinguishes the rows: the line of a file, the number that the source gives, or the key of the input "
            "rows. Rows of a dimension with the same content make no further version.",
            r".*",
            rf"ORDER BY [^()]*({RANKED})( NULLS LAST)?\): row_number becomes rank",
        ),
        Reason(
            "The order of the content only has to be the same in every build: it chooses between two rows of a day that "
            "nothing else tells apart.",
            r"dim_.*",
            r"order of state is turned",
        ),
        Reason(
            "The parts of a key are required by the contracts, and by the tests of the keys: they are never NULL.",
            r"(dim|fact|sat|ma_sat|eff_sat)_.*",
            r"COALESCE\(CAST\((policy_id|business_date|valid_from|song_id|user_id|customer_id|product_id) AS TEXT\), '\\N'\) becomes",
        ),
        Reason(
            "The state is a digest and never NULL, unless the contract ends the keys that an extract lacks: with that it "
            "is tested in dim_customers, by the same macro.",
            r"dim_.*",
            r"without NOT state IS NULL",
        ),
        Reason(
            "The expression only saves work. Without it, more rows are read or written, and they stay as they are.",
            r".*",
            r"is_base AND known_valid_to|without is_base|known_valid_to IS NOT DISTINCT FROM valid_to"
            r"|extracts: without WHERE business_date >=|repeated: (without HAVING )?COUNT\(\*\) > 1"
            r"|deliveries: INNER JOIN repeated becomes LEFT|wanted: select without distinct"
            r"|candidates: select without distinct|known: INNER JOIN candidates becomes LEFT|\(join key of (candidates)\)"
            r"|known: without candidates\.transaction_id|known: without WHERE ready\.has_transactions"
            r"|around: without order_date BETWEEN|select without distinct: SELECT DISTINCT [\w, ]+ FROM \w+ WHERE business_date"
            r"|INNER JOIN wanted becomes LEFT|dates: select without distinct"
            r"|orders: without WHERE business_date IN|without WHERE (stated|learnt)\.\w+ IN"
            r"|hub_\w+: without (status = 'replaced'|NOT load_seq IS NULL) \(where\) \(place [2-9]\)"
            r"|foreign_days: select without distinct",
        ),
        Reason(
            "The branches of the union differ in a constant or in a sign, or all their measures are 0. Within a "
            "branch the rows have a key. So no row occurs twice.",
            r".*",
            r"union all becomes the other",
        ),
        Reason(
            "A row without a partner is left out by the next step all the same: its date, its status or its key is NULL there.",
            r".*",
            r"(rates|violations): INNER JOIN brought_errors becomes LEFT|rates: INNER JOIN published becomes LEFT"
            r"|buyers: INNER JOIN int_customer_days AS \w+ becomes LEFT|listened: without WHERE NOT listened_at IS NULL"
            r"|movements: without WHERE NOT valid_to IS NULL|(partitions_missing|partitions_delivered|refused): INNER JOIN"
            r"|days: INNER JOIN UNNEST|inputs: INNER JOIN batches AS batches becomes LEFT",
        ),
        Reason(
            "Both sides have the same groups of the same rows.",
            r".*",
            r"INNER JOIN (listeners|totals|spans|centred|shapes|slopes|noises|dates) becomes LEFT",
        ),
        Reason(
            "The expression counts the rows of a group, and a group has at least one row.",
            r".*",
            r"NULLIF\((\w+\.)?(listens|trading_days_7d|contacts|active_units|buyers|units), 0\) becomes"
            r"|LAG\((active_units|buyers)\) OVER \([^()]*\) > 0(: the end counts| \(case\)$)|LAG\((active_units|buyers)\) OVER \([^()]*\) without partition by \w+$",
        ),
        Reason(
            "The other parts of the condition find the same row, because a file holds a number only once, and the "
            "day follows from the moment.",
            r"int_streams|int_stream_moments",
            r"without repeats\.\w+ = streams|without loaded\.business_date = refused_moments\.business_date",
        ),
        Reason(
            "All rows of the partition are equal in it.",
            r"stg_policy_changes",
            r"order of cdc_seq DESC is turned",
        ),
        Reason(
            "Only one of the branches that are added up has values other than 0 in this column, and these are not "
            "negative. A data test of the model (holds: counts are not negative) checks this in every build.",
            r"int_customer_days|int_product_days",
            r"result: SUM\((orders|undone_orders|sales_orders|units|units_returned|gross_revenue|unconverted_lines|web_events"
            r"|product_views|cart_additions)\): Sum becomes Max",
        ),
        Reason(
            "The fourth Thursday of November lies far from both ends of the month: a day more or less stays in November.",
            r"int_investor_days|rec_engagement_days|kpi_aggregate_engagement",
            r"EXTRACT\(ISODOW FROM [\w.]+\) \+ 3: 3 becomes 4$",
        ),
        Reason(
            "A day without history has fewer earlier days than are needed, so it is not judged in either case.",
            r"data_anomalies",
            r"expectations: LEFT JOIN \w+ becomes INNER|history: INNER JOIN observations AS earlier becomes LEFT",
        ),
        Reason(
            "There is one row of each key here, which the primary key of the model before it guards: the largest is the "
            "smallest.",
            r"rec_engagement_days|customer_360",
            r"by_day: MAX\(CASE WHEN measure|consents: MAX\(consent_status\)|noises: MAX|baseline: MAX\(points\)"
            r"|by_day: MAX\(points\)",
        ),
        Reason(
            "It is the numerator of a ratio that is NULL where there is no contact.",
            r"customer_360",
            r"COALESCE\(contacts_of_customer\.(responded|converted)_contacts_\d+d, 0\) becomes",
        ),
        Reason(
            "Two files of one date and part are never valid at the same time, because the later one replaces the "
            "other. A file holds a key only once. So this part of the order never decides.",
            r".*",
            r"order of (\w+\.)?_?(load_seq|line) DESC is turned",
        ),
        Reason(
            "An extract holds each unit of an arm only once, and a unit in two arms is left out. So one row of each "
            "unit is left.",
            r"int_experiment_assignments",
            r"assigned: ROW_NUMBER|result: without place = 1",
        ),
        Reason(
            "What stands before or after it has the same effect: the ratio is only taken where the divisor is above zero, or "
            "the next step gives the same for NULL and for 0.",
            r".*",
            r"NULLIF\(LAG\(|NULLIF\(profit_before, 0\)|LAG\((revenue|profit)\) OVER \([^()]*\) > 0: the end counts"
            r"|daily: COALESCE\(sales\.(revenue|profit), 0\) becomes .*\(place 2\)|profit_before > 0: the end counts"
            r"|weekday_noise: NULLIF\(COUNT\(\*\) - COUNT\(DISTINCT history\.weekday\), 0\) becomes",
        ),
        Reason(
            "The limit is compared with a number of many digits that an approximation gives. No data gives exactly "
            "the limit.",
            r".*",
            r"q_value <= 0.05: the end is left out|chi_square > 10.828: the end|compared\.margin [<>] 0: the end"
            r"|distance > 4.5 .*: the end|z_score > 3.5: the end|z_score < -2\.85?: the end|z_score\) > .*: the end",
        ),
        Reason(
            "The rows are divided into the same two groups.",
            r"campaign_360|campaign_performance",
            r"p_value IS NULL is negated",
        ),
        Reason(
            "The number is never 0 here: of eight or more days a baseline leaves several degrees of freedom.",
            r"rec_engagement_days",
            r"noises\.degrees > 0: |without noises\.degrees > 0",
        ),
        Reason(
            "Every row of bronze has its file in the journal of landing.",
            r".*",
            r"result: INNER JOIN batches AS batches becomes LEFT|LEFT JOIN files becomes INNER",
        ),
        Reason(
            "A period without deliveries, and a version that was not known in time, are left out by the condition that follows.",
            r"fact_reported_metrics",
            r"ready: INNER JOIN deliveries becomes LEFT|known: INNER JOIN versions becomes LEFT",
        ),
        Reason(
            "Of a period that is reported every file has come: the days of the spend are those of the transactions.",
            r"fact_reported_metrics",
            r"inputs: without batches\.feed = 'transactions' \(case\)",
        ),
        Reason(
            "The edited text comes from the macro is_us_holiday. An edit of the macro is noticed in "
            "int_investor_days, where every holiday and the days around it are tested.",
            r"rec_engagement_days",
            r"days: \(*EXTRACT\((DAY|MONTH|ISODOW) FROM business_date",
        ),
        Reason(
            "It is the text of a macro, is_plausible: an edit of it is noticed in int_investor_deliveries and "
            "int_delivered_days, where the first and the last date that count are tested.",
            r"kpi_policies|int_streams",
            r"BETWEEN CAST\('1900-01-01' AS DATE\) AND .* without its (first|last) value|LEAST\(CAST\('9999-12-31'"
            r"|GREATEST\(CAST\('0001-01-01'|CAST\('[\d-]+' AS DATE\) \+ CAST\(1 AS BIGINT\)",
        ),
        Reason(
            "Whether there is one at all: a sum of ones and zeros is above 0 where the largest of them is.",
            r"fact_reported_metrics",
            r"ready: SUM\(CASE WHEN deliveries\.\w+ THEN (0 ELSE 1|1 ELSE 0) END\): Sum becomes Max",
        ),
        Reason(
            "An extract gives each experiment one last date and each arm one share: the largest is the smallest.",
            r"kpi_experiment_\w+",
            r"MAX\((last_date|expected_share)\): Max becomes Min",
        ),
        Reason(
            "The rows that it doubles are equal, and the next step takes one of them.",
            r"fact_orders|rec_engagement_days",
            r"published: INNER JOIN repeated becomes LEFT|published: without deliveries\.\w+ = repeated"
            r"|without levels\.measure = shapes\.measure",
        ),
        Reason(
            "Only keys with several deliveries are ranked, which saves work. The single row of any other key would "
            "be ranked first as well.",
            r"fact_.*|int_.*",
            r"HAVING COUNT\(\*\) > 1|COUNT\(\*\) > 1: the end counts|without HAVING MIN\(versions\._load_seq\)",
        ),
        Reason(
            "greatest() passes NULL over.",
            r"data_anomalies",
            r"standardized: COALESCE\(noise, 0\) becomes",
        ),
        Reason(
            "The sums of a period without days are NULL, and NULL is what a missing row gives.",
            r"executive_summary",
            r"previous_period: INNER JOIN days becomes LEFT",
        ),
    )
)
