"""Style, types and the laws of imports: one test for each tool, so that a reader sees the tool's own message."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture import apart

ROOT = Path(__file__).resolve().parents[2]
PYTHON_ROOTS = ["ops_project", "asset_checks", "tests"]


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check(base: Path, test: str) -> None:
    code, said = apart.result(base, test)
    assert code == 0, said


def tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def test_style() -> None:
    run(tool("ruff"), "check", "--no-cache", *PYTHON_ROOTS)


def test_format() -> None:
    run(tool("ruff"), "format", "--check", "--no-cache", *PYTHON_ROOTS)


def test_types_of_every_package(tmp_path_factory: pytest.TempPathFactory) -> None:
    check(tmp_path_factory.getbasetemp(), "test_types_of_every_package")


def test_imports_run_one_way() -> None:
    run(tool("lint-imports"), "--no-cache")


def test_sql_style(tmp_path_factory: pytest.TempPathFactory) -> None:
    check(tmp_path_factory.getbasetemp(), "test_sql_style")


def test_what_is_not_checked_says_why() -> None:
    """A line in which a type is not checked gives the reason, and a line that breaks a rule of style names the rule.
    Everything is formatted.
    """
    silent = re.compile(r"type: ignore(\[[^]]*\])?\s*$|fmt: (skip|off)|noqa(?!: [A-Z]+[0-9]+)")
    lines = [
        f"{path.relative_to(ROOT).as_posix()}:{number}"
        for path in tracked()
        if path.suffix == ".py" and path.name != "test_laws.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "#" in line and silent.search(line[line.index("#") :])
    ]
    assert not lines


def test_only_settings_reads_the_environment() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "ops_project").rglob("*.py")
        if path.name != "settings.py" and re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8"))
    ]
    assert not offenders


DAGSTER_ROOMS = (
    "ops_project/definitions.py",
    "ops_project/defs/",
    "ops_project/dagster_bridge/",
    "ops_project/operations/alerting/dagster/",
    "asset_checks/",
)


def test_dagster_is_imported_only_in_its_rooms() -> None:
    offenders = [
        name
        for path in [*(ROOT / "ops_project").rglob("*.py"), *(ROOT / "asset_checks").rglob("*.py")]
        if re.search(r"^\s*(import dagster|from dagster)", path.read_text(encoding="utf-8"), re.MULTILINE)
        and not (name := path.relative_to(ROOT).as_posix()).startswith(DAGSTER_ROOMS)
        # Commands open the persisted instance. They import Dagster inside the function that needs it.
        and not name.startswith("ops_project/cli/")
    ]
    assert not offenders


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout: the tracked files are not known")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("requirements.lock", 100),
        ("requirements-dev.lock", 100),
        ("requirements-types.lock", 4),
        ("requirements-pip.lock", 1),
    ],
)
def test_a_lock_pins_with_hashes_and_names_no_index(name: str, least: int) -> None:
    lock = (ROOT / name).read_text(encoding="utf-8")
    assert len(_pins(name)) >= least
    assert lock.count("--hash=sha256:") >= len(_pins(name))
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", lock)


def test_the_tests_run_with_the_very_packages_that_a_run_installs() -> None:
    assert _pins("requirements.lock").items() <= _pins("requirements-dev.lock").items()


def test_a_run_installs_nothing_that_only_tests_need() -> None:
    development = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    indirect = {"scipy"}  # scikit-learn needs it
    names = {re.split(r"[<>=\[]", requirement)[0].lower().replace("_", "-") for requirement in development["dev"]}
    assert not (names - indirect) & set(_pins("requirements.lock"))


def _pins(name: str) -> dict[str, str]:
    lock = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9][^\s=]*)==(\S+.*)$", lock, re.MULTILINE))


def test_no_house_of_bad_names_and_no_diaries() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in tracked()]
    assert not [name for name in names if re.search(r"(^|/)(utils?|lib|commons?|helpers?|ops)(\.py|/)", name)]
    assert not [name for name in names if re.search(r"(COMPLETE|SUMMARY|PROGRESS|NOTES)[^/]*\.md$", name)]
    assert not [name for name in names if Path(name).name in {"uv.lock", "poetry.lock", "Pipfile.lock"}]


def test_no_file_holds_a_path_of_the_machine_that_wrote_it() -> None:
    """The places of the project, its interpreter and the user's home differ on every machine, so no file may contain
    them.
    """
    places = {str(ROOT), str(Path.home()), sys.prefix, sys.base_prefix} - {"/", "/usr", "/usr/local"}
    places = {place for place in places if place.count("/") > 1} | {f"{Path.home()}/"}
    held = [
        f"{path.relative_to(ROOT).as_posix()}: {place}"
        for path in tracked()
        if path.is_file() and path.suffix not in {".xz", ".webp", ".png", ".woff2"}
        for place in places
        if place in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert not held


# Dependencies that no module imports, and what needs them.
NOT_IMPORTED = {
    "dbt-duckdb": "dbt loads it as the adapter that profiles.yml names",
    "pandas": "checks of one's own get their rows as frames from DuckDB",
    "duckdb-extension-postgres": "DuckDB loads it to read a PostgreSQL source",
    "setuptools": "it builds the package",
}
MODULES = {
    "dagster-webserver": "dagster_webserver",
    "dbt-core": "dbt",
    "markdown-it-py": "markdown_it",
    "mlflow-skinny": "mlflow",
    "psycopg2-binary": "psycopg2",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}


def test_every_dependency_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for root in ("ops_project", "asset_checks")
        for path in (ROOT / root).rglob("*.py")
    )
    unused = [
        name
        for requirement in project["dependencies"]
        if (name := re.split(r"[<>=\[]", requirement)[0]) not in NOT_IMPORTED
        and not re.search(rf"^\s*(import|from) {MODULES.get(name, name.replace('-', '_'))}\b", code, re.MULTILINE)
    ]
    assert not unused


def test_no_two_modules_import_each_other() -> None:
    import grimp

    graph = grimp.build_graph("ops_project", cache_dir=None)
    circles = [
        (module, other)
        for module in graph.modules
        for other in graph.find_modules_directly_imported_by(module)
        if module < other and module in graph.find_modules_directly_imported_by(other)
    ]
    assert not circles


def test_sql_is_quoted_in_one_place() -> None:
    doubled = re.compile(r"""replace\("'", "''"\)|replace\('"', '""'\)""")
    offenders = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "ops_project").rglob("*.py")
        if path.name != "sql_text.py" and doubled.search(path.read_text(encoding="utf-8"))
    ]
    assert not offenders


@pytest.mark.parametrize(
    ("of_checks", "of_the_project"),
    [("asset_checks/days.py", "ops_project/model/days.py"), ("asset_checks/counted.py", "ops_project/counted.py")],
)
def test_a_function_that_checks_have_for_themselves_is_that_of_the_project(of_checks: str, of_the_project: str) -> None:
    """Checks may not import the project, so these functions exist twice. A change of one must be made in the other as
    well.
    """
    checks, project = ((ROOT / name).read_text(encoding="utf-8") for name in (of_checks, of_the_project))
    assert checks[checks.index("def ") :] == project[project.index("def ") :]
