"""How well failures are classified, on errors that were really raised. Half of them were not looked at while the
patterns were written.
"""

from __future__ import annotations

import builtins
import sys
import traceback

import pytest
import yaml

from ops_project.failures import classify, classify_attempts, classify_message, without_names
from ops_project.failures.text import DURING
from ops_project.failures.types import FILE
from tests.operations.diagnosis import make_types
from tests.operations.diagnosis.make_errors import PAGE, classified, macro_f1, page, read

SAMPLES = read()
ENOUGH, HELD_ENOUGH = 300, 150
F1, F1_OF_LOG, F1_OF_TEXT = 0.95, 0.94, 0.92


def test_there_are_enough_real_errors() -> None:
    assert len(SAMPLES) >= ENOUGH
    assert sum(sample.held for sample in SAMPLES) >= HELD_ENOUGH
    assert len({sample.library for sample in SAMPLES}) >= 7


def test_the_half_that_was_held_back_is_classified() -> None:
    held = [sample for sample in SAMPLES if sample.held]
    assert macro_f1([(sample.expected, classified(sample).failure_class) for sample in held]) >= F1
    logs = [(sample.expected, classify_message(sample.log).failure_class) for sample in held]
    assert macro_f1(logs) >= F1_OF_LOG
    texts = [(sample.expected, classify_message(sample.text).failure_class) for sample in held]
    assert macro_f1(texts) >= F1_OF_TEXT


def test_the_page_says_what_is_measured() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.operations.diagnosis.make_errors sqlite"


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11) or sys.version_info < (3, 11, 4),
    reason="the file is made with Python 3.11, which has the errors of tarfile's filters since 3.11.4",
)
def test_the_types_are_those_of_the_installed_libraries() -> None:
    written = yaml.load(FILE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    assert written == make_types.document(), "run: python -m tests.operations.diagnosis.make_types"


def test_no_error_is_classified_by_a_word_in_a_name() -> None:
    silent = [sample for sample in SAMPLES if sample.name.startswith("no evidence")]
    assert silent
    for sample in silent:
        assert classified(sample).failure_class == "unknown", sample.text


@pytest.mark.parametrize(
    ("text", "failure_class"),
    [
        ("model retry_429_timeouts failed", "unknown"),
        ("table timeouts is odd", "unknown"),
        ("step 'connection refused' ended", "unknown"),
        ("the host said: connection refused", "connection_failure"),
        ('psycopg2.errors.UndefinedColumn: column "timeout" does not exist', "schema_mismatch"),
        (
            'Database Error in model deadlock_detected (models/x.sql)\n  Binder Error: Referenced column "a" not found',
            "schema_mismatch",
        ),
        ("OSError: [Errno 28] No space left on device", "storage_full"),
        (
            "requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: http://x/503",
            "resource_exhausted",
        ),
    ],
)
def test_words_of_names_are_no_evidence(text: str, failure_class: str) -> None:
    assert classify_message(text).failure_class == failure_class


def test_names_are_taken_out_and_sentences_stay() -> None:
    assert "429" not in without_names("model retry_429 failed in step http_503")
    assert "does not exist" in without_names('relation "x" does not exist')


def test_a_log_is_judged_like_the_chain_that_it_shows() -> None:
    try:
        try:
            raise OSError(28, "No space left on device")
        except OSError as error:
            raise RuntimeError("the load failed") from error
    except RuntimeError as error:
        log = "".join(traceback.format_exception(error))
        assert classify_message(log).failure_class == classify(error).failure_class == "storage_full"
    try:
        try:
            raise ConnectionResetError(104, "reset")
        except ConnectionResetError:
            raise KeyError("batch") from None
    except KeyError as error:
        assert classify_message("".join(traceback.format_exception(error))).failure_class == "code_error"
    later = f"ConnectionResetError: [Errno 104] reset\n\n{DURING}\n\nKeyError: 'batch'"
    found = classify_message(later)
    assert (found.failure_class, found.also) == ("code_error", ("connection_failure",))


def test_the_code_and_the_statement_that_a_log_quotes_are_no_evidence() -> None:
    log = 'Traceback (most recent call last):\n  File "a.py", line 3, in load\n    reset()  # connection refused\n    ^^^^^^^\n'
    assert classify_message(f"{log}RuntimeError: nobody knows").failure_class == "unknown"
    assert classify_message(f"{log}RuntimeError: connection refused").failure_class == "connection_failure"
    missing = 'BinderException: Binder Error: Referenced column "a" not found in FROM clause!\n\nLINE 1: select a from t group by 1\n'
    assert classify_message(missing).failure_class == "schema_mismatch"
    wrapped = "RuntimeError: it failed\n[SQL: alter table a add foreign key (b) references c]\n[parameters: ()]"
    assert classify_message(wrapped).failure_class == "unknown"


def test_a_type_is_known_by_what_it_derives_from_also_where_only_its_name_is_told() -> None:
    # the name consists of more than words, or is the name of a class
    other = (UnicodeError, InterruptedError, BaseExceptionGroup)
    kinds = [kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    for kind in kinds:
        if not issubclass(kind, other):
            assert classify_message(f"{kind.__name__}: said").failure_class == classify(kind("said")).failure_class, (
                kind
            )
    assert classify_message("xml.etree.ElementTree.ParseError: not well-formed").failure_class == "data_invalid"
    assert classify_message("psycopg.errors.AdminShutdown: terminating").failure_class == "connection_failure"
    gone = "botocore.exceptions.ClientError: An error occurred (404) when calling the HeadObject operation: Not Found"
    assert classify_message(gone).failure_class == "source_missing"


def test_two_classes_that_fit_are_both_reported() -> None:
    found = classify_message("OSError: [Errno 28] No space left on device\nConnectionResetError: [Errno 104] reset")
    assert (found.failure_class, found.also) == ("storage_full", ("connection_failure",))
    assert found.confidence < classify_message("OSError: [Errno 28] No space left on device").confidence
    assert {item.what for item in found.evidence} >= {"errno ENOSPC", "errno ECONNRESET"}


def test_a_retry_does_not_hide_the_first_cause() -> None:
    found = classify_attempts(["OSError: [Errno 28] No space left on device", "KeyError: 'batch'"])
    assert found.failure_class == "storage_full" and not found.transient
    assert found.also == ("code_error",)
    assert {item.attempt for item in found.evidence} == {1, 2}
    # If a step is tried again because its failure may pass, and then meets a permanent failure, it is not tried again.
    later = classify_attempts([ConnectionResetError(104, "reset"), KeyError("batch")])
    assert later.failure_class == "connection_failure" and not later.transient
    assert classify_attempts(["nobody knows", TimeoutError("late")]).failure_class == "timeout"
    assert classify_attempts([]).failure_class == "unknown"


def test_unknown_says_what_was_said() -> None:
    found = classify_message("the flux capacitor is cold")
    assert (found.failure_class, found.confidence, found.because) == ("unknown", 0.0, "the flux capacitor is cold")
