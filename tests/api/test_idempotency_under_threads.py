"""Two requests with one Idempotency-Key at the same moment: one act, one answer."""

import threading

import pytest
from django.db import connection

from incidents.models import IdempotentRequest, Ticket
from tests.api.conftest import Caller


@pytest.mark.django_db(transaction=True)
def test_twenty_requests_with_one_key_file_one_ticket(technician):
    caller = Caller(technician)
    caller.get("tickets")
    together, answers = threading.Barrier(20), []

    def post():
        mine = Caller(technician, secret=caller.headers["Authorization"].removeprefix("Bearer "))
        together.wait()
        try:
            answers.append(mine.ask("POST", "tickets", {"title": "Payment fails"}, Idempotency_Key="once"))
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Ticket.objects.count() == 1
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert IdempotentRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_crash_in_the_middle_is_not_remembered(technician, monkeypatch):
    """The act and the memory of it are one transaction, so trying again does the work."""
    from incidents.actions import tickets

    caller = Caller(technician)
    caller.client.raise_request_exception = False
    whole = tickets.open_ticket

    def broken(**given):
        whole(**given)
        raise RuntimeError("power cut")

    monkeypatch.setattr(tickets, "open_ticket", broken)
    problem = caller.post("tickets", {"title": "x"}, 500, Idempotency_Key="k")
    assert problem["type"] == "internal"
    assert "power cut" not in str(problem)
    assert not Ticket.objects.exists()
    assert not IdempotentRequest.objects.exists()
    monkeypatch.undo()
    caller.post("tickets", {"title": "x"}, 201, Idempotency_Key="k")
