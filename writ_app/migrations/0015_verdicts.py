from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('writ_app', '0014_review_items'),
    ]

    operations = [
        migrations.AddField(
            model_name='reviewevent',
            name='submission',
            field=models.UUIDField(null=True, unique=True),
        ),
        migrations.AddField(
            model_name='reviewslot',
            name='shown_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(condition=models.Q(('status', 'OPEN')), fields=['team', 'writes', 'burden', 'id'], name='item_open_by_cell'),
        ),
    ]
