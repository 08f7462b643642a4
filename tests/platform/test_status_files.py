"""The written status page is served before anything that could be down."""

import gzip

import pytest

from mim.status_files import StatusFiles


@pytest.fixture
def served(tmp_path):
    (tmp_path / "history").mkdir()
    (tmp_path / "index.html").write_bytes(b"<p>calm</p>")
    (tmp_path / "history/index.html").write_bytes(b"<p>past</p>")
    (tmp_path / "feed.atom").write_bytes(b"<feed/>")
    (tmp_path / ".index.html.7").write_bytes(b"half")
    (tmp_path.parent / "secret.html").write_bytes(b"secret")

    def behind(environ, start_response):
        start_response("418 Django", [])
        return [b"django"]

    application = StatusFiles(behind, tmp_path)

    def ask(path, method="GET", **headers):
        said = {}

        def start(status, found):
            said["status"], said["headers"] = int(status.split()[0]), dict(found)

        environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.url_scheme": "http"} | headers
        body = b"".join(application(environ, start))
        return said["status"], said["headers"], body

    ask.folder, ask.application = tmp_path, application
    return ask


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("/status/", b"<p>calm</p>", "text/html; charset=utf-8"),
        ("/status/index.html", b"<p>calm</p>", "text/html; charset=utf-8"),
        ("/status/history/", b"<p>past</p>", "text/html; charset=utf-8"),
        ("/status/feed.atom", b"<feed/>", "application/atom+xml; charset=utf-8"),
    ],
)
def test_what_is_written_is_served(served, path, content, kind):
    status, headers, body = served(path)
    assert (status, body, headers["Content-Type"]) == (200, content, kind)
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/", "/desk/", "/status", "/status/nothing.html", "/status/.index.html.7", "/status/../secret.html",
        "/status/history/../../secret.html", "/status//secret.html", "/status/\0", "/status/subscribe/",
        "/status/confirm/a.b/", "/status/a/b/c/d.html",
    ],
)  # fmt: skip
def test_everything_else_goes_on_to_django(served, path):
    assert served(path)[0] == 418


def test_a_form_goes_on_to_django(served):
    assert served("/status/", "POST")[0] == 418


def test_a_replaced_file_is_served_at_once(served):
    served("/status/")
    part = served.folder / ".part"
    part.write_bytes(b"<p>on fire</p>")
    part.replace(served.folder / "index.html")
    assert served("/status/")[2] == b"<p>on fire</p>"


def test_an_unchanged_page_costs_the_reader_nothing(served):
    etag = served("/status/")[1]["ETag"]
    status, headers, body = served("/status/", HTTP_IF_NONE_MATCH=f"W/{etag}")
    assert (status, body) == (304, b"") and "Content-Encoding" not in headers


def test_it_is_packed_for_those_who_unpack(served):
    status, headers, body = served("/status/", HTTP_ACCEPT_ENCODING="br, gzip")
    assert headers["Content-Encoding"] == "gzip" and gzip.decompress(body) == b"<p>calm</p>"
    assert int(headers["Content-Length"]) == len(body)


def test_a_look_at_the_head_has_no_body(served):
    status, headers, body = served("/status/", "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", "11")


def test_plain_http_is_left_to_the_redirect_where_https_is_demanded(served):
    strict = StatusFiles(lambda e, s: [b"redirected"], served.folder, is_https_only=True)
    environ = {"PATH_INFO": "/status/", "REQUEST_METHOD": "GET", "wsgi.url_scheme": "http"}
    assert b"".join(strict(environ, lambda *_: None)) == b"redirected"
    said = []
    strict(environ | {"HTTP_X_FORWARDED_PROTO": "https"}, lambda status, _: said.append(status))
    assert said == ["200 OK"]
