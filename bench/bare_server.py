"""Runs `bench.bare` as the product's web server is run, on its database, for as long as a bench lasts."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from mim.embedded import programs
from mim.embedded.ports import free_port


@contextlib.contextmanager
def bare_address() -> Iterator[str]:
    """Where it files tickets, with as many workers and threads as the product."""
    port = free_port()
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "bench.bare_settings"}
    with tempfile.TemporaryDirectory(prefix="mim-bare-") as folder:
        command = programs.web(environment, Path(folder), "127.0.0.1", port).command
        command = ["django.core.wsgi:get_wsgi_application()" if ":application" in part else part for part in command]
        server = subprocess.Popen(command, env=environment, cwd=programs.ROOT)
        try:
            _wait(f"http://127.0.0.1:{port}/", server)
            yield f"http://127.0.0.1:{port}/tickets"
        finally:
            server.terminate()
            server.wait(30)


def _wait(url: str, server: subprocess.Popen) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5)
        except urllib.error.HTTPError:  # it answers, and has no such page
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("The bare application did not start.")
