"""The telephone provider: signs, posts and reads as its own servers do."""

import base64
import hashlib
import hmac
from xml.etree import ElementTree

from django.test import Client

from incidents.models import PhoneCall

KEY, TOKEN, ACCOUNT = "k" * 32, "auth-token-of-the-account", "AC" + "0" * 32
CALLER = "+49 30 1234-567"
ALLOWED = {
    # verb: its attributes, and what may stand within it (https://www.twilio.com/docs/voice/twiml)
    "Response": (set(), {"Say", "Gather", "Record", "Dial", "Redirect", "Hangup"}),
    "Say": ({"voice", "language", "loop"}, set()),
    "Gather": ({"input", "action", "method", "timeout", "numDigits", "finishOnKey"}, {"Say", "Play", "Pause"}),
    "Record": (
        {"action", "method", "timeout", "finishOnKey", "maxLength", "playBeep", "trim", "transcribe",
         "transcribeCallback", "recordingStatusCallback"},
        set(),
    ),
    "Dial": ({"action", "method", "timeout", "callerId", "hangupOnStar", "timeLimit"}, {"Number"}),
    "Number": (set(), set()),
    "Redirect": ({"method"}, set()),
    "Hangup": (set(), set()),
}  # fmt: skip


def check_twiml(element) -> None:
    """Every verb is one there is, with attributes it has, where it may stand."""
    attributes, within = ALLOWED[element.tag]
    assert set(element.attrib) <= attributes, (element.tag, element.attrib)
    for child in element:
        assert child.tag in within, f"{child.tag} in {element.tag}"
        check_twiml(child)


def signed(url, fields, token=TOKEN):
    """As the provider's documentation says: the address, then each field's name and value in the order of names."""
    said = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()


class Provider:
    """One call at the provider: it posts what its own server would."""

    def __init__(self, sid="CA" + "1" * 32, number=CALLER, key=KEY, base="https://desk.example.org"):
        self.fields = {"CallSid": sid, "AccountSid": ACCOUNT, "From": number.replace(" ", "").replace("-", ""),
                       "To": "+4930999", "CallStatus": "in-progress", "ApiVersion": "2010-04-01",
                       "Direction": "inbound"}  # fmt: skip
        self.base, self.key, self.client = base, key, Client()

    def post(self, path="", *, token=TOKEN, signature=None, **said):
        address = path.removeprefix(f"{self.base}/in/voice/{self.key}")
        url = f"{self.base}/in/voice/{self.key}{address}"
        form = self.fields | said
        headers = {"X-Twilio-Signature": signature if signature is not None else signed(url, form, token)}
        return self.client.post(url.removeprefix(self.base), form, headers=headers)

    def asked(self, path="", **said):
        """The answer, read and checked as TwiML."""
        answer = self.post(path, **said)
        assert answer.status_code == 200, answer.content
        assert answer["Content-Type"] == "text/xml"
        root = ElementTree.fromstring(answer.content)
        check_twiml(root)
        return root

    def record(self, sid="RE" + "2" * 32, url="https://api.twilio.com/rec/RE1", seconds="12"):
        return self.asked("/recorded", RecordingUrl=url, RecordingSid=sid, RecordingDuration=seconds, Digits="#")


def spoken(root):
    return " ".join(element.text or "" for element in root.iter("Say"))


def the_call():
    return PhoneCall.objects.get()
