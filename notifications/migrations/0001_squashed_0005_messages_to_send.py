import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from incidents.made_together import MakeTogether


class Migration(migrations.Migration):
    """A new database is made in one step."""

    replaces = [
        ('notifications', '0001_initial'),
        ('notifications', '0002_summary_of_a_message'),
        ('notifications', '0003_paging'),
        ('notifications', '0003_status_page_and_queued_mail'),
        ('notifications', '0004_telling'),
        ('notifications', '0005_messages_to_send'),
    ]

    initial = True

    dependencies = [
        ('incidents', '0001_squashed_0019_kinds_of_events'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        MakeTogether([
            migrations.CreateModel(
                name='Heartbeat',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=64, unique=True)),
                    ('beaten_at', models.DateTimeField()),
                    ('allowed_seconds', models.PositiveIntegerField(default=30, help_text='Silent for longer, it counts as late.')),
                ],
            ),
            migrations.CreateModel(
                name='TextReply',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('provider_id', models.CharField(max_length=64, unique=True)),
                    ('number', models.CharField(max_length=20)),
                    ('text', models.CharField(blank=True, max_length=200)),
                    ('answer', models.CharField(blank=True, help_text='What was said in return.', max_length=320)),
                    ('received_at', models.DateTimeField()),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='ChannelAccount',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('last_ok_at', models.DateTimeField(blank=True, null=True)),
                    ('last_failed_at', models.DateTimeField(blank=True, null=True)),
                    ('last_failure', models.CharField(blank=True, max_length=500)),
                    ('failures_in_row', models.PositiveIntegerField(default=0)),
                    ('sealed', models.TextField(blank=True)),
                    ('channel', models.CharField(choices=[('email', 'E-mail'), ('in_app', 'In the product'), ('sms', 'SMS'), ('voice', 'Voice call'), ('web_push', 'Web push'), ('slack', 'Slack'), ('teams', 'Microsoft Teams'), ('mattermost', 'Mattermost'), ('matrix', 'Matrix'), ('telegram', 'Telegram'), ('ntfy', 'ntfy'), ('apprise', 'Other service')], max_length=12, unique=True)),
                    ('is_enabled', models.BooleanField(default=True)),
                    ('settings', models.JSONField(blank=True, default=dict)),
                    ('changed_at', models.DateTimeField()),
                    ('changed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['channel'],
                },
            ),
            migrations.CreateModel(
                name='ChannelChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('channel', models.CharField(choices=[('email', 'E-mail'), ('in_app', 'In the product'), ('sms', 'SMS'), ('voice', 'Voice call'), ('web_push', 'Web push'), ('slack', 'Slack'), ('teams', 'Microsoft Teams'), ('mattermost', 'Mattermost'), ('matrix', 'Matrix'), ('telegram', 'Telegram'), ('ntfy', 'ntfy'), ('apprise', 'Other service')], max_length=12)),
                    ('what', models.CharField(max_length=500)),
                    ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='ContactPoint',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('last_ok_at', models.DateTimeField(blank=True, null=True)),
                    ('last_failed_at', models.DateTimeField(blank=True, null=True)),
                    ('last_failure', models.CharField(blank=True, max_length=500)),
                    ('failures_in_row', models.PositiveIntegerField(default=0)),
                    ('sealed', models.TextField(blank=True)),
                    ('channel', models.CharField(choices=[('email', 'E-mail'), ('in_app', 'In the product'), ('sms', 'SMS'), ('voice', 'Voice call'), ('web_push', 'Web push'), ('slack', 'Slack'), ('teams', 'Microsoft Teams'), ('mattermost', 'Mattermost'), ('matrix', 'Matrix'), ('telegram', 'Telegram'), ('ntfy', 'ntfy'), ('apprise', 'Other service')], max_length=12)),
                    ('address', models.CharField(max_length=254)),
                    ('position', models.PositiveSmallIntegerField(default=1, help_text='Smaller is tried first.')),
                    ('takes_messages', models.BooleanField(default=False, help_text='Updates and questions, not only pages.')),
                    ('page_after_minutes', models.PositiveSmallIntegerField(default=0, help_text='A page rings here so long after it began, unless somebody answered.')),
                    ('verified_at', models.DateTimeField(blank=True, null=True)),
                    ('code_hash', models.CharField(blank=True, max_length=128)),
                    ('code_sent_at', models.DateTimeField(blank=True, null=True)),
                    ('code_attempts', models.PositiveSmallIntegerField(default=0)),
                    ('stopped_at', models.DateTimeField(blank=True, help_text='When its owner answered STOP; nothing is sent until it is verified again.', null=True)),
                    ('created_at', models.DateTimeField()),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contact_points', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['position', 'id'],
                },
            ),
            migrations.CreateModel(
                name='ContactMessage',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('channel', models.CharField(choices=[('email', 'E-mail'), ('in_app', 'In the product'), ('sms', 'SMS'), ('voice', 'Voice call'), ('web_push', 'Web push'), ('slack', 'Slack'), ('teams', 'Microsoft Teams'), ('mattermost', 'Mattermost'), ('matrix', 'Matrix'), ('telegram', 'Telegram'), ('ntfy', 'ntfy'), ('apprise', 'Other service')], max_length=12)),
                    ('address', models.CharField(max_length=254)),
                    ('kind', models.CharField(choices=[('code', 'Code'), ('test', 'Test')], max_length=4)),
                    ('sealed', models.TextField(blank=True)),
                    ('asked_at', models.DateTimeField()),
                    ('next_attempt_at', models.DateTimeField()),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('sent_at', models.DateTimeField(blank=True, null=True)),
                    ('given_up_at', models.DateTimeField(blank=True, null=True)),
                    ('provider_id', models.CharField(blank=True, max_length=120)),
                    ('answer', models.CharField(blank=True, help_text='What the provider said last.', max_length=500)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('contact', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='notifications.contactpoint')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='ContactSettings',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('email_position', models.PositiveSmallIntegerField(default=0, help_text="Where the account's e-mail stands.")),
                    ('quiet_from', models.TimeField(blank=True, null=True)),
                    ('quiet_until', models.TimeField(blank=True, null=True)),
                    ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='contact_settings', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='Destination',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('last_ok_at', models.DateTimeField(blank=True, null=True)),
                    ('last_failed_at', models.DateTimeField(blank=True, null=True)),
                    ('last_failure', models.CharField(blank=True, max_length=500)),
                    ('failures_in_row', models.PositiveIntegerField(default=0)),
                    ('sealed', models.TextField(blank=True)),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('channel', models.CharField(choices=[('email', 'E-mail'), ('in_app', 'In the product'), ('sms', 'SMS'), ('voice', 'Voice call'), ('web_push', 'Web push'), ('slack', 'Slack'), ('teams', 'Microsoft Teams'), ('mattermost', 'Mattermost'), ('matrix', 'Matrix'), ('telegram', 'Telegram'), ('ntfy', 'ntfy'), ('apprise', 'Other service')], max_length=12)),
                    ('address', models.CharField(blank=True, max_length=254)),
                    ('audiences', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('technical', 'Technical team'), ('management', 'Management'), ('key_stakeholders', 'Key stakeholders'), ('users', 'Users')], max_length=20), default=list, size=None)),
                    ('severities', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=4), blank=True, default=list, size=None)),
                    ('is_enabled', models.BooleanField(default=True)),
                    ('changed_at', models.DateTimeField()),
                    ('added_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('services', models.ManyToManyField(blank=True, related_name='+', to='incidents.service')),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='EscalationPolicy',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('occasion', models.CharField(choices=[('candidate', 'A candidate is raised'), ('hotline', 'The hotline suspects a major incident'), ('command', 'A major incident has no manager, or was declared automatically')], max_length=12, unique=True)),
                    ('steps', models.JSONField(default=list)),
                    ('repeat', models.PositiveSmallIntegerField(default=0, help_text='How often it begins again from the first step.')),
                    ('changed_at', models.DateTimeField()),
                    ('changed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='FanOut',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('after_user', models.BigIntegerField(default=0)),
                    ('after_address', models.CharField(blank=True, max_length=254)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('event', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.timelineevent')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='Message',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('moment', models.CharField(max_length=32)),
                    ('audience', models.CharField(blank=True, max_length=20)),
                    ('subject', models.CharField(max_length=250)),
                    ('summary', models.TextField(blank=True, help_text='The body alone, for the inbox.')),
                    ('short', models.TextField(blank=True, help_text='One line with its link, for SMS and chat.')),
                    ('text', models.TextField()),
                    ('html', models.TextField()),
                    ('url', models.CharField(blank=True, max_length=500)),
                    ('worded_at', models.DateTimeField(auto_now_add=True)),
                    ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.timelineevent')),
                ],
            ),
            migrations.CreateModel(
                name='Delivery',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('address', models.CharField(help_text='E-mail address or number; user-N inside the product, contact-N or destination-N where it is secret.', max_length=254)),
                    ('channel', models.CharField(choices=[('email', 'E-mail'), ('in_app', 'In the product'), ('sms', 'SMS'), ('voice', 'Voice call'), ('web_push', 'Web push'), ('slack', 'Slack'), ('teams', 'Microsoft Teams'), ('mattermost', 'Mattermost'), ('matrix', 'Matrix'), ('telegram', 'Telegram'), ('ntfy', 'ntfy'), ('apprise', 'Other service')], max_length=12)),
                    ('provider_id', models.CharField(blank=True, help_text='What the provider calls it; receipts and answers name it.', max_length=120)),
                    ('moment', models.CharField(max_length=32)),
                    ('audience', models.CharField(blank=True, choices=[('technical', 'Technical team'), ('management', 'Management'), ('key_stakeholders', 'Key stakeholders'), ('users', 'Users')], max_length=20)),
                    ('audiences', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('technical', 'Technical team'), ('management', 'Management'), ('key_stakeholders', 'Key stakeholders'), ('users', 'Users')], max_length=20), default=list, size=None)),
                    ('message_id', models.CharField(help_text='The same however often it is sent.', max_length=120)),
                    ('priority', models.PositiveSmallIntegerField(default=5, help_text='0 leaves first.')),
                    ('state', models.CharField(choices=[('queued', 'Queued'), ('sending', 'Sending'), ('delivered', 'Delivered'), ('failed', 'Failed'), ('suppressed', 'Suppressed')], default='queued', max_length=10)),
                    ('attempts', models.PositiveIntegerField(default=0)),
                    ('queued_at', models.DateTimeField()),
                    ('next_attempt_at', models.DateTimeField()),
                    ('valid_until', models.DateTimeField(help_text='Not sent any more after this.')),
                    ('lease', models.UUIDField(help_text='Who is sending it.', null=True)),
                    ('lease_until', models.DateTimeField(help_text='Somebody else may send it after this.', null=True)),
                    ('held_until', models.DateTimeField(help_text='Held back in a storm; goes out in a digest then.', null=True)),
                    ('acknowledgement_wanted_by', models.DateTimeField(help_text='By when the communication plan wants it acknowledged.', null=True)),
                    ('delivered_at', models.DateTimeField(null=True)),
                    ('answer', models.TextField(blank=True, help_text='What the provider said last.')),
                    ('reason', models.TextField(blank=True, help_text='Why it failed, waits or was held back, in words.')),
                    ('receipt', models.CharField(blank=True, help_text='What the provider said of it later.', max_length=250)),
                    ('receipt_at', models.DateTimeField(null=True)),
                    ('acknowledged_at', models.DateTimeField(help_text='When the person said that they have read it.', null=True)),
                    ('acknowledged_how', models.CharField(blank=True, help_text='By which way, in words.', max_length=60)),
                    ('reminded_at', models.DateTimeField(help_text='When the missing acknowledgement was asked for again.', null=True)),
                    ('escalated_at', models.DateTimeField(help_text='When it was reported as missing to the desk manager.', null=True)),
                    ('resent_at', models.DateTimeField(help_text='When somebody had it sent once more.', null=True)),
                    ('resend_reason', models.CharField(blank=True, max_length=250)),
                    ('acknowledged_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('contact', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='notifications.contactpoint')),
                    ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.timelineevent')),
                    ('incident', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.majorincident')),
                    ('instead_of', models.ForeignKey(blank=True, db_index=False, help_text='The failed one it follows.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='notifications.delivery')),
                    ('recipient', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('resent_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('destination', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='notifications.destination')),
                    ('wording', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='notifications.message')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='Notice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=250)),
                    ('text', models.TextField()),
                    ('url', models.CharField(blank=True, max_length=500)),
                    ('created_at', models.DateTimeField()),
                    ('read_at', models.DateTimeField(blank=True, null=True)),
                    ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.timelineevent')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='Page',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('occasion', models.CharField(choices=[('candidate', 'A candidate is raised'), ('hotline', 'The hotline suspects a major incident'), ('command', 'A major incident has no manager, or was declared automatically')], max_length=12)),
                    ('plan', models.JSONField()),
                    ('state', models.CharField(choices=[('paging', 'Paging'), ('answered', 'Answered'), ('ended', 'Ended'), ('unanswered', 'Nobody answered')], default='paging', max_length=10)),
                    ('round', models.PositiveSmallIntegerField(default=0)),
                    ('step', models.PositiveSmallIntegerField(default=0, help_text='Taken next.')),
                    ('started_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('reason', models.CharField(blank=True, help_text='Why it ended, in words.', max_length=200)),
                    ('alarmed_at', models.DateTimeField(help_text='When somebody was told that a step is late.', null=True)),
                    ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('candidate', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.candidate')),
                    ('event', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.timelineevent')),
                    ('incident', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='PageCall',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('round', models.PositiveSmallIntegerField()),
                    ('step', models.PositiveSmallIntegerField()),
                    ('why', models.CharField(max_length=200)),
                    ('state', models.CharField(choices=[('called', 'Called'), ('knows', 'Knows already'), ('answered', 'Answered'), ('passed_on', 'Passed on')], default='called', max_length=10)),
                    ('called_at', models.DateTimeField()),
                    ('answered_at', models.DateTimeField(null=True)),
                    ('event', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.timelineevent')),
                    ('page', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='notifications.page')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='PlaceThread',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('room', models.CharField(blank=True, max_length=254)),
                    ('head', models.CharField(max_length=254)),
                    ('begun_at', models.DateTimeField()),
                    ('begun_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.timelineevent')),
                    ('destination', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='threads', to='notifications.destination')),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.majorincident')),
                ],
            ),
            migrations.CreateModel(
                name='PlaceAnswer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('thread', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='answers', to='notifications.placethread')),
                ],
                options={
                    'ordering': ['at', 'id'],
                },
            ),
            migrations.CreateModel(
                name='PublicWord',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('digest', models.CharField(max_length=64)),
                    ('is_over', models.BooleanField(default=False)),
                    ('is_withdrawn', models.BooleanField(default=False)),
                    ('told_at', models.DateTimeField()),
                    ('incident', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.majorincident')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='QueuedMail',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('address', models.CharField(max_length=254)),
                    ('subject', models.CharField(max_length=250)),
                    ('sealed', models.TextField(blank=True)),
                    ('queued_at', models.DateTimeField()),
                    ('next_attempt_at', models.DateTimeField()),
                    ('attempts', models.PositiveIntegerField(default=0)),
                    ('sent_at', models.DateTimeField(blank=True, null=True)),
                    ('given_up_at', models.DateTimeField(blank=True, null=True)),
                    ('reason', models.TextField(blank=True)),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(condition=models.Q(('given_up_at__isnull', True), ('sent_at__isnull', True)), fields=['next_attempt_at', 'id'], name='mails_to_send')],
                },
            ),
            migrations.CreateModel(
                name='StatusSubscriber',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('email', models.EmailField(help_text='In small letters.', max_length=254, unique=True)),
                    ('asked_at', models.DateTimeField()),
                    ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('services', models.ManyToManyField(blank=True, related_name='+', to='incidents.service')),
                ],
                options={
                    'ordering': ['email'],
                },
            ),
            migrations.CreateModel(
                name='Subscription',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('email', models.EmailField(blank=True, max_length=254)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.majorincident')),
                    ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='TemplateVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('moment', models.CharField(max_length=32)),
                    ('audience', models.CharField(blank=True, choices=[('technical', 'Technical team'), ('management', 'Management'), ('key_stakeholders', 'Key stakeholders'), ('users', 'Users')], max_length=20)),
                    ('number', models.PositiveIntegerField()),
                    ('subject', models.TextField(blank=True)),
                    ('short', models.TextField(blank=True)),
                    ('text', models.TextField(blank=True)),
                    ('is_shipped', models.BooleanField(default=False)),
                    ('note', models.TextField(blank=True)),
                    ('created_at', models.DateTimeField()),
                    ('failed_at', models.DateTimeField(null=True)),
                    ('failure', models.TextField(blank=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-number'],
                },
            ),
            migrations.CreateModel(
                name='Webhook',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=120)),
                    ('url', models.CharField(max_length=2000)),
                    ('sealed_secret', models.TextField()),
                    ('old_sealed_secret', models.TextField(blank=True)),
                    ('old_secret_until', models.DateTimeField(blank=True, null=True)),
                    ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                    ('severities', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=4), blank=True, default=list, size=None)),
                    ('include_drills', models.BooleanField(default=False)),
                    ('is_enabled', models.BooleanField(default=True)),
                    ('off_reason', models.CharField(blank=True, help_text='Why it was switched off by itself.', max_length=300)),
                    ('is_public', models.BooleanField(default=False, help_text='A subscription of the status page.')),
                    ('created_at', models.DateTimeField()),
                    ('last_tried_at', models.DateTimeField(blank=True, null=True)),
                    ('last_status', models.PositiveSmallIntegerField(blank=True, help_text='HTTP; None: nobody answered.', null=True)),
                    ('last_answer', models.CharField(blank=True, help_text='What went wrong last, in words.', max_length=300)),
                    ('last_delivered_at', models.DateTimeField(blank=True, null=True)),
                    ('failing_since', models.DateTimeField(blank=True, null=True)),
                    ('failures', models.PositiveIntegerField(default=0)),
                    ('not_before', models.DateTimeField(blank=True, null=True)),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('services', models.ManyToManyField(blank=True, related_name='+', to='incidents.service')),
                ],
                options={
                    'ordering': ['name', 'id'],
                },
            ),
            migrations.CreateModel(
                name='StatusEndpoint',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('asked_at', models.DateTimeField()),
                    ('asked_from', models.CharField(max_length=64)),
                    ('challenge', models.CharField(blank=True, max_length=64)),
                    ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                    ('webhook', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='endpoint', to='notifications.webhook')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='WebhookMessage',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('message_id', models.CharField(max_length=64, unique=True)),
                    ('type', models.CharField(max_length=64)),
                    ('body', models.TextField(blank=True)),
                    ('is_trial', models.BooleanField(default=False)),
                    ('state', models.CharField(choices=[('queued', 'Queued'), ('sending', 'Sending'), ('delivered', 'Delivered'), ('failed', 'Failed')], default='queued', max_length=10)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('queued_at', models.DateTimeField()),
                    ('next_attempt_at', models.DateTimeField()),
                    ('lease', models.UUIDField(help_text='Who is sending it.', null=True)),
                    ('lease_until', models.DateTimeField(help_text='Somebody else may send it after this.', null=True)),
                    ('delivered_at', models.DateTimeField(null=True)),
                    ('status', models.PositiveSmallIntegerField(help_text='HTTP, of the last try; None: nobody answered.', null=True)),
                    ('answer', models.CharField(blank=True, help_text='How the last answer began.', max_length=500)),
                    ('reason', models.CharField(blank=True, help_text='Why it waits or failed, in words.', max_length=500)),
                    ('event', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.timelineevent')),
                    ('webhook', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='messages', to='notifications.webhook')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.AddIndex(
                model_name='contactpoint',
                index=models.Index(fields=['channel', 'address'], name='whose_number_is_it'),
            ),
            migrations.AddConstraint(
                model_name='contactpoint',
                constraint=models.UniqueConstraint(fields=('user', 'channel', 'address'), name='contact_point_once_per_person'),
            ),
            migrations.AddIndex(
                model_name='contactmessage',
                index=models.Index(fields=['user', '-asked_at'], name='codes_of_a_person'),
            ),
            migrations.AddIndex(
                model_name='contactmessage',
                index=models.Index(condition=models.Q(('given_up_at__isnull', True), ('sent_at__isnull', True)), fields=['next_attempt_at', 'id'], name='codes_to_send'),
            ),
            migrations.AddIndex(
                model_name='contactmessage',
                index=models.Index(condition=models.Q(('provider_id', ''), _negated=True), fields=['provider_id'], name='codes_by_provider_id'),
            ),
            migrations.AddConstraint(
                model_name='contactsettings',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('quiet_from__isnull', True), ('quiet_until__isnull', True)), models.Q(('quiet_from__isnull', False), ('quiet_until__isnull', False)), _connector='OR'), name='quiet_hours_have_both_ends'),
            ),
            migrations.AddIndex(
                model_name='fanout',
                index=models.Index(condition=models.Q(('finished_at__isnull', True)), fields=['id'], name='fan_outs_to_finish'),
            ),
            migrations.AddConstraint(
                model_name='message',
                constraint=models.UniqueConstraint(fields=('event', 'moment', 'audience'), name='one_wording_per_event_and_audience'),
            ),
            migrations.AddIndex(
                model_name='delivery',
                index=models.Index(condition=models.Q(('state__in', ['queued', 'sending'])), fields=['channel', 'priority', 'next_attempt_at'], name='deliveries_to_send'),
            ),
            migrations.AddIndex(
                model_name='delivery',
                index=models.Index(fields=['incident', 'moment', 'state'], name='deliveries_of_an_incident'),
            ),
            migrations.AddIndex(
                model_name='delivery',
                index=models.Index(fields=['recipient', '-id'], name='deliveries_of_a_person'),
            ),
            migrations.AddIndex(
                model_name='delivery',
                index=models.Index(fields=['state', '-id'], name='deliveries_by_state'),
            ),
            migrations.AddIndex(
                model_name='delivery',
                index=models.Index(fields=['address', 'channel', '-delivered_at'], name='deliveries_in_a_storm'),
            ),
            migrations.AddIndex(
                model_name='delivery',
                index=models.Index(condition=models.Q(('acknowledged_at', None), ('acknowledgement_wanted_by__isnull', False), ('escalated_at', None)), fields=['acknowledgement_wanted_by'], name='deliveries_to_chase'),
            ),
            migrations.AddIndex(
                model_name='delivery',
                index=models.Index(condition=models.Q(('contact__isnull', False)), fields=['contact'], name='deliveries_to_a_contact_point'),
            ),
            migrations.AddIndex(
                model_name='delivery',
                index=models.Index(condition=models.Q(('destination__isnull', False)), fields=['destination', '-id'], name='deliveries_to_a_place'),
            ),
            migrations.AddIndex(
                model_name='delivery',
                index=models.Index(condition=models.Q(('provider_id', ''), _negated=True), fields=['provider_id'], name='deliveries_by_provider_id'),
            ),
            migrations.AddConstraint(
                model_name='delivery',
                constraint=models.UniqueConstraint(fields=('event', 'channel', 'address'), name='told_once_per_event_and_address'),
            ),
            migrations.AddConstraint(
                model_name='delivery',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'delivered'), _negated=True), ('delivered_at__isnull', False), _connector='OR'), name='delivered_has_time'),
            ),
            migrations.AddConstraint(
                model_name='delivery',
                constraint=models.CheckConstraint(condition=models.Q(('receipt', ''), ('receipt_at__isnull', False), _connector='OR'), name='receipt_has_time'),
            ),
            migrations.AddIndex(
                model_name='notice',
                index=models.Index(fields=['user', '-id'], name='inbox_of_a_person'),
            ),
            migrations.AddIndex(
                model_name='notice',
                index=models.Index(condition=models.Q(('read_at__isnull', True)), fields=['user'], name='unread_of_a_person'),
            ),
            migrations.AddConstraint(
                model_name='notice',
                constraint=models.UniqueConstraint(fields=('event', 'user'), name='one_notice_per_event_and_person'),
            ),
            migrations.AddIndex(
                model_name='page',
                index=models.Index(condition=models.Q(('state', 'paging')), fields=['due_at'], name='pages_due'),
            ),
            migrations.AddIndex(
                model_name='page',
                index=models.Index(fields=['candidate', '-id'], name='pages_of_a_candidate'),
            ),
            migrations.AddIndex(
                model_name='page',
                index=models.Index(fields=['incident', '-id'], name='pages_of_an_incident'),
            ),
            migrations.AddConstraint(
                model_name='page',
                constraint=models.UniqueConstraint(condition=models.Q(('state', 'paging')), fields=('candidate',), name='one_page_at_a_time_per_candidate'),
            ),
            migrations.AddConstraint(
                model_name='page',
                constraint=models.UniqueConstraint(condition=models.Q(('state', 'paging')), fields=('incident',), name='one_page_at_a_time_per_incident'),
            ),
            migrations.AddConstraint(
                model_name='page',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('candidate__isnull', False), ('incident__isnull', True)), models.Q(('candidate__isnull', True), ('incident__isnull', False)), _connector='OR'), name='page_about_one_record'),
            ),
            migrations.AddConstraint(
                model_name='page',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('due_at__isnull', False), ('state', 'paging')), models.Q(models.Q(('state', 'paging'), _negated=True), ('due_at__isnull', True)), _connector='OR'), name='paging_has_a_due_time'),
            ),
            migrations.AddIndex(
                model_name='pagecall',
                index=models.Index(fields=['event', 'person'], name='calls_of_an_event'),
            ),
            migrations.AddConstraint(
                model_name='pagecall',
                constraint=models.UniqueConstraint(fields=('page', 'round', 'step', 'person'), name='called_once_per_step'),
            ),
            migrations.AddConstraint(
                model_name='placethread',
                constraint=models.UniqueConstraint(fields=('destination', 'incident'), name='one_thread_per_place_and_incident'),
            ),
            migrations.AddConstraint(
                model_name='placeanswer',
                constraint=models.UniqueConstraint(fields=('thread', 'person'), name='one_answer_per_person_and_thread'),
            ),
            migrations.AddIndex(
                model_name='publicword',
                index=models.Index(condition=models.Q(('is_withdrawn', False)), fields=['incident'], name='words_that_may_be_withdrawn'),
            ),
            migrations.AddIndex(
                model_name='statussubscriber',
                index=models.Index(condition=models.Q(('confirmed_at__isnull', True), ('ended_at__isnull', True)), fields=['asked_at'], name='subscribers_to_forget'),
            ),
            migrations.AddConstraint(
                model_name='subscription',
                constraint=models.UniqueConstraint(condition=models.Q(('user__isnull', False)), fields=('incident', 'user'), name='person_subscribes_once'),
            ),
            migrations.AddConstraint(
                model_name='subscription',
                constraint=models.UniqueConstraint(condition=models.Q(('user__isnull', True)), fields=('incident', 'email'), name='address_subscribes_once'),
            ),
            migrations.AddConstraint(
                model_name='subscription',
                constraint=models.CheckConstraint(condition=models.Q(('user__isnull', False), models.Q(('email', ''), _negated=True), _connector='OR'), name='subscriber_is_known'),
            ),
            migrations.AddConstraint(
                model_name='templateversion',
                constraint=models.UniqueConstraint(fields=('moment', 'audience', 'number'), name='template_version_once'),
            ),
            migrations.AddConstraint(
                model_name='webhook',
                constraint=models.UniqueConstraint(condition=models.Q(('is_public', False)), fields=('name',), name='webhook_has_its_own_name'),
            ),
            migrations.AddConstraint(
                model_name='webhook',
                constraint=models.UniqueConstraint(condition=models.Q(('is_public', True)), fields=('url',), name='endpoint_follows_once'),
            ),
            migrations.AddConstraint(
                model_name='webhook',
                constraint=models.CheckConstraint(condition=models.Q(models.Q(('is_public', True), ('owner__isnull', True)), models.Q(('is_public', False), ('owner__isnull', False)), _connector='OR'), name='webhook_belongs_to_somebody'),
            ),
            migrations.AddIndex(
                model_name='statusendpoint',
                index=models.Index(fields=['asked_at'], name='endpoints_by_asking'),
            ),
            migrations.AddIndex(
                model_name='webhookmessage',
                index=models.Index(fields=['webhook', '-id'], name='messages_of_a_webhook'),
            ),
            migrations.AddIndex(
                model_name='webhookmessage',
                index=models.Index(condition=models.Q(('state__in', ['queued', 'sending'])), fields=['webhook', 'id'], name='webhooks_to_send'),
            ),
            migrations.AddIndex(
                model_name='webhookmessage',
                index=models.Index(fields=['queued_at'], name='webhook_messages_to_forget'),
            ),
            migrations.AddConstraint(
                model_name='webhookmessage',
                constraint=models.UniqueConstraint(fields=('webhook', 'event'), name='one_message_per_webhook_and_event'),
            ),
        ]),
    ]
