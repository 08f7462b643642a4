"""The incident document: generated from the record, edited with every version kept, published."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from incidents import document_text, events, permissions
from incidents.actions import steps
from incidents.actions.input import clean_text, clean_title
from incidents.actions.knowledge_index import index_document
from incidents.actions.locking import lock_incident
from incidents.errors import Stale, WrongStage
from incidents.models import Document, MajorIncident, User
from incidents.process import EventKind


@transaction.atomic
def generate(incident_id: int, *, actor: User | None, at: datetime) -> Document:
    """Writes the document from the facts as they are now. What it said before stays as an older version."""
    incident = lock_incident(incident_id)
    _require_writing(actor, incident)
    text = document_text.write(incident)
    document = _locked(incident)
    if document is None:
        document = Document.objects.create(
            incident=incident,
            title=f"{incident.ref} {incident.title}"[:250],
            markdown=text,
            html=document_text.html_of(text),
            generated_at=at,
        )
    else:
        document.generated_at = at
        _replace(document, document.title, text, actor=actor, at=at)
    events.record(EventKind.DOCUMENT_GENERATED, incident, actor=actor, at=at, version=document.version)
    return document


@transaction.atomic
def generate_unless_edited(incident_id: int, *, at: datetime) -> None:
    """The product's own draft: first when the incident is resolved, again when its review is completed.

    What a person wrote or published is left alone.
    """
    lock_incident(incident_id)
    touched = Q(edited_by__isnull=False) | Q(published_at__isnull=False)
    if not Document.objects.filter(touched, incident=incident_id).exists():
        generate(incident_id, actor=None, at=at)


def _require_writing(actor: User | None, incident: MajorIncident) -> None:
    """Every seat drafts, and whoever holds R or A of the step; `actor` None is the product itself."""
    if actor is not None and not permissions.may_do_step(actor, incident, "document"):
        permissions.require(actor, "contribute", incident)


def _locked(incident: MajorIncident) -> Document | None:
    return Document.objects.select_for_update(of=("self",)).filter(incident=incident).first()


def _replace(document: Document, title: str, text: str, *, actor: User | None, at: datetime) -> None:
    document.versions.create(
        version=document.version,
        markdown=document.markdown,
        saved_by=document.edited_by,
        saved_at=document.edited_at or document.generated_at,
    )
    document.title, document.markdown, document.html = title, text, document_text.html_of(text)
    document.version += 1
    document.edited_at, document.edited_by = at, actor
    document.save()
    index_document(document)


@transaction.atomic
def edit_document(
    incident_id: int,
    *,
    markdown: str | None = None,
    title: str | None = None,
    version: int | None = None,
    actor: User,
    at: datetime,
) -> Document:
    """Saves a new wording. `version` is the one that was edited: Stale when somebody saved in between.

    None leaves text or title as it is. A published document shows the new wording at once.
    """
    incident = lock_incident(incident_id)
    _require_writing(actor, incident)
    document = _existing(incident)
    if version is not None and version != document.version:
        raise Stale(f"Version {document.version} was saved in the meantime. Look at it before saving yours.")
    text = document.markdown
    if markdown is not None:
        text = clean_text("markdown", markdown, document_text.MAX_CHARACTERS, required=True)
    name = document.title if title is None else clean_title(title)
    if (text, name) != (document.markdown, document.title):
        _replace(document, name, text, actor=actor, at=at)
        events.record(EventKind.DOCUMENT_EDITED, incident, actor=actor, at=at, version=document.version)
    return document


@transaction.atomic
def publish_post_mortem(incident_id: int, *, markdown: str, actor: User, at: datetime) -> Document:
    """What the public reads about it on the status page, in words of its own; the internal document stays internal.

    A guarded act like publishing the document. Again replaces the text. Only once the incident is resolved.
    """
    incident = lock_incident(incident_id)
    permissions.require_step(actor, incident, "document")
    document = _existing(incident)
    if incident.is_drill:
        raise WrongStage("A drill never reaches the public.", stage=incident.stage)
    if incident.resolved_at is None or at < incident.resolved_at:
        raise WrongStage(f"The public reads about it once {incident.ref} is resolved.", stage=incident.stage)
    text = clean_text("markdown", markdown, document_text.MAX_CHARACTERS, required=True)
    document.public_markdown, document.public_html = text, document_text.html_of(text)
    document.public_published_at, document.public_published_by = at, actor
    document.save(update_fields=[*_PUBLIC, "public_markdown", "public_html", "updated_at"])
    events.record(EventKind.DOCUMENT_PUBLISHED, incident, actor=actor, at=at, title=document.title, on_status_page=True)
    return document


@transaction.atomic
def withdraw_post_mortem(incident_id: int, *, actor: User, at: datetime) -> Document:
    """Takes it from the status page; the text stays to be corrected. Not there changes nothing."""
    incident = lock_incident(incident_id)
    permissions.require_step(actor, incident, "document")
    document = _existing(incident)
    if document.public_published_at is not None:
        document.public_published_at = document.public_published_by = None
        document.save(update_fields=[*_PUBLIC, "updated_at"])
        events.record(
            EventKind.DOCUMENT_PUBLISHED, incident, actor=actor, at=at, title=document.title, on_status_page=False
        )
    return document


_PUBLIC = ("public_published_at", "public_published_by")


def _existing(incident: MajorIncident) -> Document:
    document = _locked(incident)
    if document is None:
        raise WrongStage(f"{incident.ref} has no document yet. Generate it first.", stage=incident.stage)
    return document


@transaction.atomic
def publish_document(incident_id: int, *, actor: User, at: datetime) -> Document:
    """The guarded act "document": a knowledge article from now on. Only after the incident was resolved; again
    after it was edited."""
    incident = lock_incident(incident_id)
    permissions.require_step(actor, incident, "document")
    document = _existing(incident)
    if incident.resolved_at is None or at < incident.resolved_at:
        raise WrongStage(f"The document is published once {incident.ref} is resolved.", stage=incident.stage)
    document.published_at, document.published_by = at, actor
    document.save(update_fields=["published_at", "published_by", "updated_at"])
    index_document(document)
    events.record(
        EventKind.DOCUMENT_PUBLISHED, incident, actor=actor, at=at, title=document.title, version=document.version
    )
    steps.refresh(incident, actor=actor, at=at)
    return document
