"""What was learned is found in other words, mistyped ones too, by those who may read it."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.actions import documents, history, knowledge_index, problems
from incidents.knowledge_terms import (
    Entry,
    asked_terms,
    concepts_of,
    neighbours_of,
    ranked,
    stem,
    telling_part,
    terms_of,
    weights_of,
)
from incidents.management.commands import measure_search
from incidents.models import Document, KnowledgeEntry, KnowledgeWord
from incidents.queries import knowledge_search
from incidents.queries.knowledge_search import search_knowledge
from incidents.queries.search import search
from tests.factories import minute

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(administrator):
    def write(title, text, *, publish=True):
        clocks = {"reported_at": minute(0), "resolved_at": minute(60), "closed_at": minute(90)}
        past = history.PastIncident(title, title, 1, 1, "SEV1", ("Checkout",), clocks)
        number = history.import_past([past], actor=administrator, at=minute(100))[0].incident_id
        documents.generate(number, actor=None, at=minute(110))
        documents.edit_document(number, markdown=text, title=title, actor=administrator, at=minute(111))
        if publish:
            documents.publish_document(number, actor=administrator, at=minute(120))
        return number

    return write


def _titles(user, words):
    return [one.record.title for one in search_knowledge(user, words) if one.kind != "solution"]


def test_documents_and_known_errors_are_found_in_other_words_and_mistyped_ones(
    written, technician, problem_manager, outsider
):
    written("Expired TLS certificate", "The renewal job of the gateway had been switched off.")
    written("Mail relay rejected", "Our address was on a block list.")
    written("Secret draft about certificates", "Not published.", publish=False)
    problem = problems.open_problem(title="Disk of the log server runs full", actor=problem_manager, at=minute(0))
    assert _titles(technician, "volume ran out of space") == []
    by = {"actor": problem_manager, "at": minute(1)}
    problems.investigate(problem.pk, **by)
    problems.edit_problem(problem.pk, changes={"workaround": "Rotate by hand"}, **by)
    problems.known_error(problem.pk, **by)
    for words, title in (
        ("browser says the page is not secure", "Expired TLS certificate"),
        ("certifcate expird", "Expired TLS certificate"),
        ("newsletters bounce", "Mail relay rejected"),
        ("volume ran out of space", "Disk of the log server runs full"),
    ):
        assert _titles(technician, words)[:1] == [title], words
    assert _titles(technician, "the of and") == [] and _titles(technician, "zzzzqqqq") == []
    assert _titles(outsider, "certificate") == []


def test_what_is_taken_out_or_changed_elsewhere_is_found_as_it_is_now(written, technician):
    number = written("Expired TLS certificate", "The gateway.")
    words = dict(KnowledgeWord.objects.values_list("term", "entries"))
    assert words["gateway"] == 1
    document = Document.objects.get(incident=number)
    Document.objects.filter(pk=document.pk).update(markdown="The broker.", updated_at=minute(10**7))
    assert [knowledge_index.index_stale() for _ in range(2)] == [1, 0]
    words = dict(KnowledgeWord.objects.values_list("term", "entries"))
    assert (words["gateway"], words["broker"]) == (0, 1) and KnowledgeEntry.objects.count() == 1
    document.published_at = None
    knowledge_index.index_document(document)
    assert not KnowledgeEntry.objects.exists() and not KnowledgeWord.objects.filter(entries__gt=0).exists()


def test_words_are_brought_to_their_stem_and_to_what_they_stand_for():
    assert {stem(word) for word in ("failing", "failed", "fails")} == {"fail"}
    assert stem("copies") == stem("copy")
    assert "#login" in concepts_of([stem(word) for word in ["cannot", "sign", "in"]])
    assert "#login" not in concepts_of([stem(word) for word in ["sign", "a", "letter"]])
    assert telling_part("# A\n\n## Timeline (UTC)\n\n- 10:00 x\n\n## Cause\n\ny\n") == "# A\n\n## Cause\n\ny\n"


def test_a_word_is_met_by_its_concept_by_one_near_it_and_by_words_of_alike_use():
    (meant,) = asked_terms("tills", {})
    assert meant["till"] == 1.0 and meant["#till"] > 1.0 > meant["#cash"] > 0
    assert "blackout" in neighbours_of(stem("outage")) and neighbours_of("zzzzqqqq") == {}
    phrase = asked_terms("locked out", {})
    assert max(one.get("#login", 0) for one in phrase) > meant["#till"], "a phrase is surer than a word"
    assert not any("#wait" in one for one in phrase), "and takes the place of what its words say alone"
    assert asked_terms("the of and", {}) == []


def test_rare_words_and_those_of_the_title_put_an_entry_first():
    texts = ["Printer jam", "Printer jam and a broken spooler", "Jam", "Lift stuck. The printer was fine."]
    entries = [
        Entry(n, frozenset(terms_of(one.split(".")[0])), frozenset(terms_of(one)), len(terms_of(one)))
        for n, one in enumerate(texts)
    ]
    counts = {term: sum(term in one.terms for one in entries) for entry in entries for term in entry.terms}

    def first(question):
        return [pk for _, pk in ranked(weights_of(asked_terms(question, {}), counts, len(entries)), entries)]

    assert first("spooler")[0] == 1, "what one entry alone says"
    assert first("jam")[0] == 2, "shorter, all of it in the title"
    assert first("printer").index(0) < first("printer").index(3), "the title before the text"
    assert first("zzzzqqqq") == []


def test_usual_words_are_asked_for_two_at_a_time_when_alone_they_choose_too_many(written, technician, monkeypatch):
    written("Printer jam", "Paper.")
    written("Printer offline", "A cable.")
    written("Lift jam", "The door.")
    monkeypatch.setattr(knowledge_search, "BUDGET", 1)
    assert _titles(technician, "printer jam") == ["Printer jam"]


def test_the_documents_of_the_search_over_everything_come_through_the_index_of_words(written, technician):
    written("Expired TLS certificate", "The gateway.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'document_words'")
        assert cursor.fetchone()[0] == 1
    with CaptureQueriesContext(connection) as queries:
        assert [hit.title for hit in search(technician, "gateway") if hit.kind == "document"] == [
            "Expired TLS certificate"
        ]
    sql = next(one["sql"] for one in queries if "incidents_document" in one["sql"] and "to_tsquery" in one["sql"])
    assert "*" in sql.split("ORDER BY")[1], "few are found by their words, not by going through all by number"
    assert "markdown" not in sql.split(" FROM ")[0], "and their texts are not read"


def test_the_page_shows_what_was_found_and_what_to_do_when_nothing_was(written, at_desk, capsys):
    written("Expired TLS certificate", "The gateway.")
    page = at_desk.get(reverse("document_list"), {"q": "page is not secure"}).content.decode()
    assert "Expired TLS certificate" in page
    assert "Say what people saw" in at_desk.get(reverse("document_list"), {"q": "zzzzqqqq"}).content.decode()


def test_the_quality_is_measured_and_nothing_is_left_behind(capsys, monkeypatch, written, technician):
    written("Expired TLS certificate", "The gateway.")
    monkeypatch.setattr(measure_search, "read_set", lambda name, read=measure_search.read_set: read(name)[:12])
    call_command("measure_search", "--set", "tuning_more", "--least", "0.9")
    assert "of 12 in the first three" in capsys.readouterr().out
    assert KnowledgeEntry.objects.count() == 1 and _titles(technician, "gateway") == ["Expired TLS certificate"]
