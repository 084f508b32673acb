"""Writes Dagster's log into a file of the home, so that the terminal shows only progress and results."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler

import dagster as dg

from ops_project.masking import mask
from ops_project.settings import Settings
from ops_project.visible import visible

FORMAT = "%(asctime)s %(levelname)s %(message)s"
BYTES = 10_000_000


class _Masked(logging.Formatter):
    """Removes personal data, secrets and control characters from a log line. Values in a log line come from files."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(mask(super().format(record)))


def file_logger(settings: Settings) -> dg.LoggerDefinition:
    """The logger `console`. It writes to logs/dagster.log, in five files of 10 MB."""

    def make(_context: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.getLogger(f"ops.dagster.{settings.home}")
        logger.propagate = False
        logger.setLevel(logging.INFO)
        if not logger.handlers:
            folder = settings.home / "logs"
            folder.mkdir(parents=True, exist_ok=True)
            handler = RotatingFileHandler(
                folder / "dagster.log", maxBytes=BYTES, backupCount=4, delay=True, encoding="utf-8"
            )
            handler.setFormatter(_Masked(FORMAT))
            logger.addHandler(handler)
        return logger

    return dg.LoggerDefinition(make, description="Writes to logs/dagster.log in the home.")
