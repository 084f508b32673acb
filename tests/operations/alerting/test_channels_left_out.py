"""A mail that was left out is reported: `ops alerts show` says which channels are left out."""

from __future__ import annotations


def test_show_names_the_channels_that_lack_their_variables_here(ops, monkeypatch):
    [(channel, lacking)] = [
        item for item in ops("alerts", "show", "1", "--json")["left_out"].items() if item[0] == "owners/0-email"
    ]
    assert lacking == ["OPS_SMTP_HOST"]
    assert f"{channel}  left out: OPS_SMTP_HOST is not set in this process" in ops("alerts", "show", "1")
    monkeypatch.setenv("OPS_SMTP_HOST", "mail")
    shown = ops("alerts", "show", "1", "--json")
    assert not any(name.endswith("-email") for name in shown["left_out"])
    assert all(name.partition("/")[0] != "on-call" for name in shown["left_out"]), "a high alert is routed to no pager"
