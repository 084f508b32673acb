"""This machine needs no login. Every other machine needs a user, a role, and a form of the console."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import yaml
from starlette.routing import Route

from ops_project.console.access.attempts import Attempts
from ops_project.console.access.passwords import line_of, matches
from ops_project.console.access.visitor import Stranger, Visitor, identify
from ops_project.console.app import create_app
from ops_project.model.console import Console
from tests.console.visit import ELSEWHERE, Visit
from tests.operations.incidents.world import IncidentWorld

SECRET = "a long password"
LINE = line_of(SECRET)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    def users(data):
        data["users"] = {
            "engineer-a": {"role": "l2", "password": LINE},
            "tech-ba": {"role": "viewer", "password": LINE},
            "engineer-b": {"role": "owner", "password": LINE},
            "engineer-c": {"password": LINE},
            "data-manager": {"role": "owner"},
        }
        data["proxy"] = {"header": "X-Remote-User", "addresses": ["192.0.2.1"]}

    def roles(data):
        data["roles"]["l2"]["may"].remove("hold")
        data["people"] = {"engineer-b": "l2"}

    day = IncidentWorld(tmp_path_factory.mktemp("access"), "2026-03-04 04:10", console=users, roles=roles)
    day.job_fails()
    day.advance("1m")
    return day


def log_in(visit: Visit, name: str, password: str = SECRET):
    return visit.client.post("/login", data={"name": name, "password": password, "next": "/incidents"})


def test_this_machine_reads_without_a_login(visit):
    assert "Something is wrong." in visit.text("/")


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_what_came_through_a_proxy_does_not_come_from_this_machine(visit, header):
    assert visit.get("/", **{header: "192.0.2.9"}).status_code == 403


def test_a_foreign_name_that_leads_here_is_refused(told):
    with Visit(told, base="http://evil.example") as visit:
        refused = visit.get("/")
    assert refused.status_code == 403 and "console.yaml" in refused.text


def test_without_users_another_machine_is_told_what_to_do(told):
    with Visit(told, ELSEWHERE, "http://ops.example") as visit:
        for path in ("/", "/incidents", "/live"):
            assert visit.get(path).status_code == 403
        assert "--new-password" in visit.get("/").text
        assert visit.get("/health").text == "ok\n"


def test_another_machine_logs_in(world):
    with Visit(world, ELSEWHERE, "http://ops.example") as visit:
        asked = visit.get("/incidents/1")
        assert asked.status_code == 303 and asked.headers["location"] == "/login?next=/incidents/1"
        assert "password" in visit.text("/login")
        assert log_in(visit, "engineer-a", "wrong").status_code == 403
        inside = log_in(visit, "engineer-a")
        assert inside.status_code == 303 and inside.headers["location"] == "/incidents"
        cookie = inside.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie
        assert "investor_pipeline" in visit.text("/incidents/1")
    log = [(line["who"], line["action"], line["outcome"]) for line in world.ledger.audit_log()]
    assert log[:2] == [("engineer-a", "log in", "done"), ("engineer-a", "log in", "refused")]


def test_a_login_ends_and_is_not_to_be_made_up(world):
    with Visit(world, ELSEWHERE, "http://ops.example") as visit:
        log_in(visit, "engineer-a")
        text = visit.client.cookies["ops_session"]
        visit.client.cookies.clear()
        visit.client.cookies["ops_session"] = text[:-1] + ("0" if text[-1] != "0" else "1")
        assert visit.get("/").status_code == 303
        visit.client.cookies.clear()
        visit.client.cookies["ops_session"] = text
        assert visit.get("/").status_code == 200
        world.now += timedelta(hours=13)
        try:
            assert visit.get("/").status_code == 303
        finally:
            world.now -= timedelta(hours=13)


def test_who_has_no_password_and_who_does_not_exist_cannot_log_in(world):
    with Visit(world, ELSEWHERE, "http://ops.example") as visit:
        assert log_in(visit, "data-manager", "").status_code == 403
        assert log_in(visit, "nobody").status_code == 403


def test_a_login_leads_to_no_other_site(world):
    with Visit(world, ELSEWHERE, "http://ops.example") as visit:
        for target in ("//evil.example", "https://evil.example", "/\\evil.example"):
            found = visit.client.post("/login", data={"name": "tech-ba", "password": SECRET, "next": target})
            assert found.headers["location"] == "/"


def test_guessing_has_to_wait():
    attempts, now = Attempts(), datetime(2026, 3, 4, tzinfo=UTC)
    for _ in range(5):
        assert not attempts.blocked(("name a",), now)
        attempts.failed(("name a", "address b"), now)
    assert attempts.blocked(("name a",), now) and attempts.blocked(("name c", "address b"), now)
    assert not attempts.blocked(("name c",), now)
    assert not attempts.blocked(("name a",), now + timedelta(minutes=6))


def test_a_proxy_is_believed_only_from_its_address(world):
    named = {"X-Remote-User": "data.manager@example.com"}
    with Visit(world, ("192.0.2.1", 1), "http://ops.example") as visit:
        found = visit.get("/", **named)
        assert found.status_code == 200 and "Data Engineering Manager" in found.text
        assert visit.get("/", **{"X-Remote-User": "dba"}).status_code == 403
    with Visit(world, ELSEWHERE, "http://ops.example") as visit:
        assert visit.get("/", **named).status_code == 303


def test_roles_a_viewer_reads_and_an_owner_holds(world):
    with Visit(world, ELSEWHERE, "http://ops.example") as visit:
        log_in(visit, "tech-ba")
        refused = visit.send("/incidents/1/ack")
        assert refused.status_code == 403 and "Only the role l2 or owner may call" in refused.text
        log_in(visit, "engineer-c")
        assert visit.send("/incidents/1/ack").status_code == 403, "without a role a person reads"
        for name in ("engineer-a", "engineer-b"):
            log_in(visit, name)
            refused = visit.send("/incidents/1/hold", subject="investor", why="x")
            assert refused.status_code == 403 and "roles.yaml" in refused.text, "roles.yaml goes before console.yaml"
        assert visit.send("/incidents/1/note", words="seen").status_code == 303
    assert world.incident().status == "triggered"


def test_a_form_of_another_page_does_nothing(fresh):
    with Visit(fresh) as visit:
        visit.act_as("engineer-a")
        token = visit.token()
        for answer in (
            visit.send("/incidents/1/ack", token="0" * 64),
            visit.send("/incidents/1/ack", token=token, headers={"origin": "http://evil.example"}),
            visit.send("/incidents/1/ack", token=token, headers={"sec-fetch-site": "cross-site"}),
        ):
            assert answer.status_code == 403
        assert fresh.incident().status == "triggered"
        assert visit.send("/incidents/1/ack", token=token, headers={"origin": "http://localhost"}).status_code == 303
    assert fresh.incident().status == "acknowledged"


def test_nobody_acts_without_a_name(fresh):
    with Visit(fresh) as visit:
        assert "say who you are first" in visit.done("/incidents/1/ack")
        assert visit.send("/who", who="stranger").status_code == 422
    assert fresh.incident().status == "triggered"


def test_only_our_scripts_run_and_nothing_is_kept(visit):
    headers = visit.get("/").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"
    assert "immutable" in visit.get("/static/console.css?1").headers["cache-control"]
    assert visit.get("/static/../app.py").status_code == 404


def test_a_password_is_not_kept_and_a_short_one_is_refused():
    assert SECRET not in LINE and matches(SECRET, LINE) and not matches("another password", LINE)
    with pytest.raises(ValueError, match="at least 10"):
        line_of("short")


def test_a_user_who_is_nobody_is_an_error_of_the_file(tmp_path):
    from ops_project import catalog
    from ops_project.settings import Settings

    (tmp_path / "console.yaml").write_text(yaml.safe_dump({"users": {"ghost": {"role": "l2"}}}))
    with pytest.raises(catalog.ConfigError) as found:
        catalog.load(Settings(home=tmp_path, overlay=tmp_path))
    words = " ".join(str(problem) for problem in found.value.problems)
    assert "ghost" in words and "has no password and there is no proxy" in words


def test_a_role_that_does_not_exist_is_an_error_of_the_file(tmp_path):
    from ops_project import catalog
    from ops_project.settings import Settings

    (tmp_path / "console.yaml").write_text(yaml.safe_dump({"users": {"engineer-a": {"role": "l3", "password": LINE}}}))
    with pytest.raises(catalog.ConfigError) as found:
        catalog.load(Settings(home=tmp_path, overlay=tmp_path))
    assert any("'l3'" in str(problem) and "l2" in str(problem) for problem in found.value.problems)


def test_every_deed_names_a_command_of_the_shell(told):
    """If a deed had no such name, a role of roles.yaml would not mean the same in the console and in a shell."""
    from ops_project.cli.roles import ACTS

    needs = {
        (route.path, route.endpoint.args[1])
        for route in create_app(told.settings).routes
        if isinstance(route, Route) and "POST" in route.methods and isinstance(route.endpoint, partial)
    }
    assert len(needs) > 12
    free = {path for path, command in needs if not command}
    assert free == {"/logout", "/who", "/routes/replay"}, "these change nothing that others see"
    assert {command for _, command in needs if command} <= ACTS


def test_identify_is_a_function_of_what_it_is_given(told):
    from ops_project.catalog import load

    catalog = load(told.settings)
    owners, roles = catalog.owners, catalog.roles
    names = frozenset({"localhost"})
    here = identify(
        "::1", {"host": "[::1]:3080"}, names=names, session=None, console=Console(), owners=owners, roles=roles
    )
    assert here == Visitor("", "owner", "loopback", roles.roles["owner"])
    assert isinstance(
        identify(
            "10.0.0.1", {"host": "localhost"}, names=names, session=None, console=Console(), owners=owners, roles=roles
        ),
        Stranger,
    )


@pytest.mark.parametrize("cookie", ["ops_session=YQ==.\xe9", "ops_session=\xe9", "ops_flash=5", "ops_flash=[1]"])
def test_a_cookie_that_was_not_made_here_is_left_alone(told, cookie):
    with Visit(told) as visit:
        assert visit.client.get("/incidents", headers={"cookie": cookie.encode("latin-1")}).status_code == 200
