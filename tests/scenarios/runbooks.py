"""The failure on which each step of each runbook is run, and what the step must show there. `STORIES` names for each
failure the runbooks that a person would open, and for each of their steps the words that this failure puts into its
output. `follow` runs them in a home in which the failure has happened. A test compares the table with the runbooks,
so that a step without a story, or a story that no test follows, is noticed.
"""

from __future__ import annotations

import json

from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.operations.incidents.runbooks import read
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings

Steps = dict[int, tuple[str, ...] | None]
"""Step → what its output must contain, besides what the runbook itself promises. None: the step does not run, because
the incident does not name what the step asks about, such as a file.
"""


def follow(settings: Settings, failure: str, about: str) -> None:
    """Run every step of the runbooks of this failure for the incident about `about`, an asset or a rule.

    If `about` is empty, there is no incident.
    """
    for slug, steps in STORIES[failure].items():
        words = [*settings.options(), "runbook", "run", slug, "--json"]
        if about:
            words += ["--incident", str(incident_about(settings, about))]
        ended = CliRunner().invoke(cli, words)
        assert ended.exit_code == 0, (slug, ended.output)
        results = json.loads(ended.stdout)
        for step in read(catalog.load(settings), slug).steps:
            told = [result for result in results if result["step"] == step.number]
            assert len(told) == len(step.commands)
            words_of_step = steps[step.number] if step.commands else ()
            if words_of_step is None:
                assert {result["state"] for result in told} == {"not run"}, (slug, told)
                continue
            assert not [result for result in told if result["state"] != "done" or result["not_shown"]], (slug, told)
            said = "".join("".join(result["output"].split()) for result in told)
            for word in words_of_step:
                assert "".join(word.split()) in said, (slug, step.number, word, told)


def incident_about(settings: Settings, subject: str) -> int:
    """The open incident that holds an alert about this asset or of this rule."""
    with Ledger.open(settings.ledger_url) as ledger:
        numbers = {alert.number for alert in ledger.alerts() if subject in (alert.asset, alert.rule)}
        held = [incident.number for incident in ledger.incidents() if numbers & set(incident.alerts)]
    assert held, f"no incident is about {subject}"
    return held[0]


