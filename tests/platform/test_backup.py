"""Backup and restore, by the commands an operator uses, on a server of its own."""

import io
import json
import tarfile

import psycopg2
import pytest

pytestmark = [pytest.mark.stack]


def in_database(installation, statement: str, *values):
    with psycopg2.connect(installation.cluster.url) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else None


def names(installation) -> list[str]:
    return [row[0] for row in in_database(installation, "SELECT name FROM incidents_team ORDER BY name")]


@pytest.fixture
def filled(installation):
    in_database(installation, "DELETE FROM incidents_team")
    add_team(installation, "Payments")
    media = installation.home / "var" / "media" / "tickets"
    media.mkdir(parents=True, exist_ok=True)
    (media / "photo.bin").write_bytes(bytes(range(256)) * 50)
    yield installation
    in_database(installation, "DELETE FROM incidents_user")


def add_team(installation, name: str) -> None:
    in_database(
        installation,
        "INSERT INTO incidents_team (name, slug, email, support_tier) VALUES (%s, %s, '', 1)",
        name,
        name.lower(),
    )


def add_person(installation) -> None:
    columns = (
        "password, is_superuser, email, name, job_title, phone, time_zone, theme, is_active, is_staff, is_guest, skills"
    )
    values = "'', false, 'a@example.org', 'A', '', '', '', '', true, false, false, '{}'"
    in_database(installation, f"INSERT INTO incidents_user ({columns}, created_at) VALUES ({values}, now())")


def test_what_was_backed_up_comes_back_whole_and_what_came_later_is_gone(filled, tmp_path):
    file = tmp_path / "monday.tar"
    made = filled.manage("backup", str(file))
    assert made.returncode == 0, made.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    add_team(filled, "Later")
    photo = filled.home / "var" / "media" / "tickets" / "photo.bin"
    photo.write_bytes(b"overwritten")
    (photo.parent / "later.bin").write_bytes(b"later")

    restored = filled.manage("restore", str(file))

    assert restored.returncode == 0, restored.stderr
    assert names(filled) == ["Payments"]
    assert photo.read_bytes() == bytes(range(256)) * 50
    assert not (photo.parent / "later.bin").exists()
    checked = filled.manage("migrate", "--check")
    assert checked.returncode == 0, "the restored database is at this version"


def test_a_database_in_use_is_replaced_only_when_asked(filled, tmp_path):
    file = tmp_path / "b.tar"
    assert filled.manage("backup", str(file)).returncode == 0
    add_person(filled)
    refused = filled.manage("restore", str(file))
    assert refused.returncode == 1 and "--replace" in refused.stderr
    assert in_database(filled, "SELECT count(*) FROM incidents_user") == [(1,)]
    assert filled.manage("restore", str(file), "--replace").returncode == 0
    assert in_database(filled, "SELECT count(*) FROM incidents_user") == [(0,)]


def rewritten(source, target, change):
    """The same backup with each file passed through `change(name, content)`."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for entry in old:
            content = change(entry.name, old.extractfile(entry).read())
            entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))
    return target


def test_a_damaged_backup_is_refused_before_anything_is_touched(filled, tmp_path):
    file = tmp_path / "b.tar"
    assert filled.manage("backup", str(file)).returncode == 0
    broken = rewritten(file, tmp_path / "broken.tar", lambda name, old: old[:-1] + b"x" if "photo" in name else old)
    cut = tmp_path / "cut.tar"
    cut.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    text = tmp_path / "text.tar"
    text.write_text("not a tar")
    for bad in (broken, cut, text, tmp_path / "nowhere.tar"):
        refused = filled.manage("restore", str(bad))
        assert refused.returncode == 1, bad
        assert "Traceback" not in refused.stderr and bad.name in refused.stderr
    assert names(filled) == ["Payments"]


def test_a_backup_of_a_newer_version_is_refused(filled, tmp_path):
    file = tmp_path / "b.tar"
    assert filled.manage("backup", str(file)).returncode == 0

    def from_the_future(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        manifest = json.loads(content)
        manifest["migrations"].append("incidents.9999_from_the_future")
        return json.dumps(manifest).encode()

    newer = rewritten(file, tmp_path / "newer.tar", from_the_future)
    refused = filled.manage("restore", str(newer))
    assert refused.returncode == 1 and "newer version" in refused.stderr
    assert names(filled) == ["Payments"]


def test_an_existing_file_is_never_overwritten(filled, tmp_path):
    file = tmp_path / "b.tar"
    file.write_text("precious")
    refused = filled.manage("backup", str(file))
    assert refused.returncode == 1 and "exists already" in refused.stderr
    assert file.read_text() == "precious"
    nowhere = filled.manage("backup", str(tmp_path / "no" / "b.tar"))
    assert nowhere.returncode == 1 and "no folder" in nowhere.stderr
