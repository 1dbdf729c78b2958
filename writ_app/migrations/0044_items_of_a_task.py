"""What else was simulated of a task, newest first: two hundred of them are read, however many there are.

In one transaction, which a lock that others hold ends without a trace: made beside others it would leave half an index behind. Writers
wait for it: a second for each million items.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("writ_app", "0043_evaluation_imports")]

    operations = [
        migrations.AddIndex(
            "reviewitem", models.Index(fields=["task", "-id"], name="item_of_task")
        ),
        migrations.RemoveIndex("reviewitem", "item_by_task"),
    ]
