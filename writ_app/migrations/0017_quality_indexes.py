"""Indexes for the few items that statistics of quality are about: canaries, and what two people judge."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("writ_app", "0016_edits"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                condition=models.Q(("canary", ""), _negated=True),
                fields=["team"],
                name="item_canaries",
            ),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                condition=models.Q(("wanted__gt", 1)),
                fields=["team", "-id"],
                name="item_twice",
            ),
        ),
    ]
