"""feeds/<domain>.yaml: the feeds of a domain, with the defaults that they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from ops_project.model.base import Model
from ops_project.model.cron import wrong_cron
from ops_project.model.feed.delivery_rules import NAME
from ops_project.model.feed.feed import Feed


def _cron(value: str) -> str:
    """The text, if it is empty or a valid cron time. Raises ValueError with the mistake."""
    if value and (wrong := wrong_cron(value)):
        raise ValueError(f"{value!r} is not a cron time: {wrong}; write five fields: 30 6 * * * is daily at 06:30")
    return value


CronText = Annotated[str, AfterValidator(_cron)]


class FeedFile(Model):
    """feeds/<domain>.yaml: the feeds of a domain."""

    domain: str = Field(pattern=NAME)
    """Id of the domain, which is also its inbound folder."""
    title: str = ""
    """The domain's name for people."""
    description: str = ""
    """What the domain is about."""
    owners: tuple[str, ...] = ()
    """Owners of every feed that names none."""
    tier: int | None = Field(default=None, ge=1, le=3)
    """Tier of every feed that names none; 1 is the most important."""
    schedule: CronText = ""
    """When the domain's main job starts by itself: five cron fields in the platform's zone, for example `30 6 * * *`.
    If the text is empty, a shipped domain keeps its shipped schedule. Any other domain then starts only by `ops run`.
    """
    defaults: dict[str, Any] = {}
    """Keys that apply to every feed of this file that does not set them. Mappings are merged."""
    feeds: dict[str, Feed] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _apply_defaults(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("feeds"), dict):
            return value
        defaults = {key: value[key] for key in ("owners", "tier") if value.get(key)}
        if isinstance(value.get("defaults"), dict):
            defaults = _merged(defaults, value["defaults"])
        feeds = {
            name: _merged(defaults, feed) | {"name": name, "domain": value.get("domain")}
            for name, feed in value["feeds"].items()
            if isinstance(feed, dict)
        }
        return value | {"feeds": value["feeds"] | feeds}

    def resolved(self) -> dict[str, Feed]:
        """The feeds by name, with the defaults applied."""
        return dict(self.feeds)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, item in over.items():
        below = result.get(key)
        result[key] = _merged(below, item) if isinstance(below, dict) and isinstance(item, dict) else item
    return result
