"""One module for each place of the console: what it reads, and its routes."""

from ops_project.console.pages import home, incidents, login

ALL = (home, incidents, login)
"""Every place that has routes."""
