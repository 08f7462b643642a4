"""Mailboxes over IMAP: what is new is stored here first, committed, and only then marked or moved there."""

import time
from collections.abc import Iterable

from django.conf import settings
from django.utils import timezone
from imap_tools import BaseMailBox, MailMessageFlags

from incidents import imap
from incidents.actions import mail_settings
from incidents.actions.mail import Came
from incidents.imap import MailboxTrouble
from incidents.intake.email.store import keep, keep_aside
from incidents.models import InboundMail, Mailbox

SECONDS_A_MAILBOX = 60.0
MOST_AT_ONCE = 200


def poll_due() -> int:
    """Polls every mailbox whose time has come, one after the other; counts the mails that were new."""
    new = 0
    while mailbox := mail_settings.lease_mailbox(at=timezone.now()):
        new += poll(mailbox)
    return new


def poll(mailbox: Mailbox) -> int:
    """One leased mailbox. What went wrong stands on its row afterwards, and nothing is raised for it."""
    new, more, error = 0, False, ""
    try:
        with imap.opened(mailbox, seconds=SECONDS_A_MAILBOX * 2) as box:
            new, more = _fetch(mailbox, box)
    except MailboxTrouble as trouble:
        error = str(trouble)
    mail_settings.settle_poll(mailbox, error=error, more=more, at=timezone.now())
    return new


def _fetch(mailbox: Mailbox, box: BaseMailBox) -> tuple[int, bool]:
    """How many were new, and whether there are more than one poll takes."""
    box.folder.set(mailbox.folder)
    validity = int(box.folder.status(mailbox.folder, ["UIDVALIDITY"])["UIDVALIDITY"])
    if mailbox.uid_validity != validity:
        mail_settings.note_uid(mailbox, uid_validity=validity, last_uid=0)
    uids = _wanted(mailbox, box)
    kept = set(
        InboundMail.objects.filter(mailbox=mailbox, uid_validity=validity, uid__in=uids).values_list("uid", flat=True)
    )
    ends_at = time.monotonic() + SECONDS_A_MAILBOX
    new = 0
    for number, uid in enumerate(uids[:MOST_AT_ONCE]):
        if time.monotonic() > ends_at:
            return new, number > 0
        if uid not in kept:
            new += _keep_one(mailbox, box, uid, validity)
        _mark(mailbox, box, uid)
        if uid > mailbox.last_uid:
            mail_settings.note_uid(mailbox, uid_validity=validity, last_uid=uid)
    return new, len(uids) > MOST_AT_ONCE


def _wanted(mailbox: Mailbox, box: BaseMailBox) -> list[int]:
    """Everything in a folder that is emptied; else the unread, and what came since, read by somebody or not."""
    if mailbox.afterwards == Mailbox.Afterwards.MOVE:
        return _numbers(box.uids("ALL", charset=None))
    found = _numbers(box.uids("UNSEEN", charset=None))
    if mailbox.last_uid:
        since = _numbers(box.uids(f"UID {mailbox.last_uid + 1}:*", charset=None))
        found += [uid for uid in since if uid > mailbox.last_uid]  # the star always names the last one
    return sorted(set(found))


def _numbers(uids: Iterable[str]) -> list[int]:
    return sorted(int(uid) for uid in uids if uid.isdigit())


def _keep_one(mailbox: Mailbox, box: BaseMailBox, uid: int, validity: int) -> bool:
    came = Came(via=InboundMail.Via.IMAP, mailbox=mailbox, uid_validity=validity, uid=uid)
    head = imap.fetch(box, uid, headers_only=True)
    if head is not None and head.size > settings.MAIL_MAX_BYTES:
        words = f"It has {head.size / 1024 / 1024:.0f} MiB, more than is taken. Only its headers are here; the mail "
        words += f"itself is in the mailbox “{mailbox.name}”."
        return keep_aside(head.raw, came, words, at=timezone.now())
    whole = imap.fetch(box, uid) if head is not None else None
    return whole is not None and keep(whole.raw, came, at=timezone.now())[1]


def _mark(mailbox: Mailbox, box: BaseMailBox, uid: int) -> None:
    """Only after the commit. What cannot be marked is known by its number and not stored again."""
    if mailbox.afterwards == Mailbox.Afterwards.MOVE:
        box.move(str(uid), mailbox.move_to)
    else:
        box.flag(str(uid), MailMessageFlags.SEEN, True)
