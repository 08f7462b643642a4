"""The table of periodic work."""

import pytest

from mim.celery import app


@pytest.mark.parametrize("name", sorted(app.conf.beat_schedule))
def test_every_entry_names_a_task_that_a_worker_knows(name):
    app.loader.import_default_modules()
    assert app.conf.beat_schedule[name]["task"] in app.tasks


def test_no_task_stands_in_the_table_twice():
    tasks = [entry["task"] for entry in app.conf.beat_schedule.values()]
    assert len(tasks) == len(set(tasks))
