import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations


class Migration(migrations.Migration):
    """The index stays as it is and gets a longer list of what is not sorted in yet (kB)."""

    dependencies = [("incidents", "0012_event_kinds")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER INDEX alerts_by_their_words SET (gin_pending_list_limit = 32768)",
                    "ALTER INDEX alerts_by_their_words RESET (gin_pending_list_limit)",
                )
            ],
            state_operations=[
                migrations.RemoveIndex(model_name="alert", name="alerts_by_their_words"),
                migrations.AddIndex(
                    model_name="alert",
                    index=django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.search.SearchVector("title", "body", config="simple"),
                        gin_pending_list_limit=32 * 1024,
                        name="alerts_by_their_words",
                    ),
                ),
            ],
        )
    ]