STORIES: dict[str, dict[str, Steps]] = {
    # ---- streaming
    "error_rate": {
        "streaming-pipeline": {
            1: ("2026-03-04", "event"),
            2: ("0 rows",),
            3: ("listen_seconds", "is below 0"),
            4: ("2026-03-04",),
            5: ("streams_20260304_2000.jsonl",),
        },
    },
    "unknown_songs": {
        "streaming-pipeline": {
            1: ("2026-03-04", "load"),
            2: ("SNG99999",),
            3: ("0 rows",),
            4: ("2026-03-04",),
            5: ("songs_20260304.csv",),
        },
    },
    # ---- insurance
    "cdc_gap": {
        "insurance-pipeline": {
            1: ("quarantined",),
            2: ("quarantined",),
            3: ("lost_changes", "7"),
            4: ("premium", "policies_2026"),
            5: ("2026-03-05", "loaded"),
        },
    },
    "offsetting_errors": {
        "reconciliation": {1: ("reconciliation_policies", "silver/fact_policies"), 2: ("silver.fact_policies",)},
        "insurance-pipeline": {1: ("changed",), 2: ("changed",), 3: ("0 rows",), 4: (), 5: ("2026-03-04",)},
    },
    # ---- investor
    "sample_ratio_mismatch": {
        "profit-unit-experiments": {1: ("invalid",), 2: ("2026-03-04", "control"), 3: ("2026-03-04",), 4: ("0",)},
        "growth-daily-experiments": {1: ("2026-03-04",), 2: ("experiment_assignments", "loaded")},
        "anomaly": {1: ("sample_ratio_mismatch",), 2: ("2026-03-04", "experiment_assignments"), 3: ("high",)},
    },
    "negative_profit": {
        "profit-aggregate-investors": {1: ("month",), 2: ("2026-03-04",), 3: ()},
        "growth-aggregate-investors": {1: ("month",), 2: ("2026-03-04",)},
        "engagement-aggregate-investors": {1: ("2026-03-04",), 2: ("month",)},
        "investor-pipeline": {1: ("marketing_spend", "2026-03-03"), 2: ("2026-03-04",), 3: ("0 rows",), 4: ("0 rows",)},
    },
    # ---- marketing
    "mart_build_broken": {
        "marketing-pipeline": {
            1: ("3 held",),
            2: ("mart_customers_20260303.dat",),
            3: (),
            4: ("customer",),
            5: (),
            6: (),
            7: ("uds_customer.country_code", "mandatory_is_empty"),
            8: ("agree",),
            9: ("customer_360",),
        },
        "interface-load": {
            1: ("customer",),
            2: ("uds_customer.country_code",),
            3: ("mart_customers",),
            4: ("held",),
        },
        "mart-build": {1: ("tenure_days",), 2: ("failure",), 3: ("customer_360",), 4: ("mart_customers",)},
    },
    # ---- the shop, and the platform
    "check_failed": {
        "ecommerce-pipeline": {
            1: ("ecommerce",),
            2: ("File of products did not arrive", "First response"),
            3: (),
            4: ("web_events", "repeats the key"),
            5: ("orders", "rejected"),
        },
    },
    "file_refused": {
        "schema-mismatch": {
            1: ("schema_mismatch", "orders"),
            2: ("would be rejected",),
            3: ("orders_2026-03-03.csv", "rejected"),
            4: ("orders",),
        },
    },
    "file_missing": {
        "source-arrival": {1: ("products", "did not arrive"), 2: None, 3: ("source_missing",), 4: ("products",)},
    },
    "file_doubtful": {
        "source-arrival": {1: ("again",), 2: ("customers",), 3: ("source_duplicate",), 4: ("customers",)},
    },
    "keys_repeated": {
        "key-violation": {
            1: ("repeats the key", "web_events_2026-03-03.csv"),
            2: ("web_events_2026-03-03.csv",),
            3: ("key_violation",),
            4: ("repeat a key",),
        },
    },
    "quarantined": {
        "data-quality": {1: ("exchange_rates",), 2: (), 3: (), 4: ("would be rejected",)},
    },
    "publication_held": {"publication": {1: ("held back",), 2: ("held",), 3: ("is held back from its consumers",)}},
    "sla_breach": {"sla": {1: ("deadline",), 2: ("File of products did not arrive",), 3: ("missed",)}},
    "stale": {"stale-table": {1: ("ecommerce",), 2: ("did not arrive",), 3: ("source_missing",)}},
    "job_failure_manual": {
        "pipeline-failure": {1: ("master_pipeline",), 2: ("bronze/",), 3: ("failure",), 4: ("high",)},
    },
    "orchestrator_down": {"orchestrator-down": {1: ("orchestrator is down",), 2: ("no mistake",), 3: ("failure",)}},
    "oncall_gap": {"on-call": {1: ("Engineer",), 2: ("Engineer",), 3: ("100 points",)}},
    "backup_failed": {"backup": {1: ("gold.daily_revenue differs",), 2: ("backup",), 3: ("used",)}},
    "disk_full": {"resources": {1: ("97",), 2: ("used",)}},
    "performance_warning": {"slow-pipeline": {1: ("streaming_pipeline",), 2: (), 3: ("streaming_pipeline is slower",)}},
    "archive_damaged": {"archive-damaged": {1: ("customers",), 2: ("customers/2026-03-0",), 3: ("used",)}},
    "connection_failure": {
        "infrastructure": {
            1: ("could not connect to server",),
            2: ("used",),
            3: ("bronze/transactions",),
            4: ("delivered",),
        },
    },
    "model_unhealthy": {
        "models": {1: (), 2: ("input_drift", "failed"), 3: ("not_better",), 4: ("2026-03-0",)},
    },
    "high_churn_risk": {"business-metric": {1: ("600",), 2: ("high risk",), 3: (), 4: ("High", "600")}},
    "undelivered": {"delivery": {1: ("452 mailbox full",), 2: ("OPS_SMTP_HOST is not set",)}},
    "warehouse_lost": {"warehouse-lost": {1: ("is gone",), 2: ("1 row",)}},
    "ledger_lost": {"ledger-lost": {1: ("ledger",)}},
}
# Failure → the alert whose incident it is, in the home of test_runbook_steps.py: an asset or a rule.
OF_THE_SHOP = {
    "check_failed": "check_failed",
    "file_refused": "bronze/orders",
    "file_missing": "file_missing",
    "file_doubtful": "file_doubtful",
    "keys_repeated": "keys_repeated",
    "quarantined": "bronze/exchange_rates",
    "publication_held": "publication_held",
    "sla_breach": "sla_breach",
    "stale": "file_missing",
    "job_failure_manual": "job_failure_manual",
    "orchestrator_down": "orchestrator_down",
    "oncall_gap": "oncall_gap",
    "disk_full": "disk_full",
    "performance_warning": "performance_warning",
    "archive_damaged": "archive_damaged",
    "connection_failure": "bronze/transactions",
    "model_unhealthy": "model_unhealthy",
    "high_churn_risk": "high_churn_risk",
    "undelivered": "",
}
