"""Single histories in which a failure was once not sent, or was sent wrongly. The random histories found them."""

from __future__ import annotations

from tests.operations.alerting.told_machine import CHAINS, checked

CHAIN = ("a_history_is_about_some_tables", {"chain": CHAINS[0]})


def test_an_alert_joins_no_group_that_moved_away_and_kept_the_key_of_its_place():
    """The third alert was put into the moved group, and then removed as not belonging there. Nobody was told of it."""
    cause = ("breaks_and_is_silenced_at_once", {"place": ("asset.failure", 0, "x"), "minutes": 300})
    cause_again = ("breaks", {"place": ("asset.failure", 0, "x"), "ago": 0})
    switched, other = (
        ("a_rule_is_switched", {"name": "asset_failure"}),
        ("a_rule_is_switched", {"name": "check_failed"}),
    )
    cycle = ("time_passes", {"minutes": 0, "step": 4})
    checked(
        CHAIN,
        switched,
        cause,
        switched,
        ("breaks_and_is_silenced_at_once", {"place": ("check.failure", 1, "x"), "minutes": 300}),
        ("time_passes", {"minutes": 1, "step": 4}),
        other,
        cycle,
        switched,
        cause_again,
        other,
        cycle,
        switched,
        ("breaks_and_is_silenced_at_once", {"place": ("check.crash", 1, "x"), "minutes": 20}),
        ("time_passes", {"minutes": 330, "step": 4}),
    )


def test_who_heard_of_a_cause_for_its_symptom_hears_of_its_end_where_the_symptom_has_another_cause_by_then():
    cycle = ("time_passes", {"minutes": 0, "step": 4})
    checked(
        CHAIN,
        ("a_rule_is_switched", {"name": "asset_failure"}),
        ("breaks_and_is_silenced_at_once", {"place": ("asset.failure", 0, "x"), "minutes": 300}),
        ("breaks", {"place": ("check.crash", 1, "y"), "ago": 0}),
        ("breaks", {"place": ("check.crash", 2, "y"), "ago": 0}),
        ("time_passes", {"minutes": 1, "step": 3}),
        ("breaks", {"place": ("asset.failure", 2, "y"), "ago": 0}),
        ("a_rule_is_switched", {"name": "asset_failure"}),
        cycle,
        ("a_rule_is_switched", {"name": "check_crashed"}),
        ("time_passes", {"minutes": 12, "step": 4}),
    )


