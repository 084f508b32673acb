"""Turns dbt's events into Dagster's events. Only this module uses dagster-dbt's internal API.

`DbtCoreCliEventMessage` is made for the output of dbt as a subprocess. It also accepts the events of dbt in this
process, because they are the same dictionaries. A test fails if the API changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import dagster as dg
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from ops_project.counted import counted
from ops_project.failures import Classified, classify, classify_message
from ops_project.model.failure_class import FailureClass
from ops_project.pipeline.dbt_engine.runner import DbtResult, Invocation
from ops_project.process import interrupts

RowCount = Callable[[str], int | None]
ERRORS = frozenset({"error", "runtime error"})
"""The statuses of dbt nodes that did not finish."""
INTERRUPTED = "process_killed"


def stream(
    invocation: Invocation,
    *,
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    translator: DagsterDbtTranslator,
    row_count: RowCount,
) -> Iterator[Any]:
    """Run dbt, and yield an Output or an AssetCheckResult when a node ends. Raises dg.Failure if dbt failed.

    A test that fails raises nothing here. Its check is blocking, so Dagster fails the step after the last event.

    A test that could not run says nothing about the rows. Its check fails, with the class and the text of the error. If
    the test was interrupted, its check has no result.

    `row_count`: `schema.table` → rows, or None if unknown.
    """
    selected = context.selected_asset_check_keys
    seen: set[str] = set()
    not_run: list[tuple[dg.AssetCheckResult, str]] = []
    for event in invocation:
        if event["info"]["name"] == "LogSkipBecauseError":
            continue
        message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
        for found in message.to_default_asset_events(
            manifest=manifest, dagster_dbt_translator=translator, context=context
        ):
            if isinstance(found, dg.Output):
                yield _with_rows(found, event, manifest, row_count)
            elif isinstance(found, dg.AssetCheckResult):
                if found.check_name is not None and found.asset_key is not None:
                    seen.add(dg.AssetCheckKey(found.asset_key, found.check_name).to_user_string())
                node = manifest["nodes"].get(event["data"]["node_info"]["unique_id"], {})
                if _status(event) in ERRORS:
                    not_run.append((found, str(node.get("name", found.check_name))))
                else:
                    yield _with_class(found, node, manifest)
            # dbt also runs tests that were not selected (indirect selection). Their events are observations, which
            # nothing reads.
    # dbt gives the text of an error only in its result, after the last event.
    yield from of_broken_tests(not_run, invocation.result)
    failure = failure_of(invocation.result, declared_classes(manifest))
    if failure is not None:
        raise failure
    missing = [key for key in selected if key.to_user_string() not in seen]
    if missing and not invocation.result.failed_tests:
        context.log.warning(
            f"dbt ran no test for {counted(len(missing), 'check')}, the first: {missing[0].to_user_string()}"
        )


# The failure class of a generic test, if neither the test nor its model declares one.
TEST_CLASSES = {
    "primary_key": "key_violation",
    "unique": "key_violation",
    "no_overlap": "key_violation",
    "relationships": "reference_violation",
}
# These classes only say how a model failed. So the class that the model declares replaces them.
VAGUE = frozenset({"data_invalid", "schema_mismatch", "key_violation", "code_error", "unknown"})


def _status(event: Mapping[str, Any]) -> str:
    return str(event["data"]["node_info"].get("node_status") or event["data"].get("status") or "").lower()


def of_broken_tests(
    not_run: Sequence[tuple[dg.AssetCheckResult, str]], result: DbtResult
) -> Iterator[dg.AssetCheckResult]:
    """Failed checks for the tests that could not run. A test that was interrupted gets no result."""
    for check, name in not_run:
        words = next(
            (error for error in result.errors if error.startswith(f"{name}: ")), f"{name}: no reason was given"
        )
        found = classify_message(words)
        if found.failure_class == INTERRUPTED or interrupts.pressed():
            continue
        yield check._replace(
            description=f"the test could not run: {_short(words)}",
            metadata={**check.metadata, "failure_class": dg.MetadataValue.text(found.failure_class)},
        )


def declared_classes(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Model → the failure class that its meta declares."""
    return {
        node["name"]: str(node["config"]["meta"]["failure_class"])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"].get("meta", {}).get("failure_class")
    }


