import datetime
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import incidents.models.guests
import incidents.models.people
import incidents.models.service_hours
import uuid
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

from incidents.alert_defaults import DEFAULT_RULES
from incidents.made_together import MakeTogether

FORWARD = """
CREATE FUNCTION refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The timeline is append-only: % on % refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER timeline_is_append_only BEFORE UPDATE OR DELETE ON incidents_timelineevent
  FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();
CREATE TRIGGER timeline_edits_are_append_only BEFORE UPDATE OR DELETE ON incidents_timelineedit
  FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();
"""
BACKWARD = """
DROP TRIGGER timeline_is_append_only ON incidents_timelineevent;
DROP TRIGGER timeline_edits_are_append_only ON incidents_timelineedit;
DROP FUNCTION refuse_rewriting_history();
"""


def add_default_rules(apps, schema_editor):
    for rule in DEFAULT_RULES:
        apps.get_model("incidents", "AlertRule").objects.get_or_create(name=rule["name"], defaults=rule)


class Migration(migrations.Migration):
    """A new database is made in one step."""

    replaces = [
        ('incidents', '0001_initial'),
        ('incidents', '0002_append_only_timeline'),
        ('incidents', '0003_monitoring'),
        ('incidents', '0004_door'),
        ('incidents', '0004_public_services'),
        ('incidents', '0006_pages'),
        ('incidents', '0007_mail'),
        ('incidents', '0008_influx'),
        ('incidents', '0009_portal'),
        ('incidents', '0010_children'),
        ('incidents', '0011_on_call'),
        ('incidents', '0012_event_kinds'),
        ('incidents', '0013_alert_words_sorted_in_later'),
        ('incidents', '0014_telling'),
        ('incidents', '0015_room_people'),
        ('incidents', '0016_room_work'),
        ('incidents', '0017_learning'),
        ('incidents', '0018_cost_of_response_and_hours'),
        ('incidents', '0019_kinds_of_events'),
    ]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        TrigramExtension(),
        MakeTogether([
            migrations.CreateModel(
                name='Candidate',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=250)),
                    ('source', models.CharField(choices=[('proposed', 'Proposed by a technician'), ('alert_rule', 'Alert rule'), ('influx', 'Influx of tickets'), ('hotline', 'Hotline')], max_length=12)),
                    ('cluster', models.CharField(blank=True, help_text='Text cluster when no service is known.', max_length=120)),
                    ('reasons', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, help_text='The evidence in plain words.', size=None)),
                    ('evidence', models.JSONField(default=dict)),
                    ('business_impact', models.TextField(blank=True)),
                    ('status', models.CharField(choices=[('open', 'Open'), ('acknowledged', 'Acknowledged'), ('declared', 'Declared'), ('linked', 'Linked'), ('dismissed', 'Dismissed')], default='open', max_length=12)),
                    ('raised_at', models.DateTimeField()),
                    ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                    ('decided_at', models.DateTimeField(blank=True, null=True)),
                    ('dismiss_reason', models.TextField(blank=True)),
                    ('alerts_resolved_at', models.DateTimeField(blank=True, help_text='Since when none of its alerts fires; None while one does, or without any.', null=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='Holiday',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('day', models.DateField(unique=True)),
                    ('name', models.CharField(max_length=120)),
                ],
                options={
                    'ordering': ['day'],
                },
            ),
            migrations.CreateModel(
                name='MajorIncident',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=250)),
                    ('description', models.TextField(blank=True)),
                    ('stage', models.CharField(choices=[('identification', 'Identification'), ('containment', 'Containment'), ('resolution', 'Resolution'), ('maintenance', 'Maintenance'), ('closed', 'Closed'), ('stood_down', 'Stood down')], default='identification', max_length=16)),
                    ('impact', models.PositiveSmallIntegerField(choices=[(1, '1 – highest'), (2, '2 – high'), (3, '3 – medium'), (4, '4 – low')])),
                    ('urgency', models.PositiveSmallIntegerField(choices=[(1, '1 – highest'), (2, '2 – high'), (3, '3 – medium'), (4, '4 – low')])),
                    ('priority', models.CharField(choices=[('P1', 'P1'), ('P2', 'P2'), ('P3', 'P3'), ('P4', 'P4')], max_length=2)),
                    ('severity', models.CharField(choices=[('SEV1', 'SEV1'), ('SEV2', 'SEV2'), ('SEV3', 'SEV3')], max_length=4)),
                    ('affects', models.CharField(choices=[('customers', 'Customers'), ('employees', 'Employees'), ('both', 'Customers and employees')], default='both', max_length=10)),
                    ('users_affected', models.PositiveIntegerField(blank=True, null=True)),
                    ('revenue_impact', models.TextField(blank=True)),
                    ('reputation_impact', models.TextField(blank=True)),
                    ('is_drill', models.BooleanField(default=False)),
                    ('is_imported', models.BooleanField(default=False)),
                    ('external_id', models.CharField(blank=True, max_length=120)),
                    ('stood_down_reason', models.TextField(blank=True)),
                    ('started_at', models.DateTimeField(blank=True, null=True)),
                    ('detected_at', models.DateTimeField(blank=True, null=True)),
                    ('reported_at', models.DateTimeField(blank=True, null=True)),
                    ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                    ('declared_at', models.DateTimeField(blank=True, null=True)),
                    ('contained_at', models.DateTimeField(blank=True, null=True)),
                    ('restored_at', models.DateTimeField(blank=True, null=True)),
                    ('resolved_at', models.DateTimeField(blank=True, null=True)),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                    ('corrected_clocks', models.JSONField(default=list, help_text='Clocks a person set; no longer recomputed.')),
                    ('clocks_not_applicable', models.JSONField(default=dict, help_text='{clock: reason}')),
                    ('conditions', models.TextField(blank=True)),
                    ('actions_summary', models.TextField(blank=True)),
                    ('needs', models.TextField(blank=True)),
                    ('situation_changed_at', models.DateTimeField(blank=True, null=True)),
                    ('next_update_at', models.DateTimeField(blank=True, help_text='When the next update is promised.', null=True)),
                    ('fix_counts_from', models.DateTimeField(blank=True, help_text='Last fall-back or reopening; a fix implemented before it is not evidence.', null=True)),
                    ('alerts_resolved_at', models.DateTimeField(blank=True, help_text='Since when none of its alerts fires; None while one does, or without any.', null=True)),
                    ('last_seq', models.PositiveIntegerField(default=0, help_text='Last number given to a timeline event.')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='Rota',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('role', models.CharField(blank=True, choices=[('requester', 'Requester'), ('key_stakeholder', 'Key stakeholder'), ('service_desk_technician', 'Service desk technician'), ('technical_staff', 'Technical staff'), ('major_incident_manager', 'Major incident manager'), ('change_manager', 'Change manager'), ('problem_manager', 'Problem manager'), ('external_consultant', 'External consultant'), ('management', 'Management'), ('service_desk_manager', 'Service desk manager'), ('administrator', 'Administrator')], max_length=32)),
                    ('time_zone', models.CharField(default='UTC', max_length=64, validators=[incidents.models.people.check_time_zone])),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='Service',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('slug', models.SlugField(max_length=120, unique=True)),
                    ('description', models.TextField(blank=True)),
                    ('tier', models.PositiveSmallIntegerField(choices=[(1, 'Tier 1 – critical'), (2, 'Tier 2 – important'), (3, 'Tier 3 – standard'), (4, 'Tier 4 – minor')], default=3)),
                    ('cost_per_hour', models.DecimalField(decimal_places=2, default=0, max_digits=12)),
                    ('off_hours_percent', models.PositiveSmallIntegerField(default=100, help_text='Share of cost_per_hour that an hour outside the service hours costs.')),
                    ('is_active', models.BooleanField(default=True)),
                    ('is_public', models.BooleanField(default=True, help_text='Named on the public status page.')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                ],
                options={
                    'ordering': ['tier', 'name'],
                },
            ),
            migrations.CreateModel(
                name='Team',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('slug', models.SlugField(max_length=120, unique=True)),
                    ('email', models.EmailField(blank=True, max_length=254)),
                    ('support_tier', models.PositiveSmallIntegerField(default=1)),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='TicketVocabulary',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('documents', models.PositiveIntegerField()),
                    ('counts', models.JSONField(default=dict)),
                    ('computed_at', models.DateTimeField()),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='User',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('password', models.CharField(max_length=128, verbose_name='password')),
                    ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                    ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                    ('email', models.EmailField(max_length=254, unique=True)),
                    ('name', models.CharField(max_length=150)),
                    ('job_title', models.CharField(blank=True, max_length=120)),
                    ('phone', models.CharField(blank=True, max_length=40)),
                    ('support_tier', models.PositiveSmallIntegerField(blank=True, null=True)),
                    ('skills', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, help_text='What somebody knows, in lower case.', size=None)),
                    ('time_zone', models.CharField(blank=True, max_length=64, validators=[incidents.models.people.check_time_zone])),
                    ('theme', models.CharField(blank=True, choices=[('', 'System'), ('light', 'Light'), ('dark', 'Dark')], max_length=8)),
                    ('is_active', models.BooleanField(default=True)),
                    ('is_staff', models.BooleanField(default=False)),
                    ('is_guest', models.BooleanField(default=False, help_text='Sees only the incidents this person holds a seat on.')),
                    ('access_expires_at', models.DateTimeField(blank=True, null=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                    ('line_manager', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reports', to=settings.AUTH_USER_MODEL)),
                    ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ],
                options={
                    'ordering': ['name', 'id'],
                },
            ),
            migrations.CreateModel(
                name='ApiKey',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120)),
                    ('prefix', models.CharField(max_length=12)),
                    ('sha256', models.CharField(max_length=64, unique=True)),
                    ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('read', 'Read'), ('write', 'Write'), ('declare', 'Declare major incidents'), ('admin', 'Administer'), ('ingest', 'Report alerts and tickets')], max_length=10), size=None)),
                    ('expires_at', models.DateTimeField(blank=True, null=True)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('last_used_at', models.DateTimeField(blank=True, null=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_keys', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-created_at'],
                },
            ),
            migrations.CreateModel(
                name='Ticket',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=250)),
                    ('description', models.TextField(blank=True)),
                    ('kind', models.CharField(choices=[('incident', 'Incident'), ('service_request', 'Service request')], default='incident', max_length=16)),
                    ('channel', models.CharField(choices=[('portal', 'Portal'), ('email', 'E-mail'), ('hotline', 'Hotline'), ('api', 'API'), ('monitoring', 'Monitoring')], max_length=12)),
                    ('requester_email', models.EmailField(blank=True, max_length=254)),
                    ('configuration_item', models.CharField(blank=True, max_length=200)),
                    ('impact', models.PositiveSmallIntegerField(choices=[(1, '1 – highest'), (2, '2 – high'), (3, '3 – medium'), (4, '4 – low')], default=3)),
                    ('urgency', models.PositiveSmallIntegerField(choices=[(1, '1 – highest'), (2, '2 – high'), (3, '3 – medium'), (4, '4 – low')], default=3)),
                    ('priority', models.CharField(choices=[('P1', 'P1'), ('P2', 'P2'), ('P3', 'P3'), ('P4', 'P4')], default='P3', max_length=2)),
                    ('status', models.CharField(choices=[('new', 'New'), ('assigned', 'Assigned'), ('in_progress', 'In progress'), ('on_hold', 'On hold'), ('resolved', 'Resolved'), ('closed', 'Closed')], default='new', max_length=12)),
                    ('support_tier', models.PositiveSmallIntegerField(default=1)),
                    ('kept_open_reason', models.TextField(blank=True, help_text='Why it stays open when its major incident is resolved.')),
                    ('reported_at', models.DateTimeField()),
                    ('began_at', models.DateTimeField(blank=True, help_text='Since when it does not work, as the requester says; None: nobody said.', null=True)),
                    ('callback_sealed', models.TextField(blank=True)),
                    ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                    ('resolved_at', models.DateTimeField(blank=True, null=True)),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                    ('resolution', models.TextField(blank=True)),
                    ('hold_reason', models.TextField(blank=True)),
                    ('alerts_resolved_at', models.DateTimeField(blank=True, help_text='Since when none of its alerts fires; None while one does, or without any.', null=True)),
                    ('sla_kind', models.CharField(blank=True, choices=[('response', 'Response'), ('resolution', 'Resolution')], max_length=10)),
                    ('sla_warn_at', models.DateTimeField(blank=True, null=True)),
                    ('sla_due_at', models.DateTimeField(blank=True, help_text='The nearest promise; empty while none runs.', null=True)),
                    ('sla_stamp', models.UUIDField(blank=True, help_text='Under which targets its clocks were computed.', null=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('acknowledged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assigned_tickets', to=settings.AUTH_USER_MODEL)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('merged_into', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged_tickets', to='incidents.ticket')),
                    ('requester', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to=settings.AUTH_USER_MODEL)),
                    ('split_from', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='split_off', to='incidents.ticket')),
                    ('candidate', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='incidents.candidate')),
                    ('major_incident', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='incidents.majorincident')),
                    ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='incidents.service')),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tickets', to='incidents.team')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='Attachment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ('file', models.FileField(max_length=200, upload_to='attachments/%Y/%m')),
                    ('filename', models.CharField(max_length=200)),
                    ('content_type', models.CharField(max_length=100)),
                    ('size', models.PositiveIntegerField()),
                    ('created_at', models.DateTimeField()),
                    ('origin', models.ForeignKey(blank=True, help_text='Merged in with it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.ticket')),
                    ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='incidents.ticket')),
                    ('uploaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='AudienceMembership',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('audience', models.CharField(choices=[('technical', 'Technical team'), ('management', 'Management'), ('key_stakeholders', 'Key stakeholders'), ('users', 'Users')], max_length=20, unique=True)),
                    ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('requester', 'Requester'), ('key_stakeholder', 'Key stakeholder'), ('service_desk_technician', 'Service desk technician'), ('technical_staff', 'Technical staff'), ('major_incident_manager', 'Major incident manager'), ('change_manager', 'Change manager'), ('problem_manager', 'Problem manager'), ('external_consultant', 'External consultant'), ('management', 'Management'), ('service_desk_manager', 'Service desk manager'), ('administrator', 'Administrator')], max_length=32), blank=True, default=list, size=None)),
                    ('empty_reason', models.TextField(blank=True, help_text='Why nobody is to be told, when that is on purpose.')),
                    ('people', models.ManyToManyField(blank=True, related_name='audiences', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='Backtest',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('asked_at', models.DateTimeField()),
                    ('since', models.DateTimeField()),
                    ('until', models.DateTimeField()),
                    ('tried', models.JSONField()),
                    ('saved', models.JSONField(help_text="What was in force when it was asked, under the service's key or default.")),
                    ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='waiting', max_length=8)),
                    ('cursor', models.DateTimeField()),
                    ('tickets', models.PositiveIntegerField(default=0, help_text='Replayed so far.')),
                    ('result', models.JSONField(default=dict)),
                    ('reason', models.TextField(blank=True)),
                    ('claimed_until', models.DateTimeField(null=True)),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='BridgeProvider',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=80, unique=True)),
                    ('kind', models.CharField(choices=[('jitsi', 'Jitsi'), ('teams', 'Microsoft Teams'), ('zoom', 'Zoom'), ('meet', 'Google Meet'), ('dial_in', 'Telephone'), ('other', 'Other')], default='other', max_length=8)),
                    ('join_pattern', models.CharField(blank=True, max_length=400)),
                    ('dial_in', models.CharField(blank=True, max_length=200)),
                    ('position', models.PositiveSmallIntegerField(default=0)),
                    ('is_enabled', models.BooleanField(default=True)),
                ],
                options={
                    'ordering': ['position', 'id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('join_pattern', ''), _negated=True), models.Q(('dial_in', ''), _negated=True), _connector='OR'), name='bridge_provider_with_a_link_or_a_number')],
                },
            ),
            migrations.AddField(
                model_name='candidate',
                name='acknowledged_by',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='candidate',
                name='decided_by',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='candidate',
                name='raised_by',
                field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.CreateModel(
                name='Change',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=250)),
                    ('description', models.TextField(blank=True)),
                    ('type', models.CharField(choices=[('standard', 'Standard'), ('normal', 'Normal'), ('emergency', 'Emergency')], default='normal', max_length=10)),
                    ('status', models.CharField(choices=[('draft', 'Draft'), ('awaiting_approval', 'Awaiting approval'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('implementing', 'Implementing'), ('implemented', 'Implemented'), ('rolled_back', 'Rolled back'), ('closed', 'Closed'), ('cancelled', 'Cancelled')], default='draft', max_length=18)),
                    ('approval_state', models.CharField(choices=[('not_asked', 'Not asked'), ('pending', 'Pending'), ('approved', 'Approved'), ('rejected', 'Rejected')], default='not_asked', max_length=10)),
                    ('approval_due_at', models.DateTimeField(blank=True, help_text='Emergency changes: approval after the fact is due by then.', null=True)),
                    ('flagged_at', models.DateTimeField(blank=True, help_text='When that time passed without approval.', null=True)),
                    ('accepted_at', models.DateTimeField(blank=True, help_text='Management accepted an emergency change although it was rejected.', null=True)),
                    ('plan', models.TextField(blank=True)),
                    ('backout_plan', models.TextField(blank=True)),
                    ('test_plan', models.TextField(blank=True)),
                    ('risk', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], default='medium', max_length=6)),
                    ('window_start', models.DateTimeField(blank=True, null=True)),
                    ('window_end', models.DateTimeField(blank=True, null=True)),
                    ('started_at', models.DateTimeField(blank=True, null=True)),
                    ('implemented_at', models.DateTimeField(blank=True, null=True)),
                    ('rolled_back_at', models.DateTimeField(blank=True, null=True)),
                    ('roll_back_reason', models.TextField(blank=True)),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                    ('risk_answers', models.JSONField(blank=True, default=dict, help_text='Question of the questionnaire to points.')),
                    ('quorum', models.PositiveSmallIntegerField(blank=True, help_text='How many approvers must approve; empty for all of them.', null=True)),
                    ('freeze_waived_because', models.TextField(blank=True)),
                    ('check_result', models.CharField(blank=True, choices=[('passed', 'It works'), ('failed', 'It does not work')], max_length=6)),
                    ('check_notes', models.TextField(blank=True)),
                    ('checked_at', models.DateTimeField(blank=True, null=True)),
                    ('created_at', models.DateTimeField()),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('accepted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('checked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('freeze_waived_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('implementer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='changes_implemented', to=settings.AUTH_USER_MODEL)),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='changes_owned', to=settings.AUTH_USER_MODEL)),
                    ('requester', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='changes_requested', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='ChangeStep',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('part', models.CharField(choices=[('plan', 'Plan'), ('test', 'Test'), ('back', 'Way back')], default='plan', max_length=4)),
                    ('position', models.PositiveSmallIntegerField()),
                    ('title', models.CharField(max_length=250)),
                    ('minutes', models.PositiveSmallIntegerField(blank=True, null=True)),
                    ('done_at', models.DateTimeField(blank=True, null=True)),
                    ('change', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='incidents.change')),
                    ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['part', 'position', 'id'],
                },
            ),
            migrations.CreateModel(
                name='ChangeTemplate',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('title', models.CharField(max_length=250)),
                    ('description', models.TextField(blank=True)),
                    ('plan', models.TextField(blank=True)),
                    ('test_plan', models.TextField(blank=True)),
                    ('backout_plan', models.TextField(blank=True)),
                    ('risk', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], default='low', max_length=6)),
                    ('is_active', models.BooleanField(default=True)),
                    ('approved_at', models.DateTimeField()),
                    ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.AddField(
                model_name='change',
                name='template',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='changes', to='incidents.changetemplate'),
            ),
            migrations.CreateModel(
                name='CommunicationPlan',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.SlugField(max_length=160, unique=True)),
                    ('severity', models.CharField(choices=[('SEV1', 'SEV1'), ('SEV2', 'SEV2'), ('SEV3', 'SEV3')], max_length=4)),
                    ('tier', models.PositiveSmallIntegerField(blank=True, choices=[(1, 'Tier 1 – critical'), (2, 'Tier 2 – important'), (3, 'Tier 3 – standard'), (4, 'Tier 4 – minor')], null=True)),
                    ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                    ('withdrawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['severity', 'service__name', 'tier'],
                },
            ),
            migrations.CreateModel(
                name='GuestPass',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('nonce', models.CharField(default=incidents.models.guests.new_nonce, max_length=48)),
                    ('issued_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField()),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('entered_at', models.DateTimeField(blank=True, help_text='The first time.', null=True)),
                    ('seen_at', models.DateTimeField(blank=True, null=True)),
                    ('seen_seq', models.PositiveIntegerField(default=0)),
                    ('revoked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='GuestView',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('path', models.CharField(max_length=300)),
                    ('at', models.DateTimeField()),
                    ('last_at', models.DateTimeField()),
                    ('times', models.PositiveIntegerField(default=1)),
                    ('guest_pass', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='views', to='incidents.guestpass')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='Integration',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('kind', models.CharField(choices=[('alertmanager', 'Prometheus Alertmanager'), ('pagerduty', 'PagerDuty Events v2'), ('opsgenie', 'Opsgenie alerts'), ('grafana', 'Grafana'), ('zabbix', 'Zabbix'), ('nagios', 'Nagios'), ('icinga', 'Icinga 2'), ('datadog', 'Datadog'), ('sns', 'Amazon CloudWatch through SNS'), ('sentry', 'Sentry'), ('uptime-kuma', 'Uptime Kuma'), ('cloudevents', 'CloudEvents'), ('victorops', 'VictorOps (Splunk On-Call)'), ('servicenow', 'ServiceNow table API'), ('generic', 'Any JSON'), ('heartbeat', 'Heartbeat'), ('voice', 'Telephone (Twilio)'), ('api', 'REST API')], max_length=16)),
                    ('key_sha256', models.CharField(max_length=64, unique=True)),
                    ('key_prefix', models.CharField(max_length=8)),
                    ('signing_secrets', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), blank=True, default=list, help_text='Encrypted; the newest first, two live at most.', size=None)),
                    ('settings', models.JSONField(blank=True, default=dict)),
                    ('is_active', models.BooleanField(default=True)),
                    ('expected_every_seconds', models.PositiveIntegerField(blank=True, null=True)),
                    ('grace_seconds', models.PositiveIntegerField(default=60)),
                    ('last_beat_at', models.DateTimeField(blank=True, null=True)),
                    ('beat_due_at', models.DateTimeField(blank=True, null=True)),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='KnowledgeWord',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('term', models.TextField(unique=True)),
                    ('entries', models.PositiveIntegerField(default=0)),
                ],
                options={
                    'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['term'], name='words_alike', opclasses=['gin_trgm_ops'])],
                },
            ),
            migrations.CreateModel(
                name='MailRules',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('tickets_per_hour', models.PositiveIntegerField(default=10)),
                    ('answers_per_day', models.PositiveIntegerField(default=5)),
                    ('automatic_opens_ticket', models.BooleanField(default=True)),
                    ('listener_address', models.CharField(blank=True, max_length=300)),
                    ('listener_seen_at', models.DateTimeField(null=True)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_row_of_mail_rules')],
                },
            ),
            migrations.AddField(
                model_name='majorincident',
                name='declared_by',
                field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='majorincident',
                name='merged_into',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged', to='incidents.majorincident'),
            ),
            migrations.AddField(
                model_name='majorincident',
                name='situation_changed_by',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            ),
            migrations.CreateModel(
                name='Document',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=250)),
                    ('markdown', models.TextField()),
                    ('html', models.TextField(help_text='Sanitised HTML, made once on saving.')),
                    ('version', models.PositiveIntegerField(default=1)),
                    ('generated_at', models.DateTimeField()),
                    ('edited_at', models.DateTimeField(blank=True, null=True)),
                    ('published_at', models.DateTimeField(blank=True, null=True)),
                    ('public_markdown', models.TextField(blank=True, help_text='The post-mortem for the status page, in its own words.')),
                    ('public_html', models.TextField(blank=True, help_text='Sanitised HTML of it.')),
                    ('public_published_at', models.DateTimeField(blank=True, null=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('edited_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('public_published_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('published_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='document', to='incidents.majorincident')),
                ],
            ),
            migrations.CreateModel(
                name='DecisionRound',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('state', models.CharField(choices=[('asking', 'Any strong objections?'), ('stands', 'Stands'), ('withdrawn', 'Withdrawn')], default='asking', max_length=9)),
                    ('closes_at', models.DateTimeField()),
                    ('settled_at', models.DateTimeField(blank=True, null=True)),
                    ('reason', models.TextField(blank=True, help_text='Why it stands against objections, or was withdrawn.')),
                    ('settled_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='decision_rounds', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='CascadeJob',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('resolve', 'Resolve tickets'), ('reopen', 'Reopen tickets'), ('reply', 'Reply to requesters'), ('link', 'Link tickets'), ('unlink', 'Unlink tickets'), ('assign', 'Assign tickets'), ('close', 'Close tickets')], max_length=10)),
                    ('parameters', models.JSONField(blank=True, default=dict)),
                    ('created_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('major_incident', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='cascades', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.AddField(
                model_name='candidate',
                name='major_incident',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='candidates', to='incidents.majorincident'),
            ),
            migrations.CreateModel(
                name='Bridge',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('provider', models.CharField(choices=[('jitsi', 'Jitsi'), ('teams', 'Microsoft Teams'), ('zoom', 'Zoom'), ('meet', 'Google Meet'), ('dial_in', 'Telephone'), ('other', 'Other')], default='other', max_length=8)),
                    ('join_url', models.URLField(blank=True, max_length=500)),
                    ('dial_in', models.CharField(blank=True, max_length=200)),
                    ('set_at', models.DateTimeField()),
                    ('revision', models.PositiveIntegerField(default=1)),
                    ('cancelled_at', models.DateTimeField(blank=True, null=True)),
                    ('set_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='bridge', to='incidents.majorincident')),
                ],
            ),
            migrations.CreateModel(
                name='Approval',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('question', models.TextField()),
                    ('options', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list, size=None)),
                    ('asked_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField(blank=True, null=True)),
                    ('cost_of_waiting', models.TextField(blank=True)),
                    ('state', models.CharField(choices=[('pending', 'Pending'), ('approved', 'Approved'), ('refused', 'Refused')], default='pending', max_length=8)),
                    ('chosen', models.CharField(blank=True, max_length=200)),
                    ('comment', models.TextField(blank=True)),
                    ('decided_at', models.DateTimeField(blank=True, null=True)),
                    ('approver', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approvals_asked', to=settings.AUTH_USER_MODEL)),
                    ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='approvals', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='AffectedService',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('added_at', models.DateTimeField()),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='affected', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='Objection',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', models.TextField()),
                    ('made_at', models.DateTimeField()),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('round', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='objections', to='incidents.decisionround')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='Organisation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(default='Service desk', max_length=120)),
                    ('time_zone', models.CharField(default='UTC', max_length=64, validators=[incidents.models.people.check_time_zone])),
                    ('currency', models.CharField(default='EUR', max_length=3)),
                    ('consult_limit_minutes', models.PositiveIntegerField(default=15)),
                    ('observation_hours', models.PositiveIntegerField(default=24)),
                    ('still_broken_to_reopen', models.PositiveIntegerField(default=3)),
                    ('priority_table', models.JSONField(default=incidents.models.people.default_priority_table)),
                    ('alert_days', models.PositiveIntegerField(default=400, help_text='How long resolved alerts are kept that belong to no ticket, candidate or incident.')),
                    ('payload_days', models.PositiveIntegerField(default=30, help_text='How long what tools sent is kept as it came.')),
                    ('sla_stamp', models.UUIDField(default=uuid.uuid4, help_text='Changes with targets, service hours and holidays.')),
                    ('update_hold_seconds', models.PositiveSmallIntegerField(default=30, help_text='How long a status update waits before it leaves, so that it can be taken back.')),
                    ('technical_hold_seconds', models.PositiveSmallIntegerField(default=0, help_text='The same for the technical team.')),
                    ('response_cost_per_hour', models.DecimalField(decimal_places=2, default=0, help_text='What an hour of one person on an incident costs.', max_digits=9)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_organisation')],
                },
            ),
            migrations.CreateModel(
                name='Payload',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('received_at', models.DateTimeField()),
                    ('path', models.CharField(blank=True, help_text='What the sender appended to its address.', max_length=300)),
                    ('method', models.CharField(default='POST', max_length=8)),
                    ('headers', models.JSONField(default=dict)),
                    ('query', models.CharField(blank=True, max_length=2000)),
                    ('body', models.BinaryField()),
                    ('sha256', models.CharField(max_length=64)),
                    ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Processed'), ('refused', 'Refused'), ('failed', 'Failed')], default='waiting', max_length=8)),
                    ('reason', models.TextField(blank=True)),
                    ('alerts', models.PositiveIntegerField(default=0, help_text='How many alerts it spoke of.')),
                    ('is_drill', models.BooleanField(default=False, help_text='Sent to try it out: its alerts make no noise.')),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('next_attempt_at', models.DateTimeField(null=True)),
                    ('processed_at', models.DateTimeField(null=True)),
                    ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='payloads', to='incidents.integration')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='PhoneCall',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('call_sid', models.CharField(max_length=64)),
                    ('caller_sealed', models.TextField(blank=True)),
                    ('state', models.CharField(choices=[('greeted', 'In the menu'), ('reporting', 'Speaking the report'), ('reported', 'Reported'), ('put_through', 'Put through'), ('informed', 'Heard the current outages'), ('hung_up', 'Hung up before reporting')], default='greeted', max_length=12)),
                    ('is_suspected_major', models.BooleanField(default=False)),
                    ('has_heard_outages', models.BooleanField(default=False)),
                    ('started_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('settle_at', models.DateTimeField(null=True)),
                    ('recording_sid', models.CharField(blank=True, max_length=64)),
                    ('recording_url', models.CharField(blank=True, max_length=500)),
                    ('recording_seconds', models.PositiveIntegerField(null=True)),
                    ('recording_state', models.CharField(choices=[('none', 'None'), ('waiting', 'To be fetched'), ('fetched', 'Kept with the ticket'), ('failed', 'Could not be fetched')], default='none', max_length=8)),
                    ('recording_problem', models.TextField(blank=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('next_attempt_at', models.DateTimeField(null=True)),
                    ('transcription', models.TextField(blank=True)),
                    ('transcribed_at', models.DateTimeField(null=True)),
                    ('attachment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.attachment')),
                    ('candidate', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.candidate')),
                    ('integration', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='phone_calls', to='incidents.integration')),
                    ('requester', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('ticket', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='phone_calls', to='incidents.ticket')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='PlanUse',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('tasks', models.PositiveSmallIntegerField(default=0)),
                    ('used_at', models.DateTimeField()),
                    ('outcome', models.CharField(choices=[('open', 'Not said yet'), ('worked', 'Worked'), ('not_worked', 'Did not work')], default='open', max_length=10)),
                    ('judged_at', models.DateTimeField(blank=True, null=True)),
                    ('change', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.change')),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='plans_used', to='incidents.majorincident')),
                    ('judged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='plan_uses', to='incidents.majorincident')),
                    ('used_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['used_at', 'id'],
                },
            ),
            migrations.CreateModel(
                name='PlanVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('content', models.JSONField()),
                    ('note', models.TextField(blank=True)),
                    ('created_at', models.DateTimeField()),
                    ('bridge', models.ForeignKey(blank=True, help_text='What the conference bridge is made from when an incident is declared; none: somebody sets it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.bridgeprovider')),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='incidents.communicationplan')),
                ],
                options={
                    'ordering': ['-number'],
                },
            ),
            migrations.AddField(
                model_name='majorincident',
                name='plan_version',
                field=models.ForeignKey(blank=True, help_text='Who is told of what, and how often.', null=True, on_delete=django.db.models.deletion.PROTECT, to='incidents.planversion'),
            ),
            migrations.CreateModel(
                name='Presence',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('entered_at', models.DateTimeField()),
                    ('left_at', models.DateTimeField(blank=True, null=True)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='presences', to='incidents.majorincident')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['entered_at'],
                },
            ),
            migrations.CreateModel(
                name='Problem',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=250)),
                    ('description', models.TextField(blank=True)),
                    ('status', models.CharField(choices=[('open', 'Open'), ('investigating', 'Investigating'), ('known_error', 'Known error'), ('resolved', 'Resolved'), ('closed', 'Closed')], default='open', max_length=14)),
                    ('cause_category', models.CharField(choices=[('change', 'A change'), ('software', 'Software defect'), ('hardware', 'Hardware failure'), ('capacity', 'Capacity'), ('network', 'Network'), ('supplier', 'Supplier'), ('security', 'Security'), ('human', 'Procedure or training'), ('other', 'Other'), ('unknown', 'Unknown')], default='unknown', max_length=10)),
                    ('root_cause', models.TextField(blank=True)),
                    ('contributing_factors', models.TextField(blank=True)),
                    ('five_whys', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), blank=True, default=list, size=None)),
                    ('workaround', models.TextField(blank=True)),
                    ('created_at', models.DateTimeField()),
                    ('resolved_at', models.DateTimeField(blank=True, null=True)),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                    ('recurrence_check_at', models.DateTimeField(blank=True, help_text='90 days after it was resolved.', null=True)),
                    ('recurrence_checked_at', models.DateTimeField(blank=True, help_text='When the product looked.', null=True)),
                    ('recurrences', models.PositiveIntegerField(blank=True, help_text='Incidents and tickets that look like it since it was resolved.', null=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('major_incidents', models.ManyToManyField(blank=True, related_name='problems', to='incidents.majorincident')),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='problems_owned', to=settings.AUTH_USER_MODEL)),
                    ('tickets', models.ManyToManyField(blank=True, related_name='problems', to='incidents.ticket')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='KnowledgeEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title_terms', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
                    ('terms', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, help_text='Of title and text.', size=None)),
                    ('made_from', models.DateTimeField(help_text='The record as it was changed last.')),
                    ('document', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='entry', to='incidents.document')),
                    ('problem', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='entry', to='incidents.problem')),
                ],
            ),
            migrations.AddField(
                model_name='change',
                name='problems',
                field=models.ManyToManyField(blank=True, related_name='fixes', to='incidents.problem'),
            ),
            migrations.CreateModel(
                name='RaciMatrix',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField(unique=True)),
                    ('cells', models.JSONField(help_text="{step: {role: 'R/A'}}")),
                    ('note', models.TextField(blank=True)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-version'],
                },
            ),
            migrations.AddField(
                model_name='majorincident',
                name='matrix',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.racimatrix'),
            ),
            migrations.CreateModel(
                name='Review',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('state', models.CharField(choices=[('draft', 'Draft'), ('in_review', 'In review'), ('completed', 'Completed')], default='draft', max_length=9)),
                    ('cause', models.TextField(blank=True)),
                    ('unknown_because', models.TextField(blank=True)),
                    ('findings', models.TextField(blank=True)),
                    ('went_well', models.TextField(blank=True)),
                    ('hindered', models.TextField(blank=True)),
                    ('contributing_factors', models.TextField(blank=True)),
                    ('no_actions_because', models.TextField(blank=True)),
                    ('observation_hours', models.PositiveIntegerField(default=24)),
                    ('opened_at', models.DateTimeField()),
                    ('submitted_at', models.DateTimeField(blank=True, null=True)),
                    ('completed_at', models.DateTimeField(blank=True, null=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('attendees', models.ManyToManyField(blank=True, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('completed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='review', to='incidents.majorincident')),
                    ('submitted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='ReviewAction',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=250)),
                    ('due_at', models.DateTimeField()),
                    ('done_at', models.DateTimeField(blank=True, null=True)),
                    ('proof', models.TextField(blank=True, help_text='What shows that it is done.')),
                    ('reminded_at', models.DateTimeField(blank=True, null=True)),
                    ('escalated_at', models.DateTimeField(blank=True, null=True)),
                    ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='review_actions', to=settings.AUTH_USER_MODEL)),
                    ('review', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='actions', to='incidents.review')),
                ],
                options={
                    'ordering': ['due_at', 'id'],
                },
            ),
            migrations.CreateModel(
                name='RoleHeld',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('requester', 'Requester'), ('key_stakeholder', 'Key stakeholder'), ('service_desk_technician', 'Service desk technician'), ('technical_staff', 'Technical staff'), ('major_incident_manager', 'Major incident manager'), ('change_manager', 'Change manager'), ('problem_manager', 'Problem manager'), ('external_consultant', 'External consultant'), ('management', 'Management'), ('service_desk_manager', 'Service desk manager'), ('administrator', 'Administrator')], max_length=32)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='role_rows', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='RoomFile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ('file', models.FileField(max_length=200, upload_to='rooms/%Y/%m')),
                    ('filename', models.CharField(max_length=200)),
                    ('content_type', models.CharField(max_length=100)),
                    ('size', models.PositiveIntegerField()),
                    ('created_at', models.DateTimeField()),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='incidents.majorincident')),
                    ('uploaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='HandoverNote',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', models.TextField()),
                    ('written_at', models.DateTimeField()),
                    ('seen_at', models.DateTimeField(blank=True, null=True)),
                    ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('seen_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('rota', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='incidents.rota')),
                ],
                options={
                    'ordering': ['-written_at', '-id'],
                },
            ),
            migrations.CreateModel(
                name='CalendarFeed',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('hashed', models.CharField(max_length=64, unique=True)),
                    ('created_at', models.DateTimeField()),
                    ('read_at', models.DateTimeField(blank=True, null=True)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calendar_feeds', to=settings.AUTH_USER_MODEL)),
                    ('rota', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='feeds', to='incidents.rota')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='RotaLayer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=80)),
                    ('position', models.PositiveSmallIntegerField(default=0)),
                    ('rank', models.PositiveSmallIntegerField(default=1)),
                    ('unit', models.CharField(choices=[('hour', 'hours'), ('day', 'days'), ('week', 'weeks')], default='week', max_length=4)),
                    ('length', models.PositiveSmallIntegerField(default=1)),
                    ('handover_at', models.TimeField(default=datetime.time(9, 0))),
                    ('handover_weekday', models.PositiveSmallIntegerField(blank=True, help_text='0 is Monday; weeks only.', null=True)),
                    ('starts_on', models.DateField()),
                    ('ends_on', models.DateField(blank=True, null=True)),
                    ('windows', models.JSONField(blank=True, default=list)),
                    ('rota', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='layers', to='incidents.rota')),
                ],
                options={
                    'ordering': ['rank', 'position', 'id'],
                },
            ),
            migrations.CreateModel(
                name='LayerMember',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveSmallIntegerField()),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('layer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='incidents.rotalayer')),
                ],
                options={
                    'ordering': ['position'],
                },
            ),
            migrations.CreateModel(
                name='RotaOverride',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('reason', models.CharField(blank=True, max_length=200)),
                    ('uid', models.CharField(blank=True, help_text='Of the calendar entry it was imported from.', max_length=300)),
                    ('made_at', models.DateTimeField()),
                    ('layer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='incidents.rotalayer')),
                    ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['starts_at', 'id'],
                },
            ),
            migrations.CreateModel(
                name='Seat',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('service_desk_technician', 'Service desk technician'), ('major_incident_manager', 'Major incident manager'), ('mit', 'Major incident team'), ('technical_staff', 'Technical staff'), ('change_manager', 'Change manager'), ('problem_manager', 'Problem manager'), ('external_consultant', 'External consultant')], max_length=32)),
                    ('state', models.CharField(choices=[('invited', 'Invited'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('released', 'Released')], default='invited', max_length=8)),
                    ('invited_at', models.DateTimeField()),
                    ('answered_at', models.DateTimeField(blank=True, null=True)),
                    ('released_at', models.DateTimeField(blank=True, null=True)),
                    ('message', models.TextField(blank=True)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='seats', to='incidents.majorincident')),
                    ('invited_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('stands_in_for', models.ForeignKey(blank=True, help_text='The seat that ends once this one is accepted.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='stand_ins', to='incidents.seat')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='seats', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='IncidentStep',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(choices=[('declare', 'Declaring the major incident'), ('inform', 'Informing stakeholders'), ('assemble', 'Assembling the MIT'), ('bridge', 'Setting up a conference bridge'), ('war_room', 'Preparing a designated war room'), ('problem', 'Creating a problem ticket to identify underlying issues'), ('change', 'Implementing the resolution plan as a change'), ('review', 'Performing post-implementation review'), ('document', 'Producing clear documentation'), ('measure', 'Measuring metrics')], max_length=12)),
                    ('state', models.CharField(choices=[('pending', 'Pending'), ('open', 'Open'), ('done', 'Done'), ('waived', 'Waived')], default='pending', max_length=8)),
                    ('position', models.PositiveSmallIntegerField()),
                    ('evidence', models.JSONField(default=dict, help_text='What proves it, in words and figures.')),
                    ('missing', models.JSONField(default=list, help_text='What is still missing, one sentence each.')),
                    ('opened_at', models.DateTimeField(blank=True, null=True)),
                    ('done_at', models.DateTimeField(blank=True, null=True)),
                    ('by_fallback', models.BooleanField(default=False, help_text='Done or waived by a fallback, not a seated R or A.')),
                    ('waiver_reason', models.TextField(blank=True)),
                    ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('waived_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='incidents.majorincident')),
                    ('accountable_seat', models.ForeignKey(blank=True, help_text='A was handed to it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.seat')),
                ],
                options={
                    'ordering': ['position'],
                },
            ),
            migrations.AddField(
                model_name='guestpass',
                name='seat',
                field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='guest_pass', to='incidents.seat'),
            ),
            migrations.AddField(
                model_name='service',
                name='owner',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='services_owned', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='majorincident',
                name='services',
                field=models.ManyToManyField(related_name='major_incidents', through='incidents.AffectedService', to='incidents.service'),
            ),
            migrations.CreateModel(
                name='MaintenanceWindow',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=200)),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('services', models.ManyToManyField(related_name='maintenance_windows', to='incidents.service')),
                ],
                options={
                    'ordering': ['-starts_at'],
                },
            ),
            migrations.AddField(
                model_name='integration',
                name='service',
                field=models.ForeignKey(blank=True, help_text='When an alert names none.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.service'),
            ),
            migrations.CreateModel(
                name='InfluxThresholds',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('values', models.JSONField(default=dict)),
                    ('set_at', models.DateTimeField()),
                    ('backtest', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.backtest')),
                    ('set_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.service')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='FreezeWindow',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120)),
                    ('reason', models.TextField(blank=True)),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('services', models.ManyToManyField(blank=True, related_name='freezes', to='incidents.service')),
                ],
                options={
                    'ordering': ['starts_at', 'id'],
                },
            ),
            migrations.CreateModel(
                name='DowntimeInterval',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('started_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('follows_clocks', models.BooleanField(default=True, help_text='Begins with the incident: correcting started_at or detected_at moves it.')),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='downtime', to='incidents.majorincident')),
                    ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='downtime', to='incidents.service')),
                ],
                options={
                    'ordering': ['started_at', 'id'],
                },
            ),
            migrations.AddField(
                model_name='communicationplan',
                name='service',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.service'),
            ),
            migrations.CreateModel(
                name='Checklist',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('kind', models.CharField(choices=[('any', 'Any outage'), ('down', 'Service down'), ('slow', 'Slow or failing now and then'), ('data', 'Data wrong or lost'), ('security', 'Security'), ('network', 'Network'), ('provider', 'Provider or cloud'), ('change', 'After a change')], default='any', max_length=10)),
                    ('items', models.JSONField(default=list)),
                    ('changed_at', models.DateTimeField()),
                    ('changed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='checklists', to='incidents.service')),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.AddField(
                model_name='changetemplate',
                name='services',
                field=models.ManyToManyField(blank=True, related_name='change_templates', to='incidents.service'),
            ),
            migrations.AddField(
                model_name='change',
                name='services',
                field=models.ManyToManyField(blank=True, related_name='changes', to='incidents.service'),
            ),
            migrations.AddField(
                model_name='candidate',
                name='service',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='candidates', to='incidents.service'),
            ),
            migrations.AddField(
                model_name='backtest',
                name='service',
                field=models.ForeignKey(help_text='Whose thresholds they are; None: all.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.service'),
            ),
            migrations.CreateModel(
                name='ArrivalCount',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('minute', models.DateTimeField(help_text='The beginning of the minute.')),
                    ('tickets', models.PositiveIntegerField(default=0)),
                    ('alerts', models.PositiveIntegerField(default=0)),
                    ('sources', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, help_text='Who reported, as numbers that tell requesters apart; at most 64.', size=None)),
                    ('looked', models.BooleanField(default=False, help_text='The detector has seen the latest of them.')),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.service')),
                ],
            ),
            migrations.CreateModel(
                name='AlertRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('position', models.PositiveIntegerField(default=100)),
                    ('is_active', models.BooleanField(default=True)),
                    ('severities', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('critical', 'Critical'), ('error', 'Error'), ('warning', 'Warning'), ('info', 'Info')], max_length=8), blank=True, default=list, size=None)),
                    ('text_contains', models.CharField(blank=True, max_length=200)),
                    ('label_equals', models.JSONField(blank=True, default=dict)),
                    ('outcome', models.CharField(choices=[('ticket', 'Open a ticket'), ('candidate', 'Propose a major incident'), ('nothing', 'Keep the alert only')], max_length=10)),
                    ('after_seconds', models.PositiveIntegerField(default=0, help_text='Only when it still fires after so long; what resolves earlier made no noise.')),
                    ('impact', models.PositiveSmallIntegerField(default=3)),
                    ('urgency', models.PositiveSmallIntegerField(default=3)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('integration', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='incidents.integration')),
                    ('service', models.ForeignKey(blank=True, help_text='When the alert names none.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.service')),
                    ('services', models.ManyToManyField(blank=True, related_name='+', to='incidents.service')),
                ],
                options={
                    'ordering': ['position', 'id'],
                },
            ),
            migrations.CreateModel(
                name='AlertFold',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.alertrule')),
                    ('ticket', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.ticket')),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.service')),
                ],
            ),
            migrations.CreateModel(
                name='Alert',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('dedup_key', models.CharField(max_length=512)),
                    ('episode', models.CharField(help_text="The sender's own mark of this occurrence, else ours.", max_length=120)),
                    ('status', models.CharField(choices=[('firing', 'Firing'), ('acknowledged', 'Acknowledged'), ('resolved', 'Resolved')], max_length=12)),
                    ('severity', models.CharField(choices=[('critical', 'Critical'), ('error', 'Error'), ('warning', 'Warning'), ('info', 'Info')], max_length=8)),
                    ('title', models.CharField(max_length=1024)),
                    ('body', models.TextField(blank=True)),
                    ('link', models.CharField(blank=True, help_text='Where the tool shows it.', max_length=1000)),
                    ('labels', models.JSONField(default=dict)),
                    ('started_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('state_at', models.DateTimeField()),
                    ('first_received_at', models.DateTimeField()),
                    ('last_received_at', models.DateTimeField()),
                    ('reports', models.PositiveIntegerField(default=1)),
                    ('changes', models.PositiveIntegerField(default=1, help_text='How often it went from one state to another.')),
                    ('recent_changes', django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), default=list, help_text='When it last fired or resolved, episodes before this one included: what flapping is told by.', size=None)),
                    ('is_flapping', models.BooleanField(default=False)),
                    ('in_maintenance', models.BooleanField(default=False, help_text='Began inside a maintenance window of its service.')),
                    ('is_drill', models.BooleanField(default=False)),
                    ('outcome', models.CharField(blank=True, choices=[('ticket', 'Ticket'), ('candidate', 'Candidate'), ('incident', 'Joined an open major incident'), ('nothing', 'Kept only')], help_text='What the rules decided; empty: nothing yet.', max_length=12)),
                    ('decide_at', models.DateTimeField(blank=True, help_text='When the rules look at it next; None: no more.', null=True)),
                    ('rule', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text='The one that fitted.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.alertrule')),
                    ('ticket', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts', to='incidents.ticket')),
                    ('candidate', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts', to='incidents.candidate')),
                    ('integration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='alert_rows', to='incidents.integration')),
                    ('major_incident', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts', to='incidents.majorincident')),
                    ('payload', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text='The latest that spoke of it; emptied when that is forgotten.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.payload')),
                    ('service', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='alerts', to='incidents.service')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.AddField(
                model_name='affectedservice',
                name='service',
                field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='affected_by', to='incidents.service'),
            ),
            migrations.CreateModel(
                name='AffectedPerson',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('said_at', models.DateTimeField()),
                    ('taken_back_at', models.DateTimeField(null=True)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('candidate', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='affected_people', to='incidents.candidate')),
                    ('incident', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='affected_people', to='incidents.majorincident')),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.service')),
                ],
            ),
            migrations.CreateModel(
                name='ServiceDependency',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('needs', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='needed_by', to='incidents.service')),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='needs', to='incidents.service')),
                ],
            ),
            migrations.AddField(
                model_name='service',
                name='depends_on',
                field=models.ManyToManyField(related_name='dependents', through='incidents.ServiceDependency', to='incidents.service'),
            ),
            migrations.CreateModel(
                name='ServiceHours',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('time_zone', models.CharField(blank=True, max_length=64, validators=[incidents.models.people.check_time_zone])),
                    ('week', models.JSONField(default=incidents.models.service_hours.working_week)),
                    ('observes_holidays', models.BooleanField(default=True)),
                    ('is_default', models.BooleanField(default=False, help_text='For services without hours of their own.')),
                ],
                options={
                    'ordering': ['-is_default', 'name'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='one_default_of_hours')],
                },
            ),
            migrations.AddField(
                model_name='service',
                name='hours',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='services', to='incidents.servicehours'),
            ),
            migrations.CreateModel(
                name='SlaTarget',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('priority', models.CharField(choices=[('P1', 'P1'), ('P2', 'P2'), ('P3', 'P3'), ('P4', 'P4')], max_length=2)),
                    ('response_minutes', models.PositiveIntegerField()),
                    ('resolution_minutes', models.PositiveIntegerField()),
                    ('around_the_clock', models.BooleanField(default=False, help_text='Runs outside the service hours, too.')),
                    ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sla_targets', to='incidents.service')),
                ],
                options={
                    'ordering': ['service__name', 'priority'],
                },
            ),
            migrations.CreateModel(
                name='StageEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('transition', models.CharField(max_length=24)),
                    ('from_stage', models.CharField(blank=True, max_length=16)),
                    ('to_stage', models.CharField(max_length=16)),
                    ('reason', models.TextField(blank=True)),
                    ('at', models.DateTimeField()),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stage_entries', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='StatusUpdate',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('texts', models.JSONField()),
                    ('audiences', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('technical', 'Technical team'), ('management', 'Management'), ('key_stakeholders', 'Key stakeholders'), ('users', 'Users')], max_length=20), size=None)),
                    ('published_at', models.DateTimeField()),
                    ('next_update_at', models.DateTimeField(blank=True, null=True)),
                    ('leaves_at', models.DateTimeField(blank=True, null=True)),
                    ('technical_leaves_at', models.DateTimeField(blank=True, null=True)),
                    ('promised_before', models.DateTimeField(blank=True, null=True)),
                    ('undone_at', models.DateTimeField(blank=True, null=True)),
                    ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('corrects', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='incidents.statusupdate')),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='updates', to='incidents.majorincident')),
                    ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-published_at', '-id'],
                },
            ),
            migrations.CreateModel(
                name='Task',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=250)),
                    ('target', models.CharField(blank=True, help_text='What it is done to: a node, a table, a provider.', max_length=120)),
                    ('minutes', models.PositiveSmallIntegerField(blank=True, help_text='The time box.', null=True)),
                    ('checklist', models.CharField(blank=True, help_text='The checklist it came from.', max_length=120)),
                    ('due_at', models.DateTimeField(blank=True, null=True)),
                    ('status', models.CharField(choices=[('open', 'Open'), ('in_progress', 'In progress'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='open', max_length=12)),
                    ('created_at', models.DateTimeField()),
                    ('started_at', models.DateTimeField(blank=True, null=True)),
                    ('called_back_at', models.DateTimeField(blank=True, null=True)),
                    ('done_at', models.DateTimeField(blank=True, null=True)),
                    ('result', models.TextField(blank=True, help_text='What came of it.')),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='incident_tasks', to=settings.AUTH_USER_MODEL)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.AddField(
                model_name='team',
                name='lead',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='teams_led', to=settings.AUTH_USER_MODEL),
            ),
            migrations.AddField(
                model_name='service',
                name='team',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='services', to='incidents.team'),
            ),
            migrations.CreateModel(
                name='SavedView',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('screen', models.CharField(choices=[('tickets', 'Tickets'), ('incidents', 'Major incidents')], default='tickets', max_length=10)),
                    ('name', models.CharField(max_length=60)),
                    ('query', models.CharField(blank=True, help_text='The filters as they stand in the address.', max_length=1000)),
                    ('created_at', models.DateTimeField()),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to='incidents.team')),
                ],
                options={
                    'ordering': ['name', 'id'],
                },
            ),
            migrations.AddField(
                model_name='rota',
                name='team',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='rotas', to='incidents.team'),
            ),
            migrations.CreateModel(
                name='ReceivingAddress',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('address', models.EmailField(max_length=254)),
                    ('is_active', models.BooleanField(default=True)),
                    ('created_at', models.DateTimeField()),
                    ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.service')),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.team')),
                ],
                options={
                    'ordering': ['address'],
                },
            ),
            migrations.CreateModel(
                name='OnCallShift',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(blank=True, choices=[('requester', 'Requester'), ('key_stakeholder', 'Key stakeholder'), ('service_desk_technician', 'Service desk technician'), ('technical_staff', 'Technical staff'), ('major_incident_manager', 'Major incident manager'), ('change_manager', 'Change manager'), ('problem_manager', 'Problem manager'), ('external_consultant', 'External consultant'), ('management', 'Management'), ('service_desk_manager', 'Service desk manager'), ('administrator', 'Administrator')], max_length=32)),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('rank', models.PositiveSmallIntegerField(default=1)),
                    ('uid', models.CharField(blank=True, help_text='Of the calendar entry it was imported from.', max_length=300)),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shifts', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.team')),
                ],
                options={
                    'ordering': ['starts_at', 'rank'],
                },
            ),
            migrations.CreateModel(
                name='Mailbox',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('host', models.CharField(max_length=253)),
                    ('port', models.PositiveIntegerField(default=993)),
                    ('security', models.CharField(choices=[('tls', 'TLS'), ('starttls', 'STARTTLS'), ('none', 'Not encrypted')], default='tls', max_length=8)),
                    ('username', models.CharField(max_length=254)),
                    ('sealed_password', models.TextField()),
                    ('folder', models.CharField(default='INBOX', max_length=200)),
                    ('afterwards', models.CharField(choices=[('seen', 'Mark it as read'), ('move', 'Move it to another folder')], default='seen', max_length=4)),
                    ('move_to', models.CharField(blank=True, max_length=200)),
                    ('is_active', models.BooleanField(default=True)),
                    ('uid_validity', models.BigIntegerField(null=True)),
                    ('last_uid', models.BigIntegerField(default=0)),
                    ('next_poll_at', models.DateTimeField()),
                    ('lease', models.UUIDField(help_text='Who polls it.', null=True)),
                    ('lease_until', models.DateTimeField(help_text='Somebody else may poll it after this.', null=True)),
                    ('last_polled_at', models.DateTimeField(null=True)),
                    ('last_error', models.TextField(blank=True)),
                    ('failures', models.PositiveIntegerField(default=0, help_text='How often in a row it could not be polled.')),
                    ('created_at', models.DateTimeField()),
                    ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.service')),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.team')),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.AddField(
                model_name='integration',
                name='team',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.team'),
            ),
            migrations.AddField(
                model_name='alertrule',
                name='team',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.team'),
            ),
            migrations.AddField(
                model_name='user',
                name='team',
                field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='members', to='incidents.team'),
            ),
            migrations.CreateModel(
                name='TextCluster',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('words', models.CharField(help_text='What it is called: the words most of its tickets share.', max_length=120)),
                    ('weights', models.JSONField(default=dict)),
                    ('counts', models.JSONField(default=dict, help_text='In how many of its tickets each term occurs.')),
                    ('services', models.JSONField(default=dict, help_text='How many of its tickets name each service.')),
                    ('members', models.PositiveIntegerField(default=0)),
                    ('first_at', models.DateTimeField()),
                    ('last_at', models.DateTimeField()),
                    ('candidate', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.candidate')),
                ],
                options={
                    'ordering': ['-last_at'],
                },
            ),
            migrations.CreateModel(
                name='TicketClock',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('response', 'Response'), ('resolution', 'Resolution')], max_length=10)),
                    ('target_seconds', models.PositiveIntegerField()),
                    ('used_seconds', models.FloatField(default=0)),
                    ('running_since', models.DateTimeField(blank=True, null=True)),
                    ('warn_at', models.DateTimeField(blank=True, null=True)),
                    ('due_at', models.DateTimeField(blank=True, null=True)),
                    ('next_at', models.DateTimeField(blank=True, null=True)),
                    ('warned_at', models.DateTimeField(blank=True, null=True)),
                    ('breached_at', models.DateTimeField(blank=True, null=True)),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clocks', to='incidents.ticket')),
                ],
                options={
                    'ordering': ['ticket', '-kind'],
                },
            ),
            migrations.CreateModel(
                name='TicketComment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', models.TextField()),
                    ('html', models.TextField(help_text='The text as sanitised HTML, made once on saving.')),
                    ('public', models.BooleanField(default=False)),
                    ('created_at', models.DateTimeField()),
                    ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('became', models.ForeignKey(blank=True, help_text='Split off from here.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.ticket')),
                    ('origin', models.ForeignKey(blank=True, help_text='Merged in with it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.ticket')),
                    ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='incidents.ticket')),
                ],
                options={
                    'ordering': ['created_at', 'id'],
                },
            ),
            migrations.CreateModel(
                name='InboundMail',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('received_at', models.DateTimeField()),
                    ('via', models.CharField(choices=[('smtp', 'SMTP'), ('lmtp', 'LMTP'), ('imap', 'Mailbox')], max_length=4)),
                    ('uid_validity', models.BigIntegerField(null=True)),
                    ('uid', models.BigIntegerField(null=True)),
                    ('peer', models.CharField(blank=True, max_length=64)),
                    ('envelope_from', models.CharField(blank=True, max_length=320)),
                    ('has_envelope', models.BooleanField(default=False, help_text='Whether the empty sender means a bounce.')),
                    ('recipients', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=320), default=list, size=None)),
                    ('raw', models.BinaryField()),
                    ('sha256', models.CharField(max_length=64)),
                    ('body_sha256', models.CharField(max_length=64)),
                    ('size', models.PositiveIntegerField()),
                    ('message_id', models.CharField(blank=True, max_length=300)),
                    ('sender', models.CharField(blank=True, max_length=254)),
                    ('sender_name', models.CharField(blank=True, max_length=200)),
                    ('subject', models.CharField(blank=True, max_length=250)),
                    ('headers', models.JSONField(default=list, help_text='Pairs of name and value, decoded and cut, as they came.')),
                    ('text', models.TextField(blank=True, help_text='What was read of it, once it was processed.')),
                    ('state', models.CharField(choices=[('waiting', 'Waiting'), ('ticket', 'Ticket'), ('comment', 'Comment'), ('ignored', 'Ignored'), ('quarantined', 'In quarantine'), ('parked', 'Parked'), ('failed', 'Failed')], default='waiting', max_length=12)),
                    ('reason', models.TextField(blank=True)),
                    ('automatic', models.CharField(blank=True, choices=[('own', 'Our own message'), ('bounce', 'Bounce'), ('receipt', 'Receipt'), ('reply', 'Automatic reply'), ('calendar', 'Calendar answer'), ('generated', 'Sent by a program')], max_length=10)),
                    ('is_signed', models.BooleanField(default=False)),
                    ('is_from_other', models.BooleanField(default=False)),
                    ('is_answered', models.BooleanField(default=False)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('next_attempt_at', models.DateTimeField()),
                    ('processed_at', models.DateTimeField(null=True)),
                    ('released_by', models.ForeignKey(blank=True, help_text='Who said that it becomes a ticket whatever the rules say.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('ticket', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='mails', to='incidents.ticket')),
                    ('mailbox', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='mails', to='incidents.mailbox')),
                    ('comment', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='mail', to='incidents.ticketcomment')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='TicketEscalation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('functional', 'Functional'), ('hierarchical', 'Hierarchical')], max_length=12)),
                    ('to_tier', models.PositiveSmallIntegerField(blank=True, null=True)),
                    ('reason', models.TextField()),
                    ('escalated_at', models.DateTimeField()),
                    ('escalated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='escalations', to='incidents.ticket')),
                    ('to_team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.team')),
                    ('to_user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['escalated_at', 'id'],
                },
            ),
            migrations.CreateModel(
                name='TicketMerge',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reason', models.TextField(blank=True)),
                    ('merged_at', models.DateTimeField()),
                    ('status_before', models.CharField(choices=[('new', 'New'), ('assigned', 'Assigned'), ('in_progress', 'In progress'), ('on_hold', 'On hold'), ('resolved', 'Resolved'), ('closed', 'Closed')], max_length=12)),
                    ('resolved_before', models.DateTimeField(blank=True, null=True)),
                    ('closed_before', models.DateTimeField(blank=True, null=True)),
                    ('watchers_added', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None)),
                    ('undone_at', models.DateTimeField(blank=True, null=True)),
                    ('merged_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merges', to='incidents.ticket')),
                    ('target', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.ticket')),
                    ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='TicketReading',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('read_at', models.DateTimeField()),
                    ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='readings', to='incidents.ticket')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='TicketWatcher',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField()),
                    ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watchers', to='incidents.ticket')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watched_tickets', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='TimelineEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('seq', models.PositiveIntegerField(null=True)),
                    ('kind', models.CharField(choices=[('ticket_opened', 'Ticket opened'), ('ticket_edited', 'Ticket edited'), ('ticket_commented', 'Comment'), ('ticket_attached', 'File attached'), ('ticket_acknowledged', 'Ticket acknowledged'), ('ticket_assigned', 'Ticket assigned'), ('ticket_status_changed', 'Ticket status changed'), ('ticket_escalated', 'Ticket escalated'), ('ticket_linked', 'Ticket linked'), ('ticket_unlinked', 'Ticket unlinked'), ('alert_attached', 'Alert attached'), ('ticket_gathered', 'Joined a candidate'), ('affected_counted', 'People affected'), ('ticket_merged', 'Ticket merged'), ('ticket_unmerged', 'Merge undone'), ('ticket_split', 'Ticket split'), ('ticket_kept_open', 'Kept open'), ('sla_warned', 'Promise about to be late'), ('sla_breached', 'Promise broken'), ('candidate_flagged', 'Candidate raised'), ('candidate_evidence_added', 'Evidence added'), ('candidate_acknowledged', 'Candidate acknowledged'), ('candidate_declared', 'Candidate declared'), ('candidate_linked', 'Candidate linked'), ('candidate_dismissed', 'Candidate dismissed'), ('alerts_joined', 'Alerts joined'), ('alerts_resolved', 'All alerts resolved'), ('alerts_fire_again', 'Alerts fire again'), ('paged', 'Paged'), ('page_answered', 'Page answered'), ('page_passed_on', 'Page passed on'), ('page_unanswered', 'Nobody answered the page'), ('page_late', 'Paging is late'), ('on_call_changed', 'On call changed'), ('declared', 'Declared'), ('stage_changed', 'Stage changed'), ('contained', 'Contained'), ('restored', 'Restored'), ('resolved', 'Resolved'), ('closed', 'Closed'), ('reopened', 'Reopened'), ('stood_down', 'Stood down'), ('reinstated', 'Stand-down reversed'), ('merged', 'Merged'), ('incident_edited', 'Incident corrected'), ('clock_set', 'Clock set'), ('clock_corrected', 'Clock corrected'), ('clock_not_applicable', 'Clock not applicable'), ('downtime_opened', 'Downtime began'), ('downtime_corrected', 'Downtime corrected'), ('downtime_ended', 'Downtime ended'), ('step_opened', 'Step opened'), ('step_done', 'Step done'), ('step_reopened', 'Step needs new evidence'), ('step_waived', 'Step waived'), ('step_reassigned', 'Step handed over'), ('consult_asked', 'Consult asked'), ('consult_answered', 'Consult answered'), ('consult_unanswered', 'Consult unanswered'), ('seat_invited', 'Invited'), ('seat_accepted', 'Accepted'), ('seat_declined', 'Declined'), ('seat_released', 'Released'), ('command_taken', 'Command taken'), ('command_offered', 'Command offered'), ('command_handed_over', 'Command handed over'), ('command_kept', 'Handover of command ended'), ('guest_entered', 'Guest came in by link'), ('guest_access_changed', 'Guest access changed'), ('bridge_set', 'Bridge set'), ('bridge_cancelled', 'Bridge cancelled'), ('bridge_joined', 'Joined the bridge'), ('war_room_opened', 'War room opened'), ('war_room_entered', 'Entered the war room'), ('war_room_left', 'Left the war room'), ('note', 'Note'), ('decision', 'Decision'), ('decision_objected', 'Strong objection'), ('decision_stands', 'Decision stands'), ('decision_withdrawn', 'Decision withdrawn'), ('entry_marked', 'Entry marked'), ('entry_unmarked', 'Mark taken off'), ('situation_changed', 'Situation updated'), ('task_added', 'Task added'), ('task_changed', 'Task changed'), ('task_called_back', 'Time is up'), ('checklist_started', 'Checklist started'), ('update_published', 'Update published'), ('promise_made', 'Next update promised'), ('promise_overdue', 'Next update overdue'), ('promise_withdrawn', 'Promise withdrawn'), ('update_undone', 'Update taken back'), ('acknowledgement_reminded', 'Asked again to acknowledge'), ('acknowledgement_missing', 'Not acknowledged'), ('messages_resent', 'Message sent again'), ('status_subscription_asked', 'Subscription to the status page asked'), ('webhook_switched_off', 'Webhook switched off'), ('approval_asked', 'Decision asked of management'), ('approval_decided', 'Decision given'), ('problem_opened', 'Problem opened'), ('problem_edited', 'Problem edited'), ('problem_linked', 'Problem linked'), ('problem_status_changed', 'Problem status changed'), ('change_opened', 'Change opened'), ('change_edited', 'Change edited'), ('change_linked', 'Change linked'), ('change_status_changed', 'Change status changed'), ('change_voted', 'Change approval'), ('change_flagged', 'Emergency change without approval'), ('change_logged', 'Implementation log'), ('change_checked', 'Change checked'), ('problem_came_back', 'Looked whether it came back'), ('plan_used', 'Plan of a past incident used'), ('plan_judged', 'Plan judged'), ('review_opened', 'Review opened'), ('review_edited', 'Review edited'), ('review_submitted', 'Review ready for sign-off'), ('review_completed', 'Review completed'), ('review_action_due', 'Action due'), ('review_action_overdue', 'Action overdue'), ('document_generated', 'Document generated'), ('document_edited', 'Document edited'), ('document_published', 'Document published'), ('measured', 'Figures computed'), ('tickets_cascaded', 'Linked tickets updated')], max_length=28)),
                    ('group', models.CharField(choices=[('notes', 'Notes'), ('decisions', 'Decisions'), ('updates', 'Updates'), ('people', 'People'), ('system', 'System')], max_length=10)),
                    ('at', models.DateTimeField()),
                    ('recorded_at', models.DateTimeField()),
                    ('text', models.TextField(blank=True)),
                    ('html', models.TextField(blank=True, help_text='Text of people as sanitised HTML, made once.')),
                    ('payload', models.JSONField(default=dict)),
                    ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('candidate', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='incidents.candidate')),
                    ('change', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='incidents.change')),
                    ('incident', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='incidents.majorincident')),
                    ('problem', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='incidents.problem')),
                    ('ticket', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='incidents.ticket')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='TimelineEdit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', models.TextField()),
                    ('html', models.TextField()),
                    ('edited_at', models.DateTimeField()),
                    ('edited_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='edits', to='incidents.timelineevent')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='Factor',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', models.TextField()),
                    ('is_root', models.BooleanField(default=False, help_text='Without it the outage would not have happened.')),
                    ('added_at', models.DateTimeField()),
                    ('added_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='children', to='incidents.factor')),
                    ('problem', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='factors', to='incidents.problem')),
                    ('evidence', models.ManyToManyField(blank=True, related_name='+', to='incidents.timelineevent')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='EntryMark',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('fact', 'Known fact'), ('public', 'Public draft')], max_length=6)),
                    ('marked_at', models.DateTimeField()),
                    ('marked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='incidents.majorincident')),
                    ('used_in', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.statusupdate')),
                    ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='marks', to='incidents.timelineevent')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.AddField(
                model_name='decisionround',
                name='event',
                field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='round', to='incidents.timelineevent'),
            ),
            migrations.CreateModel(
                name='UpdateDraft',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('content', models.JSONField(default=dict)),
                    ('saved_at', models.DateTimeField()),
                    ('author', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='update_drafts', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['-saved_at'],
                },
            ),
            migrations.CreateModel(
                name='UpdatePromise',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('due_at', models.DateTimeField()),
                    ('made_at', models.DateTimeField()),
                    ('state', models.CharField(choices=[('open', 'Open'), ('kept', 'Kept'), ('broken', 'Broken'), ('withdrawn', 'Withdrawn')], default='open', max_length=9)),
                    ('settled_at', models.DateTimeField(blank=True, null=True)),
                    ('reason', models.CharField(blank=True, help_text='Why it was moved or withdrawn.', max_length=500)),
                    ('nagged_at', models.DateTimeField(blank=True, null=True)),
                    ('escalated_at', models.DateTimeField(blank=True, null=True)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='promises', to='incidents.majorincident')),
                    ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('settled_by', models.ForeignKey(blank=True, help_text='Which update.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.statusupdate')),
                ],
                options={
                    'ordering': ['due_at', 'id'],
                },
            ),
            migrations.CreateModel(
                name='UsualArrivals',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('hour', models.PositiveSmallIntegerField()),
                    ('per_hour', models.FloatField()),
                    ('observed', models.PositiveSmallIntegerField(help_text='From how many weeks it is known.')),
                    ('computed_at', models.DateTimeField()),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.service')),
                ],
            ),
            migrations.CreateModel(
                name='WarRoom',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('location', models.CharField(blank=True, help_text='For those on site.', max_length=200)),
                    ('url', models.URLField(blank=True, max_length=500)),
                    ('opened_at', models.DateTimeField()),
                    ('incident', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='war_room', to='incidents.majorincident')),
                    ('opened_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='Arrival',
                fields=[
                    ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='incidents.ticket')),
                    ('at', models.DateTimeField()),
                    ('source', models.BigIntegerField()),
                    ('counted', models.BooleanField(default=False, help_text='It is in the counters, or does not count.')),
                    ('looked_at', models.DateTimeField(null=True)),
                    ('cluster', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.textcluster')),
                    ('service', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.service')),
                ],
            ),
            migrations.CreateModel(
                name='CascadeResult',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('outcome', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('unchanged', 'Unchanged'), ('failed', 'Failed')], default='waiting', max_length=12)),
                    ('detail', models.CharField(blank=True, max_length=250)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('not_before', models.DateTimeField(blank=True, null=True)),
                    ('at', models.DateTimeField()),
                    ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='results', to='incidents.cascadejob')),
                    ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.ticket')),
                ],
                options={
                    'ordering': ['id'],
                    'indexes': [models.Index(fields=['job', 'outcome', 'id'], name='cascade_results_by_outcome')],
                    'constraints': [models.UniqueConstraint(fields=('job', 'ticket'), name='cascade_result_once_per_ticket'), models.CheckConstraint(condition=models.Q(('outcome__in', ['waiting', 'done', 'unchanged', 'failed'])), name='cascade_outcome_known')],
                },
            ),
            migrations.CreateModel(
                name='ChangeApproval',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('vote', models.CharField(choices=[('pending', 'Pending'), ('approve', 'Approve'), ('reject', 'Reject')], default='pending', max_length=8)),
                    ('comment', models.TextField(blank=True)),
                    ('asked_at', models.DateTimeField()),
                    ('voted_at', models.DateTimeField(blank=True, null=True)),
                    ('condition', models.TextField(blank=True, help_text='The approval holds once this is met.')),
                    ('condition_met_at', models.DateTimeField(blank=True, null=True)),
                    ('approver', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='change_votes', to=settings.AUTH_USER_MODEL)),
                    ('change', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='approvals', to='incidents.change')),
                    ('condition_met_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('delegate', models.ForeignKey(blank=True, help_text="Who may vote in the approver's place.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='change_votes_for_others', to=settings.AUTH_USER_MODEL)),
                    ('voted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.UniqueConstraint(fields=('change', 'approver'), name='one_vote_per_approver'), models.CheckConstraint(condition=models.Q(('condition_met_at__isnull', True), models.Q(('condition', ''), _negated=True), _connector='OR'), name='only_a_condition_can_be_met')],
                },
            ),
            migrations.CreateModel(
                name='DocumentVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('markdown', models.TextField()),
                    ('saved_at', models.DateTimeField()),
                    ('document', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='incidents.document')),
                    ('saved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-version'],
                    'constraints': [models.UniqueConstraint(fields=('document', 'version'), name='each_version_once')],
                },
            ),
            migrations.CreateModel(
                name='IdempotentRequest',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=255)),
                    ('fingerprint', models.CharField(help_text='SHA-256 of method, path and body.', max_length=64)),
                    ('status', models.PositiveSmallIntegerField(null=True)),
                    ('body', models.BinaryField(null=True)),
                    ('headers', models.JSONField(default=dict)),
                    ('created_at', models.DateTimeField()),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(fields=['created_at'], name='idempotency_keys_to_forget')],
                    'constraints': [models.UniqueConstraint(fields=('user', 'key'), name='one_answer_per_idempotency_key')],
                },
            ),
            migrations.CreateModel(
                name='Consult',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('service_desk_technician', 'Service desk technician'), ('major_incident_manager', 'Major incident manager'), ('mit', 'Major incident team'), ('technical_staff', 'Technical staff'), ('change_manager', 'Change manager'), ('problem_manager', 'Problem manager'), ('external_consultant', 'External consultant')], max_length=32)),
                    ('asked_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField()),
                    ('answered_at', models.DateTimeField(blank=True, null=True)),
                    ('agrees', models.BooleanField(null=True)),
                    ('text', models.TextField(blank=True)),
                    ('unanswered_at', models.DateTimeField(blank=True, help_text='When its limit passed without an answer.', null=True)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consults', to=settings.AUTH_USER_MODEL)),
                    ('step', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consults', to='incidents.incidentstep')),
                ],
                options={
                    'ordering': ['id'],
                    'indexes': [models.Index(condition=models.Q(('answered_at__isnull', True), ('unanswered_at__isnull', True)), fields=['due_at'], name='consults_to_expire')],
                    'constraints': [models.UniqueConstraint(fields=('step', 'user'), name='consulted_once_per_step')],
                },
            ),
            migrations.CreateModel(
                name='KeptFile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ('file', models.FileField(max_length=200, upload_to='attachments/%Y/%m')),
                    ('filename', models.CharField(max_length=200)),
                    ('content_type', models.CharField(max_length=100)),
                    ('size', models.PositiveIntegerField()),
                    ('created_at', models.DateTimeField()),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                    'indexes': [models.Index(fields=['created_at'], name='kept_files_to_forget')],
                },
            ),
            migrations.CreateModel(
                name='CommandHandover',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('summary', models.TextField()),
                    ('state', models.CharField(choices=[('offered', 'Offered'), ('confirmed', 'Confirmed'), ('declined', 'Declined'), ('withdrawn', 'Withdrawn')], default='offered', max_length=9)),
                    ('offered_at', models.DateTimeField()),
                    ('settled_at', models.DateTimeField(blank=True, null=True)),
                    ('reason', models.CharField(blank=True, help_text='Why it was declined.', max_length=500)),
                    ('giver', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('taker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='command_offers', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handovers', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'offered')), fields=('incident',), name='one_offer_of_command_at_a_time')],
                },
            ),
            migrations.CreateModel(
                name='ClockEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('clock', models.CharField(choices=[('started_at', 'started_at'), ('detected_at', 'detected_at'), ('reported_at', 'reported_at'), ('acknowledged_at', 'acknowledged_at'), ('declared_at', 'declared_at'), ('contained_at', 'contained_at'), ('restored_at', 'restored_at'), ('resolved_at', 'resolved_at'), ('closed_at', 'closed_at')], max_length=16)),
                    ('value', models.DateTimeField(null=True)),
                    ('previous', models.DateTimeField(null=True)),
                    ('is_correction', models.BooleanField(default=False)),
                    ('reason', models.TextField(blank=True)),
                    ('set_at', models.DateTimeField()),
                    ('set_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clock_entries', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['id'],
                    'indexes': [models.Index(fields=['incident', 'clock', '-id'], name='history_of_a_clock')],
                },
            ),
            migrations.CreateModel(
                name='ChangeLink',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('relation', models.CharField(choices=[('fix', 'Fix'), ('cause', 'Cause')], max_length=5)),
                    ('linked_at', models.DateTimeField()),
                    ('change', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='incidents.change')),
                    ('linked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='change_links', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.UniqueConstraint(fields=('change', 'incident', 'relation'), name='change_linked_once_per_relation')],
                },
            ),
            migrations.AddIndex(
                model_name='cascadejob',
                index=models.Index(condition=models.Q(('finished_at__isnull', True)), fields=['id'], name='cascades_to_finish'),
            ),
            migrations.AddConstraint(
                model_name='bridge',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('join_url', ''), _negated=True), models.Q(('dial_in', ''), _negated=True), _connector='OR'), name='bridge_with_a_link_or_a_number'),
            ),
            migrations.AddIndex(
                model_name='approval',
                index=models.Index(condition=models.Q(('state', 'pending')), fields=['approver', 'due_at'], name='decisions_waiting'),
            ),
            migrations.AddConstraint(
                model_name='objection',
                constraint=models.UniqueConstraint(fields=('round', 'person'), name='one_objection_per_person'),
            ),
            migrations.AddIndex(
                model_name='payload',
                index=models.Index(condition=models.Q(('state', 'waiting')), fields=['id'], name='payloads_to_process'),
            ),
            migrations.AddIndex(
                model_name='payload',
                index=models.Index(fields=['integration', '-id'], name='payloads_of_an_integration'),
            ),
            migrations.AddIndex(
                model_name='payload',
                index=models.Index(fields=['received_at'], name='payloads_to_forget'),
            ),
            migrations.AddIndex(
                model_name='phonecall',
                index=models.Index(condition=models.Q(('settle_at__isnull', False)), fields=['settle_at'], name='calls_to_settle'),
            ),
            migrations.AddIndex(
                model_name='phonecall',
                index=models.Index(condition=models.Q(('recording_state', 'waiting')), fields=['next_attempt_at'], name='recordings_to_fetch'),
            ),
            migrations.AddIndex(
                model_name='phonecall',
                index=models.Index(condition=models.Q(('ticket__isnull', False)), fields=['ticket'], name='calls_of_a_ticket'),
            ),
            migrations.AddConstraint(
                model_name='phonecall',
                constraint=models.UniqueConstraint(fields=('integration', 'call_sid'), name='one_row_per_call'),
            ),
            migrations.AddConstraint(
                model_name='planuse',
                constraint=models.UniqueConstraint(fields=('incident', 'source'), name='each_plan_once'),
            ),
            migrations.AddConstraint(
                model_name='planuse',
                constraint=models.CheckConstraint(condition=models.Q(('incident', models.F('source')), _negated=True), name='a_plan_of_another_incident'),
            ),
            migrations.AddConstraint(
                model_name='planversion',
                constraint=models.UniqueConstraint(fields=('plan', 'number'), name='plan_version_once'),
            ),
            migrations.AddConstraint(
                model_name='presence',
                constraint=models.UniqueConstraint(condition=models.Q(('left_at__isnull', True)), fields=('incident', 'user'), name='present_once_at_a_time'),
            ),
            migrations.AddIndex(
                model_name='problem',
                index=models.Index(fields=['status', '-id'], name='problems_by_status'),
            ),
            migrations.AddIndex(
                model_name='problem',
                index=models.Index(condition=models.Q(('recurrence_checked_at__isnull', True), ('status', 'resolved')), fields=['recurrence_check_at'], name='problems_to_look_at_again'),
            ),
            migrations.AddConstraint(
                model_name='problem',
                constraint=models.CheckConstraint(condition=models.Q(('status__in', ['open', 'investigating', 'known_error', 'resolved', 'closed'])), name='problem_status_known'),
            ),
            migrations.AddConstraint(
                model_name='problem',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['known_error', 'resolved']), _negated=True), models.Q(('root_cause', ''), _negated=True), models.Q(('workaround', ''), _negated=True), _connector='OR'), name='known_error_says_something'),
            ),
            migrations.AddIndex(
                model_name='knowledgeentry',
                index=django.contrib.postgres.indexes.GinIndex(fields=['terms'], name='knowledge_by_term'),
            ),
            migrations.AddConstraint(
                model_name='knowledgeentry',
                constraint=models.CheckConstraint(condition=models.Q(('document__isnull', True), ('problem__isnull', True), _connector='XOR'), name='entry_of_one_record'),
            ),
            migrations.AddConstraint(
                model_name='review',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'completed'), _negated=True), ('completed_at__isnull', False), _connector='OR'), name='completed_review_has_time'),
            ),
            migrations.AddIndex(
                model_name='reviewaction',
                index=models.Index(condition=models.Q(('done_at__isnull', True)), fields=['due_at'], name='review_actions_due'),
            ),
            migrations.AddIndex(
                model_name='roleheld',
                index=models.Index(fields=['role', 'user'], name='people_by_role'),
            ),
            migrations.AddConstraint(
                model_name='roleheld',
                constraint=models.UniqueConstraint(fields=('user', 'role'), name='role_held_once'),
            ),
            migrations.AddIndex(
                model_name='handovernote',
                index=models.Index(fields=['rota', '-written_at'], name='notes_of_a_rota'),
            ),
            migrations.AddIndex(
                model_name='calendarfeed',
                index=models.Index(fields=['owner', '-id'], name='feeds_of_a_person'),
            ),
            migrations.AddConstraint(
                model_name='rotalayer',
                constraint=models.CheckConstraint(condition=models.Q(('length__gte', 1)), name='turns_have_a_length'),
            ),
            migrations.AddConstraint(
                model_name='rotalayer',
                constraint=models.CheckConstraint(condition=models.Q(('ends_on__isnull', True), ('ends_on__gt', models.F('starts_on')), _connector='OR'), name='layer_ends_after_start'),
            ),
            migrations.AddConstraint(
                model_name='layermember',
                constraint=models.UniqueConstraint(fields=('layer', 'position'), name='one_person_a_place_in_turn'),
            ),
            migrations.AddIndex(
                model_name='rotaoverride',
                index=models.Index(fields=['layer', 'starts_at', 'ends_at'], name='overrides_of_a_layer'),
            ),
            migrations.AddConstraint(
                model_name='rotaoverride',
                constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='override_ends_after_start'),
            ),
            migrations.AddConstraint(
                model_name='rotaoverride',
                constraint=models.UniqueConstraint(condition=models.Q(('uid', ''), _negated=True), fields=('layer', 'uid'), name='override_imported_once'),
            ),
            migrations.AddIndex(
                model_name='seat',
                index=models.Index(fields=['user', 'state'], name='seats_of_a_person'),
            ),
            migrations.AddConstraint(
                model_name='seat',
                constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['invited', 'accepted'])), fields=('incident', 'role', 'user'), name='one_live_seat_per_role_and_person'),
            ),
            migrations.AddConstraint(
                model_name='seat',
                constraint=models.UniqueConstraint(condition=models.Q(('role__in', ['major_incident_manager', 'change_manager', 'problem_manager']), ('state', 'accepted')), fields=('incident', 'role'), name='one_holder_of_single_roles'),
            ),
            migrations.AddConstraint(
                model_name='incidentstep',
                constraint=models.UniqueConstraint(fields=('incident', 'key'), name='each_step_once'),
            ),
            migrations.AddConstraint(
                model_name='incidentstep',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'waived'), _negated=True), models.Q(('waiver_reason', ''), _negated=True), _connector='OR'), name='step_waived_with_a_reason'),
            ),
            migrations.AddConstraint(
                model_name='incidentstep',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), ('done_at__isnull', False), _connector='OR'), name='step_done_has_time'),
            ),
            migrations.AddIndex(
                model_name='majorincident',
                index=models.Index(fields=['stage', '-id'], name='major_incidents_by_stage'),
            ),
            migrations.AddIndex(
                model_name='majorincident',
                index=models.Index(fields=['declared_at'], name='major_incidents_by_declared'),
            ),
            migrations.AddIndex(
                model_name='majorincident',
                index=models.Index(django.db.models.functions.comparison.Coalesce('declared_at', 'reported_at'), name='major_incidents_by_period'),
            ),
            migrations.AddIndex(
                model_name='majorincident',
                index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector('title', 'description', config='simple'), name='major_incident_words'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(('stage__in', ['identification', 'containment', 'resolution', 'maintenance', 'closed', 'stood_down'])), name='stage_known'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(('impact__range', (1, 4)), ('urgency__range', (1, 4))), name='incident_levels_1_to_4'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('stage__in', ['maintenance', 'closed']), _negated=True), ('resolved_at__isnull', False), ('merged_into__isnull', False), ('is_imported', True), _connector='OR'), name='resolved_before_maintenance'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('stage', 'closed'), _negated=True), ('closed_at__isnull', False), ('is_imported', True), _connector='OR'), name='closed_has_closed_at'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(('declared_at__isnull', False), ('is_imported', True), _connector='OR'), name='declared_unless_imported'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('stage', 'stood_down'), _negated=True), models.Q(('stood_down_reason', ''), _negated=True), _connector='OR'), name='stood_down_with_a_reason'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.UniqueConstraint(condition=models.Q(('external_id', ''), _negated=True), fields=('external_id',), name='one_incident_per_external_id'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(('started_at__isnull', True), ('detected_at__isnull', True), ('detected_at__gte', models.F('started_at')), _connector='OR'), name='detected_not_before_started'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(('detected_at__isnull', True), ('reported_at__isnull', True), ('reported_at__gte', models.F('detected_at')), _connector='OR'), name='reported_not_before_detected'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(('reported_at__isnull', True), ('acknowledged_at__isnull', True), ('acknowledged_at__gte', models.F('reported_at')), _connector='OR'), name='acknowledged_not_before_reported'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(('detected_at__isnull', True), ('declared_at__isnull', True), ('declared_at__gte', models.F('detected_at')), _connector='OR'), name='declared_not_before_detected'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(('started_at__isnull', True), ('contained_at__isnull', True), ('contained_at__gte', models.F('started_at')), _connector='OR'), name='contained_not_before_started'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(('started_at__isnull', True), ('restored_at__isnull', True), ('restored_at__gte', models.F('started_at')), _connector='OR'), name='restored_not_before_started'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(('restored_at__isnull', True), ('resolved_at__isnull', True), ('resolved_at__gte', models.F('restored_at')), _connector='OR'), name='resolved_not_before_restored'),
            ),
            migrations.AddConstraint(
                model_name='majorincident',
                constraint=models.CheckConstraint(condition=models.Q(('resolved_at__isnull', True), ('closed_at__isnull', True), ('closed_at__gte', models.F('resolved_at')), _connector='OR'), name='closed_not_before_resolved'),
            ),
            migrations.AddConstraint(
                model_name='maintenancewindow',
                constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='window_ends_after_start'),
            ),
            migrations.AddIndex(
                model_name='influxthresholds',
                index=models.Index(fields=['service', '-id'], name='thresholds_in_force'),
            ),
            migrations.AddIndex(
                model_name='freezewindow',
                index=models.Index(fields=['starts_at', 'ends_at'], name='freezes_in_the_calendar'),
            ),
            migrations.AddConstraint(
                model_name='freezewindow',
                constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='freeze_ends_after_start'),
            ),
            migrations.AddIndex(
                model_name='downtimeinterval',
                index=models.Index(fields=['service', 'started_at'], name='downtime_of_a_service'),
            ),
            migrations.AddConstraint(
                model_name='downtimeinterval',
                constraint=models.CheckConstraint(condition=models.Q(('ended_at__isnull', True), ('ended_at__gte', models.F('started_at')), _connector='OR'), name='downtime_ends_after_start'),
            ),
            migrations.AddConstraint(
                model_name='downtimeinterval',
                constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('incident', 'service'), name='one_open_downtime_per_service', nulls_distinct=False),
            ),
            migrations.AddConstraint(
                model_name='communicationplan',
                constraint=models.UniqueConstraint(fields=('severity', 'service', 'tier'), name='one_plan_per_scope', nulls_distinct=False),
            ),
            migrations.AddConstraint(
                model_name='communicationplan',
                constraint=models.CheckConstraint(condition=models.Q(('service', None), ('tier', None), _connector='OR'), name='plan_for_a_service_or_a_tier'),
            ),
            migrations.AddIndex(
                model_name='change',
                index=models.Index(fields=['status', '-id'], name='changes_by_status'),
            ),
            migrations.AddIndex(
                model_name='change',
                index=models.Index(condition=models.Q(('approval_state', 'pending'), ('flagged_at__isnull', True)), fields=['approval_due_at'], name='emergency_approvals_due'),
            ),
            migrations.AddIndex(
                model_name='change',
                index=models.Index(fields=['window_start', 'window_end'], name='changes_in_the_calendar'),
            ),
            migrations.AddConstraint(
                model_name='change',
                constraint=models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'awaiting_approval', 'approved', 'rejected', 'implementing', 'implemented', 'rolled_back', 'closed', 'cancelled'])), name='change_status_known'),
            ),
            migrations.AddConstraint(
                model_name='change',
                constraint=models.CheckConstraint(condition=models.Q(('window_start__isnull', True), ('window_end__isnull', True), ('window_end__gt', models.F('window_start')), _connector='OR'), name='change_window_ends_after_start'),
            ),
            migrations.AddConstraint(
                model_name='change',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'implemented'), _negated=True), ('implemented_at__isnull', False), _connector='OR'), name='implemented_has_time'),
            ),
            migrations.AddIndex(
                model_name='candidate',
                index=models.Index(fields=['status', '-id'], name='candidates_waiting'),
            ),
            migrations.AddIndex(
                model_name='candidate',
                index=models.Index(fields=['-decided_at'], name='candidates_by_verdict'),
            ),
            migrations.AddConstraint(
                model_name='candidate',
                constraint=models.UniqueConstraint(condition=models.Q(('service__isnull', False), ('status__in', ['open', 'acknowledged'])), fields=('service',), name='one_open_candidate_per_service'),
            ),
            migrations.AddConstraint(
                model_name='candidate',
                constraint=models.UniqueConstraint(condition=models.Q(('service__isnull', True), ('status__in', ['open', 'acknowledged']), models.Q(('cluster', ''), _negated=True)), fields=('cluster',), name='one_open_candidate_per_cluster'),
            ),
            migrations.AddConstraint(
                model_name='candidate',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'dismissed'), _negated=True), models.Q(('dismiss_reason', ''), _negated=True), _connector='OR'), name='dismissed_with_a_reason'),
            ),
            migrations.AddConstraint(
                model_name='candidate',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['declared', 'linked']), _negated=True), ('major_incident__isnull', False), _connector='OR'), name='verdict_names_the_incident'),
            ),
            migrations.AddIndex(
                model_name='backtest',
                index=models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['id'], name='backtests_to_do'),
            ),
            migrations.AddConstraint(
                model_name='backtest',
                constraint=models.CheckConstraint(condition=models.Q(('until__gt', models.F('since'))), name='backtest_ends_after_start'),
            ),
            migrations.AddIndex(
                model_name='arrivalcount',
                index=models.Index(fields=['minute'], name='arrivals_by_minute'),
            ),
            migrations.AddIndex(
                model_name='arrivalcount',
                index=models.Index(condition=models.Q(('looked', False)), fields=['minute'], name='arrivals_to_look_at'),
            ),
            migrations.AddConstraint(
                model_name='arrivalcount',
                constraint=models.UniqueConstraint(fields=('service', 'minute'), name='one_count_per_service_and_minute', nulls_distinct=False),
            ),
            migrations.AddConstraint(
                model_name='alertfold',
                constraint=models.UniqueConstraint(fields=('rule', 'service'), name='one_fold_per_rule_and_service', nulls_distinct=False),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(fields=['integration', 'dedup_key', '-id'], name='alerts_by_key'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(fields=['status', '-id'], name='alerts_by_status'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(fields=['service', '-started_at'], name='alerts_of_a_service'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(condition=models.Q(('ticket__isnull', False)), fields=['ticket', '-id'], name='alerts_of_a_ticket'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(condition=models.Q(('candidate__isnull', False)), fields=['candidate', '-id'], name='alerts_of_a_candidate'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(condition=models.Q(('major_incident__isnull', False)), fields=['major_incident', '-id'], name='alerts_of_an_incident'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(condition=models.Q(('ended_at__isnull', True), ('is_flapping', True), _connector='OR'), fields=['ticket'], name='alerts_firing_of_a_ticket'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(condition=models.Q(('ended_at__isnull', True), ('is_flapping', True), _connector='OR'), fields=['candidate'], name='alerts_firing_of_a_candidate'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(condition=models.Q(('ended_at__isnull', True), ('is_flapping', True), _connector='OR'), fields=['major_incident'], name='alerts_firing_of_an_incident'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(condition=models.Q(('decide_at__isnull', False)), fields=['decide_at'], name='alerts_to_decide'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(condition=models.Q(('is_flapping', True)), fields=['id'], name='alerts_that_flap'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['ended_at'], name='alerts_to_forget'),
            ),
            migrations.AddIndex(
                model_name='alert',
                index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector('title', 'body', config='simple'), gin_pending_list_limit=32768, name='alerts_by_their_words'),
            ),
            migrations.AddConstraint(
                model_name='alert',
                constraint=models.UniqueConstraint(fields=('integration', 'dedup_key', 'episode'), name='one_alert_per_episode'),
            ),
            migrations.AddConstraint(
                model_name='alert',
                constraint=models.CheckConstraint(condition=models.Q(('ended_at__isnull', True), ('ended_at__gte', models.F('started_at')), _connector='OR'), name='alert_ends_after_start'),
            ),
            migrations.AddConstraint(
                model_name='alert',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('status', 'resolved')), models.Q(models.Q(('status', 'resolved'), _negated=True), ('ended_at__isnull', True)), _connector='OR'), name='alert_ended_when_resolved'),
            ),
            migrations.AddConstraint(
                model_name='affectedservice',
                constraint=models.UniqueConstraint(fields=('incident', 'service'), name='service_affected_once'),
            ),
            migrations.AddIndex(
                model_name='affectedperson',
                index=models.Index(condition=models.Q(('taken_back_at__isnull', True)), fields=['service', 'said_at'], name='affected_for_the_detector'),
            ),
            migrations.AddConstraint(
                model_name='affectedperson',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('candidate__isnull', True), ('incident__isnull', False)), models.Q(('candidate__isnull', False), ('incident__isnull', True)), _connector='OR'), name='affected_by_one_thing'),
            ),
            migrations.AddConstraint(
                model_name='affectedperson',
                constraint=models.UniqueConstraint(condition=models.Q(('incident__isnull', False)), fields=('incident', 'user'), name='affected_once_by_an_incident'),
            ),
            migrations.AddConstraint(
                model_name='affectedperson',
                constraint=models.UniqueConstraint(condition=models.Q(('candidate__isnull', False)), fields=('candidate', 'user'), name='affected_once_by_a_candidate'),
            ),
            migrations.AddConstraint(
                model_name='servicedependency',
                constraint=models.UniqueConstraint(fields=('service', 'needs'), name='dependency_once'),
            ),
            migrations.AddConstraint(
                model_name='servicedependency',
                constraint=models.CheckConstraint(condition=models.Q(('service', models.F('needs')), _negated=True), name='service_does_not_need_itself'),
            ),
            migrations.AddConstraint(
                model_name='slatarget',
                constraint=models.UniqueConstraint(fields=('service', 'priority'), name='one_target_per_service_and_priority', nulls_distinct=False),
            ),
            migrations.AddConstraint(
                model_name='slatarget',
                constraint=models.CheckConstraint(condition=models.Q(('response_minutes__gt', 0), ('resolution_minutes__gte', models.F('response_minutes'))), name='answered_before_solved'),
            ),
            migrations.AddIndex(
                model_name='task',
                index=models.Index(condition=models.Q(('status', 'done'), _negated=True), fields=['assignee', 'due_at'], name='tasks_of_a_person'),
            ),
            migrations.AddIndex(
                model_name='task',
                index=models.Index(condition=models.Q(('called_back_at__isnull', True), ('status__in', ['open', 'in_progress'])), fields=['due_at'], name='tasks_to_call_back'),
            ),
            migrations.AddIndex(
                model_name='ticket',
                index=models.Index(fields=['status', '-id'], name='ticket_queue_by_status'),
            ),
            migrations.AddIndex(
                model_name='ticket',
                index=models.Index(fields=['service', '-reported_at'], name='ticket_by_service'),
            ),
            migrations.AddIndex(
                model_name='ticket',
                index=models.Index(fields=['-reported_at', '-id'], name='ticket_by_arrival'),
            ),
            migrations.AddIndex(
                model_name='ticket',
                index=models.Index(condition=models.Q(('status__in', ['resolved', 'closed']), _negated=True), fields=['assignee', '-id'], name='ticket_my_work'),
            ),
            migrations.AddIndex(
                model_name='ticket',
                index=models.Index(fields=['requester', '-id'], name='ticket_my_reports'),
            ),
            migrations.AddIndex(
                model_name='ticket',
                index=models.Index(fields=['priority', '-id'], name='ticket_by_priority'),
            ),
            migrations.AddIndex(
                model_name='ticket',
                index=models.Index(condition=models.Q(('major_incident__isnull', False)), fields=['major_incident', '-id'], name='ticket_children'),
            ),
            migrations.AddIndex(
                model_name='ticket',
                index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector('title', 'description', config='simple'), name='ticket_words'),
            ),
            migrations.AddIndex(
                model_name='ticket',
                index=models.Index(condition=models.Q(('sla_due_at__isnull', False)), fields=['sla_due_at', 'id'], name='ticket_by_promise'),
            ),
            migrations.AddIndex(
                model_name='ticket',
                index=models.Index(condition=models.Q(('status__in', ['resolved', 'closed']), _negated=True), fields=['sla_stamp'], name='ticket_clocks_to_renew'),
            ),
            migrations.AddConstraint(
                model_name='ticket',
                constraint=models.CheckConstraint(condition=models.Q(('impact__range', (1, 4)), ('urgency__range', (1, 4))), name='ticket_levels_1_to_4'),
            ),
            migrations.AddConstraint(
                model_name='ticket',
                constraint=models.CheckConstraint(condition=models.Q(('status__in', ['new', 'assigned', 'in_progress', 'on_hold', 'resolved', 'closed'])), name='ticket_status_known'),
            ),
            migrations.AddConstraint(
                model_name='ticket',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['resolved', 'closed']), _negated=True), ('resolved_at__isnull', False), _connector='OR'), name='ticket_resolved_has_time'),
            ),
            migrations.AddConstraint(
                model_name='ticket',
                constraint=models.CheckConstraint(condition=models.Q(('merged_into__isnull', True), ('status', 'closed'), _connector='OR'), name='ticket_merged_is_closed'),
            ),
            migrations.AddConstraint(
                model_name='ticket',
                constraint=models.CheckConstraint(condition=models.Q(('merged_into', models.F('id')), _negated=True), name='ticket_not_merged_into_itself'),
            ),
            migrations.AddConstraint(
                model_name='service',
                constraint=models.CheckConstraint(condition=models.Q(('cost_per_hour__gte', 0)), name='service_cost_not_negative'),
            ),
            migrations.AddConstraint(
                model_name='service',
                constraint=models.CheckConstraint(condition=models.Q(('off_hours_percent__lte', 100)), name='off_hours_cost_at_most_all'),
            ),
            migrations.AddConstraint(
                model_name='savedview',
                constraint=models.UniqueConstraint(fields=('owner', 'screen', 'name'), name='one_view_of_a_name'),
            ),
            migrations.AddIndex(
                model_name='rota',
                index=models.Index(fields=['role'], name='rotas_of_a_role'),
            ),
            migrations.AddConstraint(
                model_name='rota',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('role', ''), ('team__isnull', False)), models.Q(models.Q(('role', ''), _negated=True), ('team__isnull', True)), _connector='OR'), name='rota_of_a_role_or_a_team'),
            ),
            migrations.AddConstraint(
                model_name='receivingaddress',
                constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('address'), name='one_row_per_receiving_address'),
            ),
            migrations.AddIndex(
                model_name='oncallshift',
                index=models.Index(fields=['role', 'starts_at', 'ends_at'], name='who_is_on_call'),
            ),
            migrations.AddConstraint(
                model_name='oncallshift',
                constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='shift_ends_after_start'),
            ),
            migrations.AddConstraint(
                model_name='oncallshift',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('role', ''), ('team__isnull', False)), models.Q(models.Q(('role', ''), _negated=True), ('team__isnull', True)), _connector='OR'), name='shift_of_a_role_or_a_team'),
            ),
            migrations.AddConstraint(
                model_name='oncallshift',
                constraint=models.UniqueConstraint(condition=models.Q(models.Q(('uid', ''), _negated=True), models.Q(('role', ''), _negated=True)), fields=('role', 'uid'), name='shift_of_a_role_imported_once'),
            ),
            migrations.AddConstraint(
                model_name='oncallshift',
                constraint=models.UniqueConstraint(condition=models.Q(models.Q(('uid', ''), _negated=True), ('role', '')), fields=('team', 'uid'), name='shift_of_a_team_imported_once'),
            ),
            migrations.AddIndex(
                model_name='mailbox',
                index=models.Index(condition=models.Q(('is_active', True)), fields=['next_poll_at'], name='mailboxes_to_poll'),
            ),
            migrations.AddConstraint(
                model_name='mailbox',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('afterwards', 'move'), _negated=True), models.Q(('move_to', ''), _negated=True), _connector='OR'), name='moved_mail_has_a_folder'),
            ),
            migrations.AddIndex(
                model_name='integration',
                index=models.Index(condition=models.Q(('beat_due_at__isnull', False)), fields=['beat_due_at'], name='heartbeats_that_are_due'),
            ),
            migrations.AddConstraint(
                model_name='integration',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'heartbeat'), _negated=True), ('expected_every_seconds__gt', 0), _connector='OR'), name='heartbeat_has_a_rhythm'),
            ),
            migrations.AddConstraint(
                model_name='alertrule',
                constraint=models.CheckConstraint(condition=models.Q(('impact__range', (1, 4)), ('urgency__range', (1, 4))), name='rule_levels_1_to_4'),
            ),
            migrations.AddConstraint(
                model_name='user',
                constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='one_account_per_email'),
            ),
            migrations.AddIndex(
                model_name='textcluster',
                index=models.Index(fields=['-last_at'], name='clusters_by_latest'),
            ),
            migrations.AddIndex(
                model_name='ticketclock',
                index=models.Index(condition=models.Q(('next_at__isnull', False)), fields=['next_at'], name='clocks_to_watch'),
            ),
            migrations.AddConstraint(
                model_name='ticketclock',
                constraint=models.UniqueConstraint(fields=('ticket', 'kind'), name='one_clock_of_a_kind'),
            ),
            migrations.AddConstraint(
                model_name='ticketclock',
                constraint=models.CheckConstraint(condition=models.Q(('next_at__isnull', True), models.Q(('ended_at__isnull', True), ('running_since__isnull', False)), _connector='OR'), name='only_a_running_clock_is_watched'),
            ),
            migrations.AddIndex(
                model_name='inboundmail',
                index=models.Index(condition=models.Q(('state', 'waiting')), fields=['next_attempt_at', 'id'], name='mails_to_process'),
            ),
            migrations.AddIndex(
                model_name='inboundmail',
                index=models.Index(fields=['state', '-id'], name='mails_by_state'),
            ),
            migrations.AddIndex(
                model_name='inboundmail',
                index=models.Index(fields=['sender', '-received_at'], name='mails_of_a_sender'),
            ),
            migrations.AddIndex(
                model_name='inboundmail',
                index=models.Index(condition=models.Q(('message_id', ''), _negated=True), fields=['message_id'], name='mails_by_message_id'),
            ),
            migrations.AddIndex(
                model_name='inboundmail',
                index=models.Index(fields=['sha256', '-received_at'], name='mails_that_came_twice'),
            ),
            migrations.AddIndex(
                model_name='inboundmail',
                index=models.Index(condition=models.Q(('ticket__isnull', False)), fields=['ticket', 'id'], name='mails_of_a_ticket'),
            ),
            migrations.AddConstraint(
                model_name='inboundmail',
                constraint=models.UniqueConstraint(condition=models.Q(('message_id', ''), _negated=True), fields=('message_id', 'sha256'), name='the_same_mail_once'),
            ),
            migrations.AddConstraint(
                model_name='inboundmail',
                constraint=models.UniqueConstraint(condition=models.Q(('uid__isnull', False)), fields=('mailbox', 'uid_validity', 'uid'), name='mail_of_a_mailbox_once'),
            ),
            migrations.AddConstraint(
                model_name='inboundmail',
                constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'ticket', 'comment', 'ignored', 'quarantined', 'parked', 'failed'])), name='mail_state_known'),
            ),
            migrations.AddConstraint(
                model_name='inboundmail',
                constraint=models.CheckConstraint(condition=models.Q(('state', 'waiting'), ('processed_at__isnull', False), _connector='OR'), name='processed_mail_has_time'),
            ),
            migrations.AddConstraint(
                model_name='ticketmerge',
                constraint=models.UniqueConstraint(condition=models.Q(('undone_at__isnull', True)), fields=('source',), name='merged_into_one_at_a_time'),
            ),
            migrations.AddConstraint(
                model_name='ticketreading',
                constraint=models.UniqueConstraint(fields=('ticket', 'user'), name='one_reading_per_ticket_and_person'),
            ),
            migrations.AddConstraint(
                model_name='ticketwatcher',
                constraint=models.UniqueConstraint(fields=('ticket', 'user'), name='watches_once'),
            ),
            migrations.AddIndex(
                model_name='timelineevent',
                index=models.Index(fields=['incident', '-at', '-id'], name='timeline_of_an_incident'),
            ),
            migrations.AddIndex(
                model_name='timelineevent',
                index=models.Index(condition=models.Q(('ticket__isnull', False)), fields=['ticket', 'id'], name='timeline_of_a_ticket'),
            ),
            migrations.AddIndex(
                model_name='timelineevent',
                index=models.Index(condition=models.Q(('problem__isnull', False)), fields=['problem', 'id'], name='timeline_of_a_problem'),
            ),
            migrations.AddIndex(
                model_name='timelineevent',
                index=models.Index(condition=models.Q(('change__isnull', False)), fields=['change', 'id'], name='timeline_of_a_change'),
            ),
            migrations.AddIndex(
                model_name='timelineevent',
                index=models.Index(condition=models.Q(('candidate__isnull', False)), fields=['candidate', 'id'], name='timeline_of_a_candidate'),
            ),
            migrations.AddConstraint(
                model_name='timelineevent',
                constraint=models.UniqueConstraint(condition=models.Q(('incident__isnull', False)), fields=('incident', 'seq'), name='timeline_without_twins'),
            ),
            migrations.AddConstraint(
                model_name='timelineevent',
                constraint=models.CheckConstraint(condition=models.Q(('incident__isnull', True), ('seq__isnull', False), _connector='OR'), name='timeline_is_numbered'),
            ),
            migrations.AddConstraint(
                model_name='entrymark',
                constraint=models.UniqueConstraint(fields=('event', 'kind'), name='marked_once_as_each'),
            ),
            migrations.AddIndex(
                model_name='decisionround',
                index=models.Index(condition=models.Q(('state', 'asking')), fields=['closes_at'], name='rounds_to_close'),
            ),
            migrations.AddConstraint(
                model_name='decisionround',
                constraint=models.CheckConstraint(condition=models.Q(('state__in', ['asking', 'stands', 'withdrawn'])), name='round_state_known'),
            ),
            migrations.AddConstraint(
                model_name='decisionround',
                constraint=models.CheckConstraint(condition=models.Q(('state', 'asking'), ('settled_at__isnull', False), _connector='OR'), name='settled_has_time'),
            ),
            migrations.AddConstraint(
                model_name='updatedraft',
                constraint=models.UniqueConstraint(fields=('incident', 'author'), name='one_draft_per_person_and_incident'),
            ),
            migrations.AddIndex(
                model_name='updatepromise',
                index=models.Index(condition=models.Q(('state', 'open')), fields=['due_at'], name='promises_to_watch'),
            ),
            migrations.AddConstraint(
                model_name='updatepromise',
                constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('incident',), name='one_open_promise'),
            ),
            migrations.AddConstraint(
                model_name='usualarrivals',
                constraint=models.UniqueConstraint(fields=('service', 'hour'), name='usual_once_per_hour', nulls_distinct=False),
            ),
            migrations.AddConstraint(
                model_name='usualarrivals',
                constraint=models.CheckConstraint(condition=models.Q(('hour__lt', 168)), name='hour_of_the_week'),
            ),
            migrations.AddIndex(
                model_name='arrival',
                index=models.Index(condition=models.Q(('looked_at__isnull', True)), fields=['ticket'], name='tickets_to_look_at'),
            ),
            migrations.AddIndex(
                model_name='arrival',
                index=models.Index(condition=models.Q(('cluster__isnull', False)), fields=['cluster', '-at'], name='tickets_of_a_cluster'),
            ),
            migrations.AddIndex(
                model_name='arrival',
                index=models.Index(condition=models.Q(('service__isnull', False)), fields=['service', '-at'], name='tickets_counted_for'),
            ),
            migrations.AddIndex(
                model_name='arrival',
                index=models.Index(fields=['at'], name='tickets_to_forget'),
            ),
        ]),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(add_default_rules, migrations.RunPython.noop),
    ]