class _Draws:
    """Replaces the random choice of a history: always the alert with this number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def draw(self, _: object) -> int:
        return self.number


def test_an_alert_that_ended_and_fires_again_is_news_where_it_was_only_listed_before():
    """A message about its cause had listed the alert long before. So it counted as sent when it joined that group."""
    checked(
        CHAIN,
        ("breaks_and_is_silenced_at_once", {"place": ("asset.failure", 1, "x"), "minutes": 20}),
        ("breaks_and_is_silenced_at_once", {"place": ("check.failure", 1, "y"), "minutes": 20}),
        ("breaks", {"place": ("check.crash", 1, "x"), "ago": 0}),
        ("breaks_and_is_silenced_at_once", {"place": ("asset.failure", 2, "y"), "minutes": 300}),
        ("time_passes", {"minutes": 330, "step": 4}),
        ("somebody_takes_an_alert", {"data": _Draws(4), "by_hand": True}),
        ("time_passes", {"minutes": 12, "step": 3}),
        ("breaks_and_is_silenced_at_once", {"place": ("check.failure", 2, "x"), "minutes": 20}),
        ("breaks", {"place": ("asset.failure", 2, "x"), "ago": 0}),
        ("a_table_is_removed_or_comes_back", {"number": 1}),
        ("time_passes", {"minutes": 45, "step": 4}),
    )


def test_a_repeat_that_came_due_during_a_silence_comes_when_the_silence_ends():
    """Another alert of the group was sent during the silence, and the repeat came up to one interval late."""
    passed = ("time_passes", {"minutes": 45, "step": 3})
    checked(
        CHAIN,
        ("breaks_and_is_silenced_at_once", {"place": ("check.crash", 2, "y"), "minutes": 20}),
        ("time_passes", {"minutes": 1, "step": 3}),
        ("breaks_and_is_silenced_at_once", {"place": ("check.crash", 1, "x"), "minutes": 20}),
        ("breaks_and_is_silenced_at_once", {"place": ("check.crash", 2, "x"), "minutes": 300}),
        *(passed, passed, passed),
        ("time_passes", {"minutes": 90, "step": 4}),
        passed,
        ("time_passes", {"minutes": 45, "step": 4}),
        ("breaks_and_is_silenced_at_once", {"place": ("check.crash", 2, "y"), "minutes": 300}),
        ("time_passes", {"minutes": 330, "step": 4}),
    )


def test_a_symptom_that_ends_and_fires_again_under_its_cause_is_not_told_twice():
    """The owner knew of the symptom from the list under the cause, and had not been told of its end."""
    switched = ("a_rule_is_switched", {"name": "check_crashed"})
    checked(
        CHAIN,
        ("breaks", {"place": ("check.crash", 2, "x"), "ago": 0}),
        ("breaks", {"place": ("asset.failure", 1, "y"), "ago": 0}),
        ("time_passes", {"minutes": 1, "step": 3}),
        switched,
        ("time_passes", {"minutes": 0, "step": 3}),
        switched,
        ("time_passes", {"minutes": 12, "step": 4}),
    )


def test_a_symptom_that_is_silenced_sends_no_message_about_its_cause_again():
    """The symptom had been closed by hand and had fired again. Then a person silenced it."""
    checked(
        ("a_history_is_about_some_tables", {"chain": CHAINS[1]}),
        ("breaks_and_is_silenced_at_once", {"place": ("check.crash", 0, "x"), "minutes": 20}),
        ("breaks", {"place": ("asset.failure", 1, "y"), "ago": 0}),
        ("time_passes", {"minutes": 45, "step": 4}),
        ("somebody_takes_an_alert", {"data": _Draws(1), "by_hand": True}),
        ("breaks", {"place": ("asset.failure", 2, "y"), "ago": 0}),
        ("breaks", {"place": ("check.crash", 0, "x"), "ago": 0}),
        ("time_passes", {"minutes": 12, "step": 3}),
        ("somebody_takes_an_alert", {"data": _Draws(3), "by_hand": True}),
        ("breaks_and_is_silenced_at_once", {"place": ("asset.failure", 2, "x"), "minutes": 300}),
        ("time_passes", {"minutes": 330, "step": 4}),
    )


def test_who_heard_of_the_end_in_another_group_hears_that_it_fires_again():
    """The alert was sent with a suspected cause. Its end was sent in the group of that cause, because both had fired
    again together. Then it fired a third time, in its first group.
    """
    switched = ("a_rule_is_switched", {"name": "check_failed"})
    broken = ("breaks_and_is_silenced_and_takes_others_with_it", {"kind": "check.failure", "minutes": 20})
    checked(
        CHAIN,
        (broken[0], {"kind": "check.failure", "minutes": 300}),
        ("time_passes", {"minutes": 1, "step": 3}),
        switched,
        broken,
        switched,
        broken,
        switched,
        ("time_passes", {"minutes": 12, "step": 3}),
        switched,
        ("time_passes", {"minutes": 0, "step": 3}),
    )


def test_a_symptom_that_was_silenced_before_it_broke_sends_no_message_about_its_cause():
    checked(
        ("a_history_is_about_some_tables", {"chain": CHAINS[1]}),
        ("somebody_asks_for_silence", {"minutes": 20, "name": 2}),
        ("breaks", {"place": ("asset.failure", 0, "x"), "ago": 0}),
        ("time_passes", {"minutes": 1, "step": 1}),
        ("breaks", {"place": ("asset.failure", 2, "x"), "ago": 0}),
        ("time_passes", {"minutes": 12, "step": 1}),
        ("time_passes", {"minutes": 45, "step": 1}),
    )


def test_a_symptom_that_a_person_silenced_before_it_came_sends_no_message_about_its_cause_again():
    """The symptom came when people had already been told of its cause, and was silent for two reasons. Before, only the
    first reason was looked at. When the silence ends, the message about the cause lists the symptom.
    """
    switched = ("a_rule_is_switched", {"name": "check_failed"})
    checked(
        ("a_history_is_about_some_tables", {"chain": CHAINS[1]}),
        switched,
        ("breaks", {"place": ("asset.failure", 0, "x"), "ago": 0}),
        ("breaks_and_is_silenced_at_once", {"place": ("check.failure", 2, "x"), "minutes": 20}),
        ("time_passes", {"minutes": 1, "step": 1}),
        switched,
        ("time_passes", {"minutes": 12, "step": 1}),
        ("time_passes", {"minutes": 45, "step": 1}),
    )


def test_an_alert_that_was_listed_under_a_cause_which_began_again_after_it_is_named():
    """The three failures were sent in one message. Their rule was switched off and on again before anybody was told of
    an end. Meanwhile the cause failed once more, so it began after its symptom and explains it no longer. Then the
    cause was silenced. The team had seen the symptom only in the cause's list. So the team now gets a message about the
    symptom itself, as with an alert that Alertmanager does not inhibit any more. The owner of the symptom was told
    already, and is not told twice.
    """
    switched = ("a_rule_is_switched", {"name": "asset_failure"})
    check = ("check.failure", 2, "x")
    checked(
        CHAIN,
        switched,
        ("breaks_and_is_silenced_and_takes_others_with_it", {"kind": "asset.failure", "minutes": 20}),
        ("time_passes", {"minutes": 45, "step": 3}),
        switched,
        ("breaks_and_is_silenced_at_once", {"place": check, "minutes": 300}),
        switched,
        ("breaks_and_is_silenced_at_once", {"place": check, "minutes": 20}),
        switched,
        ("breaks_and_is_silenced_at_once", {"place": ("asset.failure", 0, "x"), "minutes": 300}),
        ("time_passes", {"minutes": 12, "step": 1}),
    )
