"""The mode of a stored world. Until now every one was loaded as strict, though our own airlines were made corrected."""

from django.db import migrations, models

OWN_AIRLINES = """
UPDATE writ_app_environment SET mode = 'corrected' WHERE name = 'airline' AND origin LIKE 'generated%';
"""


class Migration(migrations.Migration):
    dependencies = [("writ_app", "0003_reference_trajectories")]

    operations = [
        migrations.AddField(
            model_name="environment",
            name="mode",
            field=models.CharField(
                choices=[("strict", "strict"), ("corrected", "corrected")],
                default="strict",
                max_length=20,
            ),
        ),
        migrations.RunSQL(OWN_AIRLINES, migrations.RunSQL.noop),
    ]
