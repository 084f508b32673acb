"""checks.yaml: the weights and the limits of the checks."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ops_project.model.base import Model
from ops_project.model.failure_class import FailureClass
from ops_project.model.holiday_calendar import HolidayCalendar

Share = Annotated[float, Field(ge=0, le=1)]
Severity = Literal["critical", "high", "medium", "low"]
Weight = Annotated[Decimal, Field(ge=0)]


class ScoreWeights(Model):
    """Relative weights. If a dimension does not apply to a table, its weight is distributed to the others."""

    completeness: Weight
    """Weight of the share of required values that are filled."""
    validity: Weight
    """Weight of the share of rows that fulfil the rules."""
    uniqueness: Weight
    """Weight of the share of rows whose key does not repeat."""
    consistency: Weight
    """Weight of the share of references that exist."""
    timeliness: Weight
    """Weight of the age of the newest data."""

    @model_validator(mode="after")
    def _not_all_zero(self) -> ScoreWeights:
        if not sum((self.completeness, self.validity, self.uniqueness, self.consistency, self.timeliness)):
            raise ValueError("the weights of the score are all 0; at least one must be positive")
        return self


class Score(Model):
    """The quality score from 0 to 100. Both limits are exact and apply to the score before rounding."""

    weights: ScoreWeights
    high_below: Decimal = Field(gt=0, le=100)
    """Below this the score is a finding of high severity."""
    critical_below: Decimal = Field(gt=0, le=100)
    """Below this the next layer is not built."""
    window_dates: int = Field(ge=1)
    """How many of the newest dates are scored, for a table that grows by date."""
    recent_hours: float = Field(gt=0)
    """Dates that were touched by a load within this many past hours are scored as well."""
    max_rows: int = Field(ge=1)
    """Dates are scored from the newest on, until they hold this many rows."""

    @model_validator(mode="after")
    def _ordered(self) -> Score:
        if self.critical_below > self.high_below:
            raise ValueError(f"critical_below {self.critical_below} lies above high_below {self.high_below}")
        return self


class FreshnessLimits(Model):
    """Limits for the age of the newest data, in hours. Closed days do not count."""

    stale_hours: float = Field(gt=0)
    """From this age on the data is stale."""
    very_stale_hours: float = Field(gt=0)
    """From this age on the data is very stale."""
    critical_tiers: tuple[int, ...]
    """The tiers whose very stale tables are critical. Those of other tiers are high."""

    @model_validator(mode="after")
    def _ordered(self) -> FreshnessLimits:
        if self.stale_hours >= self.very_stale_hours:
            raise ValueError(f"stale_hours {self.stale_hours} is not below very_stale_hours {self.very_stale_hours}")
        return self


class Volume(Model):
    """Compares the number of rows of a business date with earlier dates."""

    min_points: int = Field(ge=3)
    """With fewer earlier dates the result is unknown, which is reported and is not a failure."""
    confidence: float = Field(gt=0.5, lt=1)
    """The confidence of the two-sided prediction interval."""
    large_change: float = Field(default=0.3, gt=0, lt=1)
    """A change of the row count is large from this share of the expected rows on. A broken load loses about this share.
    A large change needs only `large_confidence`.
    """
    large_confidence: float = Field(default=0.999, gt=0.5, lt=1)
    """The confidence that a large change needs to be reported."""
    trend_from: int = Field(ge=5)
    """With at least this many dates, growth is part of the model."""
    weekday_from: int = Field(ge=14)
    """With at least this many days of history, each weekday has a level of its own."""
    history: int = Field(ge=8)
    """The number of earlier dates that are compared."""
    min_relative_noise: Share
    """The least standard deviation that is assumed, relative to the level, because a constant series has none."""
    recent_hours: float = Field(gt=0)
    """The newest date is checked, and every date that was touched by a load within this many past hours."""
    busy_holidays: HolidayCalendar | None = None
    """Country, or country-subdivision, of the `holidays` library. On its public holidays many rows are expected."""


class Quarantine(Model):
    """The limits for the share of a load's rows that were quarantined."""

    medium: Share
    """Above this share the severity is medium."""
    high: Share
    """Above this share the severity is high."""


class Duplicates(Model):
    """Business keys that occur in more than one batch."""

    window_dates: int = Field(ge=1)
    """The number of newest dates in which repeated keys are searched."""
    samples: int = Field(ge=0)
    """The largest number of examples that a finding shows."""


class Columns(Model):
    """Compares the values of a file's columns with those of earlier files."""

    min_points: int = Field(default=8, ge=6)
    """With fewer earlier files the result is unknown, which is reported and is not a failure."""
    history: int = Field(default=28, ge=8)
    """The number of earlier files that are compared."""
    min_rows: int = Field(default=10, ge=2)
    """With fewer values in a column, the distribution is not compared."""
    confidence: float = Field(default=0.99999, gt=0.5, lt=1)
    """The confidence of the two-sided prediction interval of each number. A column fails if two of its numbers are
    outside.
    """
    min_noise: float = Field(default=0.02, ge=0, lt=1)
    """The least noise that is assumed, as a share, because a constant series has none."""


class Anomalies(Model):
    """Which rows of gold.data_anomalies fail the check, and how many days it lists."""

    alert_days: int = Field(ge=1)
    """An anomaly of today, or of up to this many days before today, fails the check."""
    list_days: int = Field(ge=1)
    """Anomalies of this many past days are listed."""


class ArrivalSeverities(Model):
    """The severity of each finding on a feed, by its failure class."""

    source_missing: Severity
    """A file that has not come."""
    source_late: Severity
    """A file that came after its deadline."""
    source_empty: Severity
    """A file of zero bytes."""
    source_partial: Severity
    """A file with fewer rows than it should have."""
    source_duplicate: Severity
    """A file whose bytes were loaded before."""
    schema_mismatch: Severity
    """A file whose structure differs from its contract."""
    data_invalid: Severity
    """A file that cannot be decoded or whose quotes do not balance."""


class QueryCheck(Model):
    """A check that is a query. Without min and max it must return no row. With one or both of them it must return one
    number within these bounds.
    """

    table: str = Field(pattern=r"^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$")
    """The table that is wrong if the check fails, as `schema.table`."""
    sql: str
    """The query: a single SELECT."""
    min: Decimal | None = None
    """The least number that the query may return."""
    max: Decimal | None = None
    """The largest number that the query may return."""
    description: str = ""
    """What holds if the check passes, in a sentence."""
    severity: Severity = "medium"
    """The severity of the finding."""
    blocking: bool = False
    """True: if the check fails, tables that depend on this one are not built."""
    failure_class: FailureClass = "data_invalid"
    """The failure class of the finding."""
    runbook: str | None = None
    """Slug of the runbook for a failure."""

    @model_validator(mode="after")
    def _ordered(self) -> QueryCheck:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} lies above max {self.max}: nothing could pass")
        return self


class Checks(Model):
    """checks.yaml: the limits of the checks, and the user's own checks."""

    score: Score
    freshness: FreshnessLimits
    volume: Volume
    quarantine: Quarantine
    duplicates: Duplicates
    columns: Columns = Columns()
    anomalies: Anomalies
    arrival: ArrivalSeverities
    queries: dict[str, QueryCheck] = {}
    """The user's own checks, by name. An overlay adds them in `checks.d/<file>.yaml`."""
