import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from metrics import keeping
from incidents.made_together import MakeTogether


class Migration(migrations.Migration):
    """A new database is made in one step."""

    replaces = [
        ('metrics', '0001_initial'),
        ('metrics', '0002_figures_kept'),
    ]

    initial = True

    dependencies = [
        ('incidents', '0001_squashed_0019_kinds_of_events'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        MakeTogether([
            migrations.CreateModel(
                name='SentReport',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('month', models.CharField(help_text='Like 2026-03.', max_length=7, unique=True)),
                    ('queued_at', models.DateTimeField()),
                    ('recipients', models.JSONField(default=list)),
                    ('pdf', models.BinaryField()),
                ],
                options={
                    'ordering': ['-month'],
                },
            ),
            migrations.CreateModel(
                name='ReportSchedule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('is_on', models.BooleanField(default=False)),
                    ('day', models.PositiveSmallIntegerField(default=1, help_text='Day of the month after, from 1 to 28.')),
                    ('hour', models.PositiveSmallIntegerField(default=7, help_text="Hour of that day in the organisation's zone.")),
                    ('to_management', models.BooleanField(default=True)),
                    ('addresses', models.JSONField(blank=True, default=list, help_text='Further e-mail addresses.')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_report_schedule'), models.CheckConstraint(condition=models.Q(('day__range', (1, 28)), ('hour__range', (0, 23))), name='report_day_and_hour')],
                },
            ),
            migrations.CreateModel(
                name='FigureView',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('shared_with', models.CharField(choices=[('nobody', 'Only me'), ('team', 'My team'), ('everybody', 'Everybody who reads figures')], default='nobody', max_length=9)),
                    ('name', models.CharField(max_length=60)),
                    ('query', models.CharField(blank=True, help_text='The question as it stands in the address.', max_length=1000)),
                    ('created_at', models.DateTimeField()),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.team')),
                ],
                options={
                    'ordering': ['name', 'id'],
                    'constraints': [models.UniqueConstraint(fields=('owner', 'name'), name='one_figure_view_of_a_name')],
                },
            ),
            migrations.CreateModel(
                name='HistoryUpload',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=200)),
                    ('source', models.CharField(blank=True, max_length=12)),
                    ('rows', models.JSONField(default=list, help_text='The rows as they came.')),
                    ('columns', models.JSONField(default=list)),
                    ('reading', models.JSONField(default=dict, help_text='{columns: {field: column}, zone, day_first}')),
                    ('is_dry_run', models.BooleanField(default=True)),
                    ('state', models.CharField(choices=[('mapping', 'Columns to be checked'), ('queued', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='mapping', max_length=7)),
                    ('total', models.PositiveIntegerField(default=0)),
                    ('done', models.PositiveIntegerField(default=0)),
                    ('counts', models.JSONField(default=dict)),
                    ('errors', models.JSONField(default=list, help_text='The first rejected rows: row, external_id, errors.')),
                    ('reason', models.TextField(blank=True)),
                    ('created_at', models.DateTimeField()),
                    ('claimed_at', models.DateTimeField(blank=True, null=True)),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(condition=models.Q(('state__in', ['queued', 'running'])), fields=['state'], name='uploads_to_run')],
                },
            ),
            migrations.CreateModel(
                name='IncidentFigures',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('mttd_seconds', models.FloatField(null=True)),
                    ('mtta_seconds', models.FloatField(null=True)),
                    ('mttr_seconds', models.FloatField(null=True)),
                    ('time_to_declare_seconds', models.FloatField(null=True)),
                    ('time_to_contain_seconds', models.FloatField(null=True)),
                    ('time_to_restore_seconds', models.FloatField(null=True)),
                    ('downtime_seconds', models.FloatField(null=True)),
                    ('cost', models.FloatField(null=True)),
                    ('costs', models.JSONField(help_text='{service id: cost of its downtime}', null=True)),
                    ('effort_seconds', models.FloatField(null=True)),
                    ('steps_opened', models.PositiveIntegerField(default=0)),
                    ('steps_conforming', models.PositiveIntegerField(default=0)),
                    ('promises_settled', models.PositiveIntegerField(default=0)),
                    ('promises_kept', models.PositiveIntegerField(default=0)),
                    ('is_reviewed', models.BooleanField(default=False)),
                    ('has_problem', models.BooleanField(default=False)),
                    ('cause', models.CharField(blank=True, max_length=10)),
                    ('channel', models.CharField(blank=True, max_length=10)),
                    ('is_complete', models.BooleanField(default=False, help_text='Every clock needed has a value or is not applicable.')),
                    ('is_kept', models.BooleanField(default=False, help_text='Nothing has moved since it was computed.')),
                    ('computed_at', models.DateTimeField(blank=True, null=True)),
                    ('stale_since', models.DateTimeField(blank=True, null=True)),
                    ('incident', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.majorincident')),
                ],
                options={
                    'verbose_name_plural': 'incident figures',
                    'indexes': [models.Index(condition=models.Q(('stale_since__isnull', False)), fields=['stale_since'], name='figures_to_compute')],
                },
            ),
            migrations.CreateModel(
                name='Target',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kpi', models.CharField(choices=[('mttd', 'Mean time to detect'), ('mtta', 'Mean time to acknowledge'), ('mttr', 'Mean time to resolve'), ('time_to_declare', 'Time to declare'), ('time_to_contain', 'Time to contain'), ('time_to_restore', 'Time to restore'), ('average_downtime', 'Average downtime'), ('mtbf', 'Mean time between failures'), ('major_incidents', 'Major incidents'), ('cost', 'Cost of downtime'), ('raci_conformance', 'RACI conformance'), ('promise_kept_rate', 'Promises kept'), ('pir_rate', 'Closed with a review'), ('problem_rate', 'With a problem')], max_length=24, unique=True)),
                    ('value', models.FloatField()),
                    ('set_at', models.DateTimeField()),
                    ('set_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['kpi'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('value__gte', 0)), name='target_not_negative')],
                },
            ),
        ]),
        migrations.RunSQL(keeping.OPEN_SECONDS + keeping.FUNCTIONS + keeping.TRIGGERS, migrations.RunSQL.noop),
        migrations.RunSQL(keeping.BACKFILL, migrations.RunSQL.noop),
    ]