def _with_class(
    result: dg.AssetCheckResult, test: Mapping[str, Any], manifest: Mapping[str, Any]
) -> dg.AssetCheckResult:
    """A failed result, described in words, with its failure class. The class comes from the test's meta. If the test's
    meta has no class, the class comes from the meta of the test's model, and otherwise from the kind of the test.
    """
    if result.passed:
        return result
    model = manifest["nodes"].get(test.get("attached_node") or "", {})
    declared = [node.get("config", {}).get("meta", {}).get("failure_class") for node in (test, model)]
    declared.append(TEST_CLASSES.get((test.get("test_metadata") or {}).get("name", ""), "data_invalid"))
    found = next(str(name) for name in declared if name)
    return result._replace(
        description=result.description or _in_words(result, test, model),
        metadata={**result.metadata, "failure_class": dg.MetadataValue.text(found), **_column(test)},
    )


def _column(test: Mapping[str, Any]) -> dict[str, dg.MetadataValue[Any]]:
    """The column that a test is about; empty if there is none. The search for causes upstream begins at this column."""
    name = ((test.get("test_metadata") or {}).get("kwargs") or {}).get("column_name") or test.get("column_name")
    return {"column": dg.MetadataValue.text(str(name).strip('"'))} if name else {}


def _in_words(result: dg.AssetCheckResult, test: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """What the test asserts, about which table, and how many rows violate it."""
    metadata = test.get("test_metadata") or {}
    arguments = {name: value for name, value in (metadata.get("kwargs") or {}).items() if name != "model"}
    rule = str(test.get("description") or "") or f"{metadata.get('name') or test.get('name', 'a test')}" + (
        f" ({', '.join(f'{name}: {_plain(value)}' for name, value in arguments.items())})" if arguments else ""
    )
    rows = getattr(result.metadata.get("dagster_dbt/failed_row_count"), "value", None)
    what = counted(rows, "row") if isinstance(rows, int) else "rows"
    table = f"{model['schema']}.{model.get('alias') or model['name']}" if model.get("schema") else "the table"
    return f"{what} of {table} {'breaks' if rows == 1 else 'break'} the rule {rule}"


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def failure_of(result: DbtResult, declared: Mapping[str, str] | None = None) -> dg.Failure | None:
    """The error to raise for this result. None if nothing failed, or if only tests failed.

    `declared`: model → the failure class to use if the engine's message gives only a vague class.
    """
    found: Classified
    if result.exception is not None:
        found = classify(result.exception)
        what = f"dbt could not run: {result.exception}"
    elif result.errors:
        # A permanent error would occur again at a retry. So one permanent error makes the whole failure permanent.
        judged = [_judged(error, declared or {}) for error in result.errors]
        found = next((item for item in judged if not item.transient), judged[0])
        what = f"{len(result.errors)} dbt nodes failed: " + "; ".join(_short(error) for error in result.errors[:5])
        if result.skipped:
            what += f". Not built because of it: {', '.join(result.skipped[:20])}"
    else:
        return None
    return dg.Failure(
        description=what,
        metadata={"failure_class": found.failure_class, "transient": found.transient, "because": found.because},
        allow_retries=found.transient,
    )


def _judged(error: str, declared: Mapping[str, str]) -> Classified:
    found = classify_message(error)
    said = declared.get(error.partition(":")[0])
    if said is None or found.failure_class not in VAGUE:
        return found
    return Classified(cast(FailureClass, said), False, found.because)


def _short(error: str) -> str:
    return " ".join(error.split())[:400]


def _with_rows(
    output: dg.Output[Any], event: Mapping[str, Any], manifest: Mapping[str, Any], row_count: RowCount
) -> dg.Output[Any]:
    node = manifest["nodes"][event["data"]["node_info"]["unique_id"]]
    rows = row_count(f"{node['schema']}.{node['alias']}")
    # The asset's definition has the column schema already, so it is not stored again with every event.
    kept = {
        key: value for key, value in output.metadata.items() if key in {"Execution Duration", "unique_id", "status"}
    }
    number = {} if rows is None else {"dagster/row_count": rows}
    return dg.Output(value=None, output_name=output.output_name, metadata={**kept, **number})
