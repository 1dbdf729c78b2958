"""Indexes of lists, and which saved view a person's list opens with."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('writ_app', '0014_review_items'),
    ]

    operations = [
        migrations.CreateModel(
            name='DefaultView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.RemoveIndex(
            model_name='reviewitem',
            name='item_newest',
        ),
        migrations.AddField(
            model_name='findrule',
            name='bulk',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rule', to='writ_app.bulkaction'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(fields=['team', '-id'], include=('environment', 'archetype', 'task_class', 'plan', 'agent', 'ended_by', 'batch', 'writes', 'burden', 'scripted', 'accepted', 'reason', 'status', 'canary', 'number', 'failed', 'kinds'), name='item_facets'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(fields=['team', '-uncertainty', '-id'], name='item_by_doubt'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(fields=['team', '-burden', '-id'], name='item_by_burden'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(django.db.models.functions.text.Left(django.db.models.functions.text.MD5('skeleton'), 12), name='item_by_shape'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=django.contrib.postgres.indexes.GinIndex(models.Func(models.F('skeleton'), models.Value(' '), function='string_to_array', output_field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField())), name='item_tools'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=django.contrib.postgres.indexes.GinIndex(fields=['failed'], name='item_failed'),
        ),
        migrations.AddField(
            model_name='defaultview',
            name='user',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='default_view', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='defaultview',
            name='view',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='writ_app.savedview'),
        ),
    ]
