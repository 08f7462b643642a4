"""A real Icinga 2 with the configuration of the guide: a service fails and recovers, and says so once each."""

import getpass
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from incidents.intake.monitoring import processing
from incidents.models import Alert, Payload
from tests.incidents.monitoring.conftest import KEY, sender

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not (shutil.which("icinga2") and shutil.which("curl")), reason="needs apt icinga2-bin and curl"),
]
PATIENCE_SECONDS = 60
AROUND = """
object Endpoint NodeName { host = "127.0.0.1" }
object Zone "here" { endpoints = [ NodeName ] }
object User "icingaadmin" { }
object CheckCommand "told" { command = [ "/bin/sh", "PLACE/check.sh", "$host.name$" ] }
object Host "web-1" { check_command = "told"; check_interval = 1s; address = "192.0.2.11" }
object Service "http" {
  host_name = "web-1"; check_command = "told_service"; check_interval = 1s; retry_interval = 1s; max_check_attempts = 2
}
object CheckCommand "told_service" { command = [ "/bin/sh", "PLACE/check.sh", "service" ] }
object CheckerComponent "checker" { }
object NotificationComponent "notification" { }
"""


@pytest.fixture
def icinga(live_server, organisation, tmp_path) -> Iterator[Path]:
    """Its check answers what the file `says` holds; the host is always well."""
    url = f"{live_server.url}/in/icinga/{KEY}"
    guide = render_to_string("incidents/integrations/guides/icinga.html", {"url": url})
    written = unescape(re.findall(r"<pre>(.*?)</pre>", guide, re.DOTALL)[0])
    (tmp_path / "icinga.conf").write_text(AROUND.replace("PLACE", str(tmp_path)) + written)
    (tmp_path / "check.sh").write_text(
        f'[ "$1" = service ] || exit 0\ntouch {tmp_path}/asked\ncat {tmp_path}/text\nexit $(cat {tmp_path}/code)\n'
    )
    say(tmp_path, 0, "HTTP OK")
    places = [f"-D{name}Dir={tmp_path}" for name in ("Data", "Log", "Cache", "InitRun")]
    who = [f"-DRunAs{what}={getpass.getuser()}" for what in ("User", "Group")]
    command = ["icinga2", "daemon", "-c", str(tmp_path / "icinga.conf"), "-DNodeName=here", *who, *places]
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    yield tmp_path
    process.terminate()
    process.wait(20)


def say(place: Path, code: int, text: str) -> None:
    (place / "text").write_text(text)
    (place / "code").write_text(str(code))


def wait_until(condition: Callable[[], bool], place: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, (place / "out").read_text()[-2000:]
        time.sleep(0.2)


def is_there(status: str, tool) -> bool:
    processing.process(tool.pk)
    return Alert.objects.filter(status=status).exists()


def test_a_service_fires_and_resolves(icinga):
    tool = sender("icinga")
    wait_until((icinga / "asked").exists, icinga)  # it was well once, or there would be nothing to fall from
    say(icinga, 2, "HTTP CRITICAL: \"502\" isn't $good$ & 'well'")
    wait_until(lambda: is_there("firing", tool), icinga)
    alert = Alert.objects.get()
    assert (alert.dedup_key, alert.title, alert.severity) == ("web-1!http", "http on web-1 is CRITICAL", "critical")
    assert alert.body == "HTTP CRITICAL: \"502\" isn't $good$ & 'well'"
    say(icinga, 0, "HTTP OK")
    wait_until(lambda: is_there("resolved", tool), icinga)
    assert list(Alert.objects.values_list("status", "reports")) == [("resolved", 2)]
    assert not Payload.objects.exclude(state="done").exists()
