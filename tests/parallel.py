"""Loaded before everything else: a worker of a parallel run gets a broker of its own.

pytest-django gives each worker its own database; without this the workers would share queues, and one test's Celery
worker would take another one's tasks.
"""

import os

import pytest

_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if _worker and (_address := os.environ.get("REDIS_URL")):
    _server, _, _number = _address.rpartition("/")
    if not _number.isdigit():
        _server, _number = _address, "0"
    os.environ["REDIS_URL"] = f"{_server}/{(int(_number) + 1 + int(_worker.removeprefix('gw'))) % 16}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files begin first, so that no process is left alone with one of them at the end."""

    def rank(item: pytest.Item) -> int:
        if item.get_closest_marker("broad"):
            return 0
        return 1 if item.get_closest_marker("stack") or item.get_closest_marker("browser") else 2

    ranks: dict[str, int] = {}
    for item in items:
        file = item.nodeid.partition("::")[0]
        ranks[file] = min(ranks.get(file, 2), rank(item))
    items.sort(key=lambda item: ranks[item.nodeid.partition("::")[0]])
