"""A rule says when an alert fires, how severe the alert is, and what to do first."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field, StringConstraints, field_validator, model_validator

from ops_project.model.alerting.matcher import ConfiguredMatcher
from ops_project.model.base import Model
from ops_project.model.duration import Duration
from ops_project.model.failure_class import FailureClass
from ops_project.model.severity import Severity

RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=120)]
IDENTITY = ("pipeline", "asset", "partition", "check")
RESPONSE_FIELDS = ("table", "feed", "check", "number", "file", "chain", "date")
SUBJECT_LABELS = (*IDENTITY, "domain", "layer", "kind", "feed", "sla", "team")


def _percent(value: Any) -> Any:
    # 5% and 120% are read as 0.05 and 1.2.
    if isinstance(value, str) and value.strip().endswith("%"):
        return float(value.strip()[:-1]) / 100
    return value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _filled(text: str, known: tuple[str, ...]) -> str:
    try:
        text.format_map(dict.fromkeys(known, ""))
    except KeyError as unknown:
        raise ValueError(f"unknown field {{{unknown.args[0]}}}; valid: {', '.join(known)}") from None
    except (ValueError, IndexError) as error:
        raise ValueError(f"{error}; write a brace that is meant as text twice") from None
    return text


class Condition(Model):
    """A condition: `aggregate(metric over window) op threshold`."""

    metric: str
    """The metric whose readings are compared."""
    op: Literal[">", ">=", "<", "<=", "==", "!="] = ">="
    """How the value is compared with the threshold."""
    threshold: Annotated[float, BeforeValidator(_percent)] = 1.0
    """The number with which the value is compared. `5%` means 0.05."""
    aggregate: Literal["last", "count", "sum", "avg", "max", "min", "ratio"] = "last"
    """How the readings become one value. last: the newest reading. count: the number of readings whose state is firing.
    ratio: the sum of the values divided by the sum of the totals.
    """
    window: Duration | None = None
    """The length of the window, which ends now. A reading counts if its `event_at` is in the window."""
    match: tuple[ConfiguredMatcher, ...] = ()
    """A reading counts only if its labels fit all of these matchers."""

    @model_validator(mode="after")
    def _window_fits(self) -> Condition:
        if self.aggregate != "last" and self.window is None:
            raise ValueError(f"aggregate {self.aggregate} needs a window")
        return self


class FirstResponse(Model):
    """What to do first about one failure class. It applies to the alerts of all generic rules."""

    response: str
    """The text. These placeholders are filled in: {table} (schema.table), {feed}, {check}, {number}, {file} (the path
    of a delivered file), {chain} (the name of a reconciliation) and {date} (the only business date of the alert).
    """
    otherwise: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    """One text or several, for alerts for which a placeholder of `response` has no value. The texts are tried in their
    order, and the first text whose placeholders all have values is used. If there is none, the rule's response is used.
    """
    runbook: str | None = None
    """Slug of the runbook for this class."""

    @field_validator("response")
    @classmethod
    def _known_fields(cls, value: str) -> str:
        return _filled(value, RESPONSE_FIELDS)

    @field_validator("otherwise")
    @classmethod
    def _known_fields_of_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_filled(text, RESPONSE_FIELDS) for text in value)

    def about(self, **facts: str) -> str | None:
        """The response for one subject; None if no text can be filled in.

        `facts`: field → value. An empty value means that the value is unknown.
        """
        known = {field: value for field, value in facts.items() if value}
        for text in (self.response, *self.otherwise):
            with suppress(KeyError):
                return text.format_map(known)
        return None


class Rule(Model):
    """One alert rule. It has either `any` or `all`."""

    title: str
    """What broke, in a phrase. {asset}, {pipeline}, {partition}, {check}, {domain} and {value} are filled in. {dated}
    becomes a colon and the business dates, or nothing if the alert has no business dates.
    """
    titles: dict[FailureClass, str] = {}
    """Used in place of the title if the alert has this failure class."""
    title_of_days: str = ""
    """Used in place of `title` and `titles` if the alert is about several business dates. {days} is filled in as well.
    A rule may have this title only if its `by` does not contain the partition.
    """
    any: tuple[Condition, ...] = ()
    """The alert fires if one of these conditions is true."""
    all: tuple[Condition, ...] = ()
    """The alert fires if all of these conditions are true."""
    severity: Severity
    """How urgent the alert is. Only a critical alert pages."""
    hold: Duration = Field(default=timedelta(), alias="for")
    """How long the condition must hold before the alert fires."""
    keep_firing_for: Duration = timedelta()
    """How long the condition must be false before the alert is resolved."""
    by: tuple[str, ...] = IDENTITY
    """The labels that define a subject. Each combination of their values has its own alert."""
    category: Literal["data", "business", "platform"] = "data"
    """What the alert is about. Routes can match this value."""
    failure_class: FailureClass | None = None
    """The failure class of an alert whose reading states none."""
    runbook: str
    """Slug of the runbook that the message links."""
    runbooks: dict[FailureClass, str] = {}
    """Used in place of the runbook if the alert has this failure class."""
    response: str
    """The first thing to do, in a sentence."""
    generic: bool = False
    """True: the rule covers many failure classes. Then the first response and the runbook of the failure class are used
    before those of the rule.
    """
    labels: dict[str, str] = {}
    """Further labels of the alert, for routes and silences."""
    origin: str = Field(default="", validation_alias=AliasChoices("origin", "seed"))
    """Which requirement asked for the rule. Files of earlier versions call it `seed`."""
    enabled: bool = True
    """False: the rule does not count."""

    @field_validator("by")
    @classmethod
    def _known_labels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [label for label in value if label not in SUBJECT_LABELS]
        if unknown:
            raise ValueError(f"unknown label {unknown[0]!r}; valid: {', '.join(SUBJECT_LABELS)}")
        return value

    @model_validator(mode="after")
    def _one_list(self) -> Rule:
        if bool(self.any) == bool(self.all):
            raise ValueError("give either any or all, with at least one condition")
        return self

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.any or self.all


class Rules(Model):
    """rules.yaml: when an alert fires, how severe it is, and what to do first."""

    rules: dict[RuleId, Rule] = Field(min_length=1)
    first_responses: dict[FailureClass, FirstResponse] = {}
    """Failure class → what to do first. It applies to the alerts of all generic rules."""
    flap_window: Duration = timedelta(hours=1)
    """Firing again within this time counts as a flap."""
    flap_hold: Duration = timedelta(minutes=30)
    """A flapping alert must be ok for this long before it is resolved."""
