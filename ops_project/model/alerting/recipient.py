"""Checks whether a message can be sent to a recipient. If the mail server refuses one address, or if one address
contains a line break, no recipient gets the message. So every address is checked when the configuration is read.
"""

from __future__ import annotations

from ops_project.model.alerting.receiver import Channel
from ops_project.model.owner import ADDRESS, Owners
from ops_project.visible import visible_line


def wrong_recipient(channel: Channel, recipient: str, owners: Owners) -> str:
    """Why the channel cannot send to this recipient; empty if the channel can send to this recipient. The address of a
    declared person or team is not checked here, because it is checked where it is declared.
    """
    if owners.resolve(recipient) is not None:
        return ""
    shown = visible_line(recipient)
    if channel.type == "email" and not ADDRESS.fullmatch(recipient):
        return f"{shown!r} is not an e-mail address that every mail server takes: write name@example.com, in ASCII"
    return f"recipient {shown!r} contains a control character" if shown != recipient else ""
