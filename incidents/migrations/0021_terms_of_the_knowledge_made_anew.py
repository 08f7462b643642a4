from django.db import migrations


class Migration(migrations.Migration):
    """Stems and concepts are others now: what was indexed by the old ones would not be found. The sweep that indexes
    what is not indexed makes the terms anew, some hundreds at a time."""

    dependencies = [
        ("incidents", "0020_document_words"),
    ]

    operations = [
        migrations.RunSQL(
            "DELETE FROM incidents_knowledgeentry; DELETE FROM incidents_knowledgeword",
            migrations.RunSQL.noop,
        ),
    ]
