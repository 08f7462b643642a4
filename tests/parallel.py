"""Loaded before everything else: a worker of a parallel run gets a broker of its own.

pytest-django gives each worker its own database; without this the workers would share queues, and one test's Celery
worker would take another one's tasks.
"""

import os

_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if _worker and (_address := os.environ.get("REDIS_URL")):
    _server, _, _number = _address.rpartition("/")
    if not _number.isdigit():
        _server, _number = _address, "0"
    os.environ["REDIS_URL"] = f"{_server}/{(int(_number) + 1 + int(_worker.removeprefix('gw'))) % 16}"
