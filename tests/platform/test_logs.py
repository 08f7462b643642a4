"""One line, one object, no secret."""

import json
import logging
import sys

import pytest

from mim.logs import JsonLines, scrub


def line(message: str, *arguments: object, **extra: object) -> dict:
    record = logging.getLogger("mim.test").makeRecord(
        "mim.test", logging.WARNING, "file.py", 1, message, arguments, None, extra=extra or None
    )
    text = JsonLines().format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_line_says_when_how_bad_where_and_what():
    found = line("message %s left", 7, path="/desk/", seconds=1.5)
    assert found["level"] == "warning" and found["logger"] == "mim.test"
    assert found["message"] == "message 7 left"
    assert found["path"] == "/desk/" and found["seconds"] == 1.5
    assert found["time"].endswith("+00:00")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcSECRETabc",
        "{'Authorization': 'Token abcSECRETabc'}",
        "GET /in/alertmanager/abcSECRETabc/ 404",
        "GET /first-administrator/abcSECRETabc/",
        "GET /accounts/password/reset/key/1-abcSECRETabc/",
        "GET /live/?topics=desk&ticket=abcSECRETabc",
        "POST /x?api_key=abcSECRETabc&a=1",
        '{"password": "abcSECRETabc", "name": "x"}',
        "key mim_abcSECRETabcabc used",
        "postgresql://mim:abcSECRETabc@127.0.0.1/mim",
        "redis://:abcSECRETabc@127.0.0.1/0",
    ],
)
def test_secrets_never_reach_the_log(text):
    assert "SECRET" not in scrub(text)
    assert "SECRET" not in json.dumps(line("%s", text)) and "SECRET" not in json.dumps(line("x", path=text))


def test_what_is_not_secret_stays_readable():
    text = "GET /api/v1/major-incidents/MI-12/ 200 by manager@demo.example"
    assert scrub(text) == text


def test_a_field_with_a_secret_name_is_hidden_whatever_it_holds():
    assert line("x", token="1234", user_id=7) | {"time": ""} == line("x", token="***", user_id=7) | {"time": ""}


def test_a_traceback_is_one_scrubbed_string():
    try:
        raise ValueError("password=SECRETSECRET")
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "f", 1, "broke", (), sys.exc_info())
    found = json.loads(JsonLines().format(record))
    assert "ValueError" in found["traceback"] and "SECRET" not in found["traceback"]
