"""A real Prometheus Alertmanager: what fires arrives once, and so does its end."""

import shutil
import subprocess
import time
from datetime import UTC, datetime

import pytest
from django.db import connection

from incidents.intake.monitoring import processing
from incidents.models import Alert, Payload, Ticket
from mim.embedded.ports import free_port
from tests import factories
from tests.incidents.monitoring.conftest import KEY, sender

pytestmark = [
    pytest.mark.stack,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not (shutil.which("prometheus-alertmanager") and shutil.which("amtool")),
        reason="needs the Debian package prometheus-alertmanager",
    ),
]
CONFIGURATION = """
route:
  receiver: desk
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: desk
    webhook_configs:
      - url: {url}
        send_resolved: true
"""


@pytest.fixture
def alertmanager(tmp_path, live_server):
    """Its address; it sends to this product."""
    (tmp_path / "config.yml").write_text(CONFIGURATION.format(url=f"{live_server.url}/in/alertmanager/{KEY}"))
    port = free_port()
    command = ["prometheus-alertmanager", f"--config.file={tmp_path}/config.yml", f"--storage.path={tmp_path}/data"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(10)


def amtool(url: str, *labels: str, end: str = "") -> None:
    command = ["amtool", f"--alertmanager.url={url}", "alert", "add", *labels, "--annotation=summary=Errors above 5 %"]
    for _ in range(100):
        done = subprocess.run([*command, *([f"--end={end}"] if end else [])], capture_output=True, text=True)
        if done.returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail(done.stderr)


def wait_for(count: int, tmp_path) -> None:
    until = time.monotonic() + 30
    while Payload.objects.count() < count:
        if time.monotonic() > until:
            pytest.fail((tmp_path / "log").read_text()[-3000:])
        connection.close()
        time.sleep(0.05)


def test_firing_and_resolved_arrive_once_each(alertmanager, tmp_path):
    factories.organisation()
    checkout, tool = factories.service("Checkout"), sender()
    labels = ("alertname=HighErrorRate", "severity=critical", "service=checkout", "instance=web-1")
    amtool(alertmanager, *labels)
    wait_for(1, tmp_path)
    processing.process(tool.pk)
    alert = Alert.objects.get()
    assert (alert.status, alert.severity, alert.service) == ("firing", "critical", checkout)
    assert (alert.title, alert.labels["instance"], alert.reports) == ("Errors above 5 %", "web-1", 1)
    assert alert.ticket == Ticket.objects.get()

    amtool(alertmanager, *labels, end=datetime.now(UTC).isoformat())
    wait_for(2, tmp_path)
    processing.process(tool.pk)
    alert = Alert.objects.get()
    assert (alert.status, alert.reports, alert.changes) == ("resolved", 2, 2)
    assert alert.ended_at is not None and Ticket.objects.get().status == "new"
    assert set(Payload.objects.values_list("state", flat=True)) == {"done"}
    assert Payload.objects.first().headers["user-agent"].startswith("Alertmanager/")
