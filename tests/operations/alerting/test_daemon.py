"""A real `dagster dev`, a real queued run that fails, and the e-mail that its owner receives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops_project.dagster_bridge.home import ensure
from ops_project.operations.ledger import Ledger
from ops_project.settings import PROJECT_ROOT, Settings
from tests.operations.channels.smtp import free_port, smtp_server

BIN = Path(sys.executable).parent
SITE = "tests/operations/alerting/daemon_site.py"
START_SECONDS = 90
ALERT_SECONDS = 60


def _wait(what: str, seconds: float, condition):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s")


@pytest.mark.xdist_group("daemon")
def test_a_run_that_fails_under_the_daemon_reaches_its_owner_by_e_mail(tmp_path):
    settings = Settings.load(home=tmp_path / "home")
    ensure(settings)
    with smtp_server() as (mailbox, port):
        environment = {
            **os.environ,
            **settings.environ(),
            "OPS_SMTP_HOST": "127.0.0.1",
            "OPS_SMTP_PORT": str(port),
            "PYTHONPATH": str(PROJECT_ROOT),
        }
        log = (tmp_path / "dev.log").open("w")
        command = [BIN / "dagster", "dev", "-f", SITE, "-h", "127.0.0.1", "-p", str(free_port())]
        daemon = subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            ledger = Ledger.open(settings.ledger_url)
            _wait("the first cycle", START_SECONDS, lambda: ledger.lease("cycle"))
            subprocess.run(
                [
                    BIN / "dagster",
                    "job",
                    "launch",
                    "-f",
                    SITE,
                    "-j",
                    "small_pipeline",
                    "--tags",
                    '{"dagster/schedule_name": "nightly"}',
                ],
                cwd=PROJECT_ROOT,
                env=environment,
                check=True,
                capture_output=True,
            )
            page = _wait("the page", ALERT_SECONDS, lambda: [m for m in mailbox.messages if "job" in m["Subject"]])
            arrived = datetime.now(UTC)
        finally:
            # It waits for its children, and those for their threads: nothing here is worth that.
            os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait(20)
            log.close()
    # The page goes to the person on call, as an incident; the failed asset's owner gets its own message.
    assert any("Scheduled job small_pipeline failed" in message["Subject"] for message in page)
    failed = {alert.asset for alert in ledger.alerts() if alert.rule == "asset_failure"}
    assert failed == {"bronze/streams"}
    paged = next(alert for alert in ledger.alerts() if alert.rule == "job_failure")
    assert paged.owners == ("team:streaming-data",)
    assert paged.fired_at is not None and 0 <= (arrived - paged.fired_at).total_seconds() < ALERT_SECONDS
    text = page[0].get_body(("plain",)).get_content()
    assert "no such file" in text and "Music Streaming Data" in text
