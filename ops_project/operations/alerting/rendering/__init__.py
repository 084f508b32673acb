"""Turns a notification into the text of a channel: plain lines, e-mail or Slack."""
