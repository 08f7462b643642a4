"""The bell that wakes a worker after an event."""

import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings

from incidents.errands import Errands
from notifications.models import Delivery
from notifications.tasks import sweep_deliveries
from tests.notifications.conftest import declare, person


def test_every_thread_publishes_to_the_configured_broker():
    found = []
    thread = threading.Thread(target=lambda: found.append(sweep_deliveries.app.conf.broker_url))
    thread.start()
    thread.join()
    assert found == [settings.CELERY_BROKER_URL]


@pytest.fixture
def no_broker():
    """The application talks to a port where nobody listens."""
    app = sweep_deliveries.app
    known = app.conf.broker_url, app.conf.broker_write_url
    app.pool.force_close_all()
    app.conf.broker_url = app.conf.broker_write_url = "redis://127.0.0.1:1/0"
    app.amqp.__dict__.pop("producer_pool", None)
    app.amqp._producer_pool = None
    yield
    app.conf.broker_url, app.conf.broker_write_url = known
    app.amqp._producer_pool = None


@pytest.mark.django_db(transaction=True)
def test_declaring_neither_fails_nor_waits_while_the_broker_is_away(checkout, no_broker):
    manager = person("manager", "major_incident_manager")
    person("engineer", "technical_staff")
    began = time.monotonic()
    incident = declare(manager, checkout)
    assert time.monotonic() - began < 2
    assert Delivery.objects.filter(incident=incident, moment="declared", state="queued").count() == 4


def test_a_call_that_the_broker_did_not_take_is_counted_and_raises_nothing(no_broker):
    errands = Errands()
    assert errands.run("wake up", sweep_deliveries.delay) is False
    assert errands.lost == 1


def test_the_same_errand_waiting_twice_is_run_once():
    errands, started, go_on, runs = Errands(), threading.Event(), threading.Event(), []
    errands.add("first", lambda: (started.set(), go_on.wait(5)))
    assert started.wait(5)
    for _ in range(3):
        errands.add("same", lambda: runs.append(1))
    done = threading.Event()
    errands.add("last", done.set)
    go_on.set()
    assert done.wait(5)
    assert runs == [1]


def test_a_command_that_ends_right_after_its_act_takes_no_wake_up_with_it():
    ends_at_once = (
        "from incidents.errands import errands; import time;"
        "errands.add('a', lambda: time.sleep(0.2)); errands.add('b', lambda: print('published'))"
    )
    ran = subprocess.run([sys.executable, "-c", ends_at_once], capture_output=True, text=True, timeout=30)
    assert ran.stdout == "published\n"
