"""The production files cannot run here; they are read and held to what they promise."""

import re

import pytest
import yaml

from mim.embedded.services import ROOT

PROGRAMS = {"migrate", "web", "stream", "worker", "webhooks", "beat", "mail"}


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_every_program_of_the_product_is_there(compose):
    assert set(compose["services"]) == PROGRAMS | {"postgres", "valkey", "proxy"}


def test_images_are_pinned_to_a_full_version(compose):
    for name, service in compose["services"].items():
        assert re.search(r":\d+\.\d+(\.\d+)?(-[a-z]+)?$", service["image"]), name
    base = re.search(r"^FROM (\S+)$", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
    assert base and re.search(r":\d+\.\d+\.\d+-", base.group(1))


def test_everything_that_stays_up_has_a_health_check_and_restarts(compose):
    for name, service in compose["services"].items():
        if name == "migrate":
            continue
        assert service["healthcheck"]["test"], name
        assert service["restart"] == "unless-stopped", name


def test_no_secret_has_a_default(compose):
    text = (ROOT / "docker-compose.yml").read_text()
    used = re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", text)
    assert {"MIM_SECRET_KEY", "MIM_DATABASE_PASSWORD", "MIM_REDIS_PASSWORD"} <= {name for name, _ in used}
    for name, rest in used:
        assert rest.startswith(":?"), f"{name} would start empty or with a default"
    example = (ROOT / "deploy/example.env").read_text()
    offered = dict(line.split("=", 1) for line in example.splitlines() if line and not line.startswith("#"))
    assert set(offered) == {name for name, _ in used}
    assert not any(offered.values())


def test_only_the_proxy_and_the_mail_listener_are_reached_from_outside(compose):
    assert {name for name, service in compose["services"].items() if "ports" in service} == {"proxy", "mail"}


def test_the_mail_listener_is_asked_as_a_mail_server_is(compose):
    mail = compose["services"]["mail"]
    assert mail["command"][:3] == ["python", "manage.py", "receive_mail"]
    assert "smtplib.SMTP" in mail["healthcheck"]["test"][-1] and mail["command"][-1] in mail["healthcheck"]["test"][-1]
    assert mail["ports"][0].endswith(f":{mail['command'][-1]}")


def test_data_survives_on_volumes(compose):
    used = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert used == set(compose["volumes"])


def test_the_programs_wait_for_the_migrations(compose):
    for name in PROGRAMS - {"migrate"}:
        assert compose["services"][name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert compose["services"]["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_the_proxy_sends_streams_to_the_stream_server_and_speaks_http_2():
    caddy = (ROOT / "deploy/Caddyfile").read_text()
    assert re.search(r"handle /live/\* \{\s+reverse_proxy stream:8001", caddy)
    assert "reverse_proxy web:8000" in caddy and " h2 " in caddy
    assert caddy.count("{") == caddy.count("}")


def test_every_variable_is_explained_to_operators(compose):
    table = (ROOT / "docs/operators.md").read_text()
    for name in compose["services"]["web"]["environment"]:
        assert f"`{name}`" in table, name
