"""Answering from the message: one tap, but never a mail scanner; and who sees what on the pages."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incidents.actions import candidates
from incidents.models import OnCallShift, User
from incidents.process import AccountRole
from notifications import escalation, page_links
from notifications.models import Delivery, Message, Notice, Page, PageCall
from tests.notifications.conftest import deliver, person

pytestmark = pytest.mark.django_db
MIM = AccountRole.MAJOR_INCIDENT_MANAGER


@pytest.fixture
def crew(db):
    now = timezone.now()
    people = [person("dana", MIM), person("lee", MIM)]
    for rank, one in enumerate(people, 1):
        OnCallShift.objects.create(
            role=MIM, person=one, rank=rank, starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=9)
        )
    return people


@pytest.fixture
def candidate(crew):
    return candidates.gather(
        title="Nobody can pay", source="influx", cluster="pay", reasons=["14 tickets"], actor=None, at=timezone.now()
    )


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


def link(mail) -> str:
    return re.search(r"https?://[^/\s]+(/page/\S+/)", mail.get_body(("plain",)).get_content()).group(1)


def test_one_tap_from_the_mail_acknowledges_as_the_person_paged(candidate, crew, smtp):
    deliver()
    address = link(smtp.to("dana@shop.example")[0])
    browser = Client()  # not signed in
    shown = browser.get(address)
    assert "Nobody can pay" in shown.content.decode() and shown["Referrer-Policy"] == "same-origin"
    assert "no-store" in shown["Cache-Control"]
    assert browser.post(address, {"act": "acknowledge"}).status_code == 200
    candidate = candidates.Candidate.objects.get(pk=candidate.pk)
    assert (candidate.status, candidate.acknowledged_by) == ("acknowledged", crew[0])
    assert PageCall.objects.get().state == "answered"


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_a_mail_scanner_that_follows_the_link_acknowledges_nothing(candidate, smtp, method):
    deliver()
    address = link(smtp.to("dana@shop.example")[0])
    for _ in range(3):
        getattr(Client(), method)(address)
    assert Page.objects.get().state == "paging"


def test_a_post_from_elsewhere_is_refused(candidate, smtp):
    deliver()
    address = link(smtp.to("dana@shop.example")[0])
    assert Client(enforce_csrf_checks=True).post(address, {"act": "acknowledge"}).status_code == 403


def test_the_link_passes_it_on_too(candidate, crew, smtp):
    deliver()
    address = link(smtp.to("dana@shop.example")[0])
    Client().post(address, {"act": "pass"})
    escalation.sweep(now=timezone.now())
    assert [call.person for call in PageCall.objects.order_by("id")] == crew
    assert "passed it on" in Client().get(address).content.decode()


def test_a_forged_or_old_link_opens_nothing(candidate):
    call = PageCall.objects.get()
    secret = page_links.secret_of(call)
    for wrong in (secret[:-1], "x", signing.dumps(call.pk, salt="another"), f"{secret}x"):
        assert Client().get(reverse("page_answer", args=[wrong])).status_code == 404
    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        assert Client().post(reverse("page_answer", args=[secret])).status_code == 404
    assert Page.objects.get().state == "paging"


def test_somebody_who_has_left_answers_nothing(candidate, crew):
    address = reverse("page_answer", args=[page_links.secret_of(PageCall.objects.get())])
    User.objects.filter(pk=crew[0].pk).update(is_active=False)
    assert Client().post(address).status_code == 422
    assert Page.objects.get().state == "paging"


def test_a_second_tap_says_who_has_it(candidate, crew, smtp):
    deliver()
    address = link(smtp.to("dana@shop.example")[0])
    candidates.acknowledge(candidate.pk, actor=crew[1], at=timezone.now())
    shown = Client().get(address).content.decode()
    assert "Lee acknowledged it" in shown and "I take it" not in shown
    candidates.dismiss(candidate.pk, reason="nothing", actor=crew[1], at=timezone.now())
    assert Client().post(address).status_code == 422  # its verdict stands


def test_nobody_reads_anothers_link_in_the_log_of_messages(candidate, crew, smtp):
    deliver()
    secret = page_links.secret_of(PageCall.objects.get())
    kept = Message.objects.get(moment="page")
    assert secret.split(":")[0] not in kept.text + kept.html + kept.url
    row = Delivery.objects.get(moment="page", channel="email")
    page = signed_in(crew[1]).get(reverse("delivery", args=[row.pk])).content.decode()
    assert "link-of-the-recipient" in page
    assert Client().get("/page/link-of-the-recipient/").status_code == 404
    notice = Notice.objects.get(user=crew[0])
    assert notice.path == f"/candidates/{candidate.ref}/"


# --- Pages ------------------------------------------------------------------------------------
def test_the_candidate_says_whom_it_waits_for_and_who_is_next(candidate, crew):
    shown = signed_in(crew[1]).get(reverse("candidate_paged", args=[candidate.ref])).content.decode()
    assert re.search(r"Waits for <strong>Dana</strong>.*Then <strong>Lee</strong>", shown, re.DOTALL)
    brief = signed_in(crew[1]).get(reverse("candidate_paged", args=[candidate.ref]) + "?brief=1").content.decode()
    assert "Dana" in brief and "Lee" in brief


def test_only_whoever_was_paged_answers_in_the_product(candidate, crew):
    page = Page.objects.get()
    acknowledge = reverse("page_do", args=[page.pk, "acknowledge"])
    assert signed_in(crew[1]).post(acknowledge).status_code == 404
    assert (
        "Acknowledge" not in signed_in(crew[1]).get(reverse("candidate_paged", args=[candidate.ref])).content.decode()
    )
    assert signed_in(crew[0]).post(acknowledge, headers={"HX-Request": "true"})["HX-Trigger"] == "acted"
    assert Page.objects.get().state == "answered"


def test_the_slot_costs_the_same_however_many_were_called(candidate, crew):
    address = reverse("candidate_paged", args=[candidate.ref])
    browser, costs = signed_in(crew[1]), []
    for calls in (1, 10, 40):
        page = Page.objects.get()
        have = page.calls.count()
        PageCall.objects.bulk_create(
            PageCall(page=page, round=0, step=0, person=person(f"p{n}"), why="x", called_at=timezone.now())
            for n in range(have, calls)
        )
        browser.get(address)
        with CaptureQueriesContext(connection) as found:
            browser.get(address)
        costs.append(len(found))
    assert len(set(costs)) == 1 and costs[0] <= 16, costs


def test_an_administrator_changes_a_policy_and_a_wrong_one_is_kept_as_typed(crew):
    admin = person("admin", AccountRole.ADMINISTRATOR)
    browser = signed_in(admin)
    address = reverse("escalation_policy", args=["candidate"])
    assert "first in line" in browser.get(address).content.decode()
    wrong = {"repeat": "1", "who_1": [f"on_call:{MIM}:1"], "wait_1": ""}
    answer = browser.post(address, wrong)
    assert answer.status_code == 422 and "how many minutes" in answer.content.decode()
    assert browser.post(address, {"repeat": "1", "who_1": ["all:nobody"], "wait_1": "3"}).status_code == 422
    assert browser.post(address, {"repeat": "1"}).status_code == 422
    right = {"repeat": "1", "who_1": [f"on_call:{MIM}:1", f"person:{admin.pk}"], "wait_1": "3", "wait_2": ""}
    assert browser.post(address, right).status_code == 302
    candidates.gather(title="x", source="influx", cluster="z", reasons=[], actor=None, at=timezone.now())
    assert {call.person for call in PageCall.objects.all()} == {crew[0], admin}
    assert browser.get(reverse("escalation_policies")).status_code == 200
    assert signed_in(crew[0]).post(address, right).status_code == 403
