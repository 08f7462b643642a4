from time import perf_counter

import pytest

from incidents import document_text, pdf
from incidents.actions import documents, downtime, major_incidents, response, reviews, steps
from incidents.errors import Invalid, NotAccountable, Stale, WrongStage
from incidents.models import Document
from tests.factories import again, minute
from tests.incidents.conftest import fix

pytestmark = pytest.mark.django_db
HOSTILE = '#eval("1") $x$ <script>alert(1)</script> #import "/etc/passwd": * | [a](javascript:alert(1)) @cite `'


@pytest.fixture
def resolved(resolving, manager, engineer):
    response.record_decision(resolving.pk, text="Roll back", rationale="Fastest", actor=manager, at=minute(25))
    fix(resolving, engineer, at=minute(30))
    downtime.restore(resolving.pk, actor=manager, at=minute(31))
    return major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(40))


@pytest.fixture
def document(resolved):
    return Document.objects.get(incident=resolved)


def test_it_is_written_from_the_facts(document):
    text = document.markdown
    for words in (
        "Checkout answers 502",
        "SEV1",
        "| Started | 2024-03-04 09:00:00 |",
        "(31 min)",
        "Roll back the deploy",
        "502 after deploy",
        "## Decisions",
        "## Timeline (UTC)",
    ):
        assert words in text
    assert "<h1>" in document.html


def test_editing_keeps_every_version(document, resolved, engineer, manager):
    documents.edit_document(resolved.pk, markdown="# Short", actor=engineer, at=minute(50))
    edited = documents.edit_document(resolved.pk, markdown="# Shorter", version=2, actor=manager, at=minute(51))
    assert (edited.version, edited.edited_by) == (3, manager)
    assert [(old.version, old.saved_by) for old in edited.versions.all()] == [(2, engineer), (1, None)]
    with pytest.raises(Stale):
        documents.edit_document(resolved.pk, markdown="# Mine", version=2, actor=engineer, at=minute(52))
    with pytest.raises(Invalid):
        documents.edit_document(resolved.pk, markdown=" ", actor=engineer, at=minute(52))


def test_it_is_published_by_the_letters_once_resolved(document, resolved, manager, engineer, outsider):
    for somebody in (engineer, outsider):
        with pytest.raises(NotAccountable) as refusal:
            documents.publish_document(resolved.pk, actor=somebody, at=minute(50))
        assert refusal.value.details["step"] == "document"
    published = documents.publish_document(resolved.pk, actor=manager, at=minute(50))
    assert published.published_by == manager
    assert resolved.steps.get(key="document").state == "done"
    documents.edit_document(resolved.pk, markdown="# Again", actor=engineer, at=minute(55))
    assert documents.publish_document(resolved.pk, actor=manager, at=minute(56)).published_at == minute(56)


def test_it_is_not_published_before_the_incident_is_resolved(resolving, manager):
    with pytest.raises(WrongStage):
        documents.publish_document(resolving.pk, actor=manager, at=minute(30))
    documents.generate(resolving.pk, actor=manager, at=minute(30))
    with pytest.raises(WrongStage):
        documents.publish_document(resolving.pk, actor=manager, at=minute(31))


def test_an_outsider_does_not_write_it(resolved, outsider):
    with pytest.raises(NotAccountable):
        documents.generate(resolved.pk, actor=outsider, at=minute(45))


def test_the_pdf_holds_hostile_text_as_text(document, resolved, manager):
    text = f"# {HOSTILE}\n\n{HOSTILE}\n\n- {HOSTILE}\n\n| a | b |\n|---|---|\n| {HOSTILE.replace('|', '')} | 2 |\n\n"
    text += "> quote\n\n```\n#panic()\n```\n\n1. one\n2. two\n\n---\n\x07 日本 \u202e"
    edited = documents.edit_document(resolved.pk, title=HOSTILE, markdown=text, actor=manager, at=minute(50))
    assert pdf.to_pdf(edited).startswith(b"%PDF-")
    assert "<script" not in edited.html
    assert "javascript:" not in edited.html.replace("](javascript:", "")
    page = pdf.to_html(edited)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_generated_document_can_be_printed(document):
    assert len(pdf.to_pdf(document)) > 5_000
    assert pdf.to_markdown(document) == document.markdown


def test_a_very_long_document_is_rendered_to_its_end(resolved, manager, document):
    text = "\n".join(f"- line {n} {'x' * 80}" for n in range(1_000)) + "\n\nTHE END"
    edited = documents.edit_document(resolved.pk, markdown=text, actor=manager, at=minute(50))
    assert "THE END" in edited.html
    assert all(len(piece) <= 20_000 for piece in document_text.pieces(text))
    with pytest.raises(Invalid):
        documents.edit_document(resolved.pk, markdown="x" * 200_001, actor=manager, at=minute(51))
    assert again(document).version == 2


def test_hostile_markdown_is_rendered_in_seconds():
    started = perf_counter()
    document_text.html_of("[" * 200_000)
    assert perf_counter() - started < 15


def test_a_draft_is_there_when_the_incident_is_resolved_and_learns_from_the_review(
    resolving, manager, engineer, change_manager
):
    steps.waive(resolving.pk, "change", reason="Healed by itself", actor=change_manager, at=minute(21))
    downtime.restore(resolving.pk, actor=manager, at=minute(22))
    major_incidents.confirm_resolution(resolving.pk, actor=manager, at=minute(23))
    draft = Document.objects.get(incident=resolving)
    assert "A worn bearing" not in draft.markdown
    learnt = {
        "cause": "A worn bearing",
        "findings": "No spare part",
        "no_actions_because": "Ordered",
        "observation_hours": 0,
    }
    reviews.edit_review(resolving.pk, changes=learnt, actor=engineer, at=minute(24))
    reviews.complete_review(resolving.pk, actor=change_manager, at=minute(25))
    draft.refresh_from_db()
    assert "A worn bearing" in draft.markdown
