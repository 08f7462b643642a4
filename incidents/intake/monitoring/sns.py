"""Amazon SNS: CloudWatch alarms, as JSON inside JSON sent as text/plain. Nothing unsigned is believed.

A subscription is confirmed by calling its SubscribeURL once its signature was found good. Other notifications of the
topic are kept as INFO. The setting `topic_arn`, when it is given, is the only topic that is heard.
"""

import json
from datetime import UTC, datetime
from typing import Any

from incidents import outgoing
from incidents.intake.monitoring import sample_times
from incidents.intake.monitoring.answers import PlainAnswers
from incidents.intake.monitoring.reading import first, json_object, labels, mark, moment, obj, objects, parse_json, text
from incidents.intake.monitoring.shape import Answer, Grade, Malformed, Received, Says, Signal
from incidents.intake.monitoring.sns_signature import is_amazon, require_signed

_TYPES = ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation")
_STATES = {"ALARM": Says.FIRING, "OK": Says.RESOLVED}
"""INSUFFICIENT_DATA says neither: what fires goes on firing."""


class Sns(PlainAnswers):
    kind = "sns"

    def verify(self, received: Received) -> None:
        message = _message(received)
        now = received.received_at or datetime.now(UTC)
        if (wanted := text(received.settings.get("topic_arn"))) and wanted != message.get("TopicArn"):
            raise Malformed(f"Only {wanted} is heard here.", field="TopicArn", status=403)
        require_signed(message, now=now)
        if message["Type"] == "SubscriptionConfirmation":
            _confirm(text(message.get("SubscribeURL")))

    def read(self, received: Received) -> list[Signal]:
        message = _message(received)
        if message["Type"] != "Notification":
            title = f"{message['Type']} of {text(message.get('TopicArn'))}"
            return [
                Signal(
                    key=text(message.get("TopicArn")) or mark(received, "topic"),
                    says=Says.INFO,
                    title=title,
                    severity=Grade.INFO,
                )
            ]
        alarm = _alarm(text(message.get("Message")))
        return [_signal(message, alarm) if alarm else _notice(received, message)]

    def accepted(self, received: Received, signals: list[Signal]) -> Answer:
        return Answer(200, {"status": "accepted", "payload": received.payload_id, "alerts": len(signals)})

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        """Unsigned: Amazon alone can sign. The test button shows how it is read, not how it is verified."""
        state = {Says.FIRING: "ALARM", Says.RESOLVED: "OK"}.get(says, "INSUFFICIENT_DATA")
        alarm: dict[str, Any] = {
            "AlarmName": "shop-5xx",
            "AlarmDescription": "The load balancer answers 5xx",
            "AWSAccountId": "123456789012",
            "NewStateValue": state,
            "OldStateValue": "ALARM" if state == "OK" else "OK",
            "NewStateReason": "Threshold Crossed: 1 datapoint [412.0] was greater than the threshold (50.0).",
            "StateChangeTime": sample_times.iso(),
            "Region": "EU (Frankfurt)",
            "AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:shop-5xx",
            "Trigger": {
                "MetricName": "HTTPCode_ELB_5XX_Count",
                "Namespace": "AWS/ApplicationELB",
                "Dimensions": [{"name": "LoadBalancer", "value": "app/shop/50dc6c495c0c9188"}],
                "Threshold": 50.0,
            },
        }
        body = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:eu-central-1:123456789012:service-desk",
            "Subject": f'{state}: "shop-5xx" in EU (Frankfurt)',
            "Message": json.dumps(alarm),
            "Timestamp": sample_times.iso(),
            "SignatureVersion": "1",
            "Signature": "",
            "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem",
        }
        return json.dumps(body).encode(), {
            "content-type": "text/plain; charset=UTF-8",
            "x-amz-sns-message-type": "Notification",
        }


def _message(received: Received) -> dict[str, Any]:
    message = json_object(received)
    if message.get("Type") not in _TYPES:
        if received.headers.get("x-amz-sns-rawdelivery") == "true" or "AlarmName" in message:
            raise Malformed("Switch raw message delivery off in the subscription: raw messages are not signed.")
        raise Malformed(f"Type must be one of {', '.join(_TYPES)}.", field="Type")
    return message


def _confirm(url: str) -> None:
    """Raises Malformed: 403 for an address that is not Amazon's, 503 when Amazon did not confirm (it asks again)."""
    if not is_amazon(url):
        raise Malformed("SubscribeURL must be an address of SNS under amazonaws.com.", field="SubscribeURL", status=403)
    try:
        reply = outgoing.request("GET", url)
    except (outgoing.OutgoingFailed, outgoing.OutgoingRefused) as error:
        raise Malformed(f"The subscription could not be confirmed: {error}", status=503) from None
    if not 200 <= reply.status < 300:
        raise Malformed(f"The subscription could not be confirmed: answer {reply.status}.", status=503)


def _alarm(said: str) -> dict[str, Any] | None:
    """The alarm inside the message, from CloudWatch or EventBridge; None for any other notification."""
    if not said.startswith("{"):
        return None
    try:
        value = obj(parse_json(said.encode()))
    except Malformed:
        return None
    if "AlarmName" in value:
        return value
    detail = obj(value.get("detail"))
    if "alarmName" not in detail:
        return None
    state = obj(detail.get("state"))
    return {
        "AlarmName": detail["alarmName"],
        "AlarmArn": next(iter(value["resources"]), "") if isinstance(value.get("resources"), list) else "",
        "NewStateValue": state.get("value"),
        "NewStateReason": state.get("reason"),
        "StateChangeTime": state.get("timestamp"),
        "Region": value.get("region"),
        "AWSAccountId": value.get("account"),
    }


def _signal(message: dict[str, Any], alarm: dict[str, Any]) -> Signal:
    trigger = obj(alarm.get("Trigger"))
    dimensions = {text(one.get("name")): one.get("value") for one in objects(trigger.get("Dimensions"))}
    says = _STATES.get(text(alarm.get("NewStateValue")), Says.INFO)
    name = text(alarm.get("AlarmName"))
    return Signal(
        key=f"{text(message.get('TopicArn'))} {name}",
        says=says,
        title=first(alarm.get("AlarmDescription"), name),
        severity=Grade.INFO if says is Says.INFO else Grade.ERROR,
        body=text(alarm.get("NewStateReason")),
        occurred_at=moment(alarm.get("StateChangeTime")) or moment(message.get("Timestamp")),
        service=text(dimensions.get("service") or dimensions.get("ServiceName")),
        labels=labels(
            dimensions,
            alarm=name,
            metric=trigger.get("MetricName"),
            namespace=trigger.get("Namespace"),
            region=alarm.get("Region"),
            account=alarm.get("AWSAccountId"),
            arn=alarm.get("AlarmArn"),
        ),
    )


def _notice(received: Received, message: dict[str, Any]) -> Signal:
    return Signal(
        key=first(message.get("MessageId"), mark(received, "notice")),
        says=Says.INFO,
        title=first(message.get("Subject"), message.get("Message"), "Notification"),
        severity=Grade.INFO,
        body=text(message.get("Message")),
        occurred_at=moment(message.get("Timestamp")),
    )


ADAPTER = Sns()
