"""What Slack shows after a button was pressed; sent by a worker, since Slack waits three seconds for our answer."""

import logging

from incidents import outgoing
from incidents.outgoing import OutgoingFailed, OutgoingRefused
from incidents.sealed import SealBroken
from notifications.channels.remote import NotSetUp, NotWanted, account_values
from notifications.channels.slack import Api, escape, show_now
from notifications.models import ChannelKey, PlaceThread

_log = logging.getLogger(__name__)


def say(sentence: str, reply_to: str) -> None:
    """To the person alone. `reply_to` is the address Slack gave with the press; "" when it gave none."""
    if not sentence or not reply_to:
        return
    said = {"response_type": "ephemeral", "replace_original": False, "text": escape(sentence)}
    try:
        outgoing.request("POST", reply_to, json=said)
    except (OutgoingFailed, OutgoingRefused) as failed:
        _log.warning("answer to a press in Slack was not shown", extra={"reason": str(failed)})


def show(thread_id: int | None) -> None:
    """Edits the head message of a thread; None is no thread. The next moment edits it again, should this one fail."""
    rows = PlaceThread.objects.select_related("destination", "incident")
    thread = rows.filter(pk=thread_id).first() if thread_id else None
    if thread is None:
        return
    try:
        complaint = show_now(Api(account_values(ChannelKey.SLACK)), thread)
    except (NotSetUp, NotWanted, SealBroken) as missing:
        complaint = str(missing)
    if complaint:
        _log.warning("head message in Slack was not edited", extra={"thread": thread_id, "reason": complaint})
