"""Columns by which designed tasks are found; those of earlier tasks come out of their content."""

from django.db import migrations, models

# What an earlier WRIT did not write down yet counts as not so. A whole pass over the table, but each task is parsed once.
FROM_CONTENT = """
UPDATE writ_app_task SET
  lift = COALESCE((content->'companions'->>'lift')::smallint, 0),
  existential = COALESCE((content->>'existential')::boolean, false),
  dependent = COALESCE((content->>'dependent')::boolean, false),
  proved = NOT EXISTS (
    SELECT 1 FROM json_array_elements(content->'certificate') AS r WHERE r->>'witness' IS NULL
  );
"""


class Migration(migrations.Migration):
    dependencies = [("writ_app", "0006_paraphrases")]

    operations = [
        # Composed tasks are called by all their parts.
        migrations.AlterField(
            model_name="task", name="slug", field=models.CharField(max_length=200)
        ),
        migrations.AlterField(
            model_name="task", name="archetype", field=models.CharField(max_length=100)
        ),
        migrations.AlterField(
            model_name="task", name="title", field=models.CharField(max_length=1000)
        ),
        migrations.AddField(
            model_name="task", name="lift", field=models.SmallIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="task",
            name="existential",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="task", name="dependent", field=models.BooleanField(default=False)
        ),
        migrations.AddField(
            model_name="task", name="proved", field=models.BooleanField(default=False)
        ),
        migrations.RunSQL(FROM_CONTENT, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(fields=["writes", "burden"], name="task_by_cell"),
        ),
    ]
