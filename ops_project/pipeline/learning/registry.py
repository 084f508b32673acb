"""The versions of a model, and which one is in use. MLflow stores them, either embedded in the home folder or remote by
URL.

Scoring happens every night, and importing MLflow takes longer than scoring. So the version in use is also written to
`serving.json` beside the model files, after each change of the registry. Other programs may change a remote registry
too. So if the registry is remote, this file is updated before it is read.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops_project.json_file import read_object
from ops_project.pipeline.learning import artifact
from ops_project.pipeline.learning.artifact import FILE_NAME, ModelUnusable

MODELS = ("segmentation", "churn", "recommendations")
ALIAS = "serving"
HISTORY_TAG = "serving_history"
EXPERIMENT = "ecommerce"


class RegistryError(ValueError):
    """The registry cannot do what was asked. The message says what is possible instead."""


@dataclass(frozen=True)
class Version:
    """One registered version."""

    model: str
    version: str
    sha256: str
    status: str
    """The state of the version: serving (in use), promoted (was in use before) or candidate (was never in use)."""
    trained_as_of: str
    run_id: str
    metrics: dict[str, float]
    parameters: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True)
class Loaded:
    """The model to use, and the reasons why newer versions could not be used."""

    version: str
    model: dict[str, Any]
    problems: tuple[str, ...] = ()


class Registry:
    """One registry. To open it costs nothing: MLflow is imported by the first call that needs it."""

    def __init__(self, root: Path, url: str) -> None:
        self._root, self._url = root, url
        self._embedded = url.startswith("sqlite:")
        self._opened: Any = None

    # The next method is for scoring. With an embedded registry it reads only files.

    def serving(self, model: str) -> Loaded | None:
        """The version in use; None if no version was promoted yet. If that version cannot be used, the newest usable
        version that was promoted before it is returned.

        Raises ModelUnusable if no version can be used, or if `serving.json` cannot be read.
        """
        if not self._embedded:
            self._mirror(model)
        entry = self._serving().get(model)
        if entry is None:
            return None
        problems: list[str] = []
        for version in reversed(entry["history"]):
            stored = entry["versions"][version]
            try:
                return Loaded(version, artifact.read(self._root / stored["file"], stored["sha256"]), tuple(problems))
            except ModelUnusable as error:
                problems.append(f"version {version} of {model} cannot serve: {error}")
        raise ModelUnusable("; ".join(problems))

    def _serving(self) -> dict[str, Any]:
        path = self._root / "serving.json"
        if not os.path.lexists(path):
            return {}
        try:
            found = read_object(path)
            files = [entry["versions"][version] for entry in found.values() for version in entry["history"]]
            if all(isinstance(file[name], str) for file in files for name in ("file", "sha256")):
                return found
            reason = "it is not a list of models"
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = getattr(error, "strerror", None) or "it is not a list of models"
        raise ModelUnusable(
            f"{path} cannot be read: {reason}. It is unknown which model is in use. Bring it back from a backup "
            "(`ops backup list`), or move it away and promote a version again (`ops model promote`)"
        )

    # The following methods are for training and for people. They use MLflow.

    def prepare(self) -> None:
        """Create the embedded database if it does not exist. This takes some seconds."""
        self._experiment()

    def register(
        self,
        model: str,
        content: Mapping[str, Any],
        *,
        metrics: Mapping[str, float],
        parameters: Mapping[str, Any],
        tags: Mapping[str, str],
    ) -> str:
        """Record a candidate, and return its version. A candidate is not used until it is promoted."""
        client = self._client
        data = artifact.encode(dict(content))
        run = client.create_run(self._experiment(), run_name=f"{model} {tags.get('as_of', '')[:10]}")
        run_id = run.info.run_id
        for name, value in parameters.items():
            client.log_param(run_id, name, value)
        for name, number in metrics.items():
            client.log_metric(run_id, name, float(number))
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / FILE_NAME).write_bytes(data)
            client.log_artifact(run_id, str(Path(folder) / FILE_NAME))
        client.set_terminated(run_id)
        self._ensure_model(model)
        created = client.create_model_version(
            model,
            source=f"{run.info.artifact_uri}/{FILE_NAME}",
            run_id=run_id,
            tags={**tags, "sha256": artifact.digest(data)},
        )
        return str(created.version)

    def promote(self, model: str, version: str, why: str) -> None:
        """Put this version into use. Raises RegistryError if the version does not exist."""
        found = self._find(model, version)
        history = [item for item in self._history(model) if item != found.version] + [found.version]
        self._set_history(model, history)
        self._client.set_model_version_tag(model, found.version, "promoted_because", why[:480])

    def rollback(self, model: str) -> str:
        """Put the version into use again that was in use before, and return it. Raises RegistryError if there is no
        earlier one.
        """
        history = self._history(model)
        if len(history) < 2:
            raise RegistryError(f"{model} has no earlier version to roll back to")
        left, previous = history[-1], history[-2]
        self._set_history(model, history[:-1])
        self._client.set_model_version_tag(model, left, "rolled_back", "true")
        return previous

    def versions(self, model: str) -> list[Version]:
        """All versions, newest first."""
        if self._embedded and not self._database.exists():
            return []
        history = self._history(model)
        found = []
        for item in self._client.search_model_versions(f"name='{model}'"):
            run = self._client.get_run(item.run_id)
            status = "serving" if history[-1:] == [str(item.version)] else "candidate"
            if status == "candidate" and str(item.version) in history:
                status = "promoted"
            found.append(
                Version(
                    model=model,
                    version=str(item.version),
                    sha256=item.tags.get("sha256", ""),
                    status=status,
                    trained_as_of=item.tags.get("as_of", ""),
                    run_id=item.run_id,
                    metrics=dict(run.data.metrics),
                    parameters=dict(run.data.params),
                    tags=dict(item.tags),
                )
            )
        return sorted(found, key=lambda item: -int(item.version))

    @property
    def _database(self) -> Path:
        return Path(self._url.removeprefix("sqlite:///"))

    @property
    def _client(self) -> Any:
        if self._opened is None:
            if self._embedded:
                self._database.parent.mkdir(parents=True, exist_ok=True)
            from mlflow import MlflowClient

            self._opened = MlflowClient(tracking_uri=self._url, registry_uri=self._url)
        return self._opened

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        location = (self._root / "artifacts").as_uri() if self._embedded else None
        return str(self._client.create_experiment(EXPERIMENT, artifact_location=location))

    def _ensure_model(self, model: str) -> None:
        if not self._registered(model):
            self._client.create_registered_model(model)

    def _registered(self, model: str) -> Any:
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_registered_model(model)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def _find(self, model: str, version: str) -> Version:
        known = self.versions(model)
        for item in known:
            if item.version == version:
                return item
        valid = ", ".join(item.version for item in known) or "none"
        raise RegistryError(f"{model} has no version {version}; valid: {valid}")

    def _history(self, model: str) -> list[str]:
        registered = self._registered(model)
        return json.loads(registered.tags.get(HISTORY_TAG, "[]")) if registered is not None else []

    def _set_history(self, model: str, history: list[str]) -> None:
        self._client.set_registered_model_tag(model, HISTORY_TAG, json.dumps(history))
        self._client.set_registered_model_alias(model, ALIAS, history[-1])
        self._mirror(model)

    def _mirror(self, model: str) -> None:
        history = self._history(model)
        if not history:
            return
        versions = {}
        for version in history:
            item = self._client.get_model_version(model, version)
            versions[version] = {
                "sha256": item.tags.get("sha256", ""),
                "file": self._local(model, version, item.source),
            }
        state = {**self._serving(), model: {"history": history, "versions": versions}}
        self._root.mkdir(parents=True, exist_ok=True)
        partial = self._root / ".serving.json"
        partial.write_text(json.dumps(state, indent=1, sort_keys=True), encoding="utf-8")
        partial.replace(self._root / "serving.json")

    def _local(self, model: str, version: str, source: str) -> str:
        """The path of the model file, relative to the registry's folder. A remote file is downloaded only once."""
        if source.startswith("file:"):
            return os.path.relpath(source.removeprefix("file://"), self._root)
        relative = Path("cache") / model / version / FILE_NAME
        if not (self._root / relative).exists():
            from mlflow.artifacts import download_artifacts

            (self._root / relative).parent.mkdir(parents=True, exist_ok=True)
            download_artifacts(
                artifact_uri=source, dst_path=str((self._root / relative).parent), tracking_uri=self._url
            )
        return str(relative)
