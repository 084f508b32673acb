"""A mistyped name is answered with the known name that it is most like, or with none."""

from ops_project.nearest import did_you_mean


def test_the_nearest_known_name_is_named() -> None:
    assert did_you_mean("orderz", ["orders", "order_items"]) == " (did you mean orders?)"


def test_a_name_that_is_like_nothing_gets_no_proposal() -> None:
    assert did_you_mean("zzz", iter(["orders"])) == "" == did_you_mean("orders", ())
