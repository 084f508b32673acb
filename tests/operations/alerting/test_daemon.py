"""A real `dagster dev`, a real queued run that fails, and the e-mail that its owner receives."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime

import pytest

from ops_project.operations.ledger import Ledger
from ops_project.settings import PROJECT_ROOT, Settings
from tests import dagster_dev, fresh_storage
from tests.operations.channels.smtp import smtp_server

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
    with smtp_server() as (mailbox, port), Ledger.open(settings.ledger_url) as ledger:
        mail = {"OPS_SMTP_HOST": "127.0.0.1", "OPS_SMTP_PORT": str(port)}
        # All processes would make the same storage, and the run waits in the queue for the daemon. So nothing need wait
        # before it is launched.
        fresh_storage.copy_into(settings.dagster_home)
        with dagster_dev.running(settings, mail, tmp_path / "dev.log"):
            launch = [str(dagster_dev.BIN / "dagster"), "job", "launch", "-f", dagster_dev.SITE, "-j", "small_pipeline"]
            subprocess.run(
                [*launch, "--tags", '{"dagster/schedule_name": "nightly"}'],
                cwd=PROJECT_ROOT,
                env=dagster_dev.environment(settings, mail),
                check=True,
                capture_output=True,
            )
            dagster_dev.wait_for_a_cycle(ledger)
            page = _wait("the page", ALERT_SECONDS, lambda: [m for m in mailbox.messages if "job" in m["Subject"]])
            arrived = datetime.now(UTC)
        failed = {alert.asset for alert in ledger.alerts() if alert.rule == "asset_failure"}
        paged = next(alert for alert in ledger.alerts() if alert.rule == "job_failure")
    # The page goes to the person on call, as an incident; the failed asset's owner gets its own message.
    assert any("Scheduled job small_pipeline failed" in message["Subject"] for message in page)
    assert failed == {"bronze/streams"}
    assert paged.owners == ("team:streaming-data",)
    assert paged.fired_at is not None and 0 <= (arrived - paged.fired_at).total_seconds() < ALERT_SECONDS
    text = page[0].get_body(("plain",)).get_content()
    assert "no such file" in text and "Music Streaming Data" in text
