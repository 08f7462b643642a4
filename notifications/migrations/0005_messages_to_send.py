from django.db import migrations, models


class Migration(migrations.Migration):
    """The condition of the index was kept as the database read it while the column was narrower: made anew, it reads
    as in a new database."""

    dependencies = [("notifications", "0004_telling")]

    operations = [
        migrations.RemoveIndex(model_name="delivery", name="deliveries_to_send"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["channel", "priority", "next_attempt_at"],
                name="deliveries_to_send",
                condition=models.Q(state__in=["queued", "sending"]),
            ),
        ),
    ]
