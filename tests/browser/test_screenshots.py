"""`manage.py screenshots DIR`: every screen in one look."""

import json
import subprocess
import sys

import pytest
from django.urls import reverse

from mim import screenshots
from mim.embedded.services import ROOT
from mim.frame import NAVIGATION, address


@pytest.mark.django_db
def test_every_place_of_the_navigation_has_its_picture():
    shown = {screen.path for screen in screenshots.screens()}
    places = {address(place.name) for _, group in NAVIGATION for place in group}
    assert places <= shown
    assert reverse("status_page") in shown


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.stack
@pytest.mark.timeout(300)
def test_pictures_of_a_running_product_without_a_complaint(product, tmp_path):
    found = json.loads((product.home / "var/run/services.json").read_text())
    environment = product.environment | {
        "DATABASE_URL": found["database_url"],
        "REDIS_URL": found["redis_url"],
        "MIM_PUBLIC_URL": product.url,
    }
    command = [sys.executable, "manage.py", "screenshots", str(tmp_path), "--only", "sk"]  # the desk
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "0 pictures with a complaint" in said.stdout
    assert {"desk-wide.png", "desk-dark.png", "desk-phone.png"} <= {file.name for file in tmp_path.iterdir()}
    assert "desk-phone.png" in (tmp_path / "index.html").read_text()
