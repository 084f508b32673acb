"""A notification as the text of a channel: lines, e-mail, Slack."""
