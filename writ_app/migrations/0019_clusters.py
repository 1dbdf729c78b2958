"""What is alike: items with the same tools in the same order, of the same class, grounded and failing in the same ways."""

from django.db import migrations, models
from django.db.models import Func, Q

from writ_app.models.fields import ComputedField

FUNCTION = r"""
-- array_to_string is immutable for text, though not for everything that it takes.
CREATE FUNCTION writ_cluster(environment text, task_class text, skeleton text, kinds varchar[], failed varchar[])
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT md5(environment || E'\n' || task_class || E'\n' || skeleton || E'\n' || array_to_string(kinds, ' ')
    || E'\n' || array_to_string(failed, ' '))
$$;
"""
DROP = "DROP FUNCTION writ_cluster(text, text, text, varchar[], varchar[]);"


class Migration(migrations.Migration):
    dependencies = [("writ_app", "0018_lists")]

    operations = [
        migrations.RunSQL(FUNCTION, DROP),
        migrations.AddField(
            model_name="reviewitem",
            name="cluster",
            field=ComputedField(
                db_persist=True,
                expression=Func(
                    "environment",
                    "task_class",
                    "skeleton",
                    "kinds",
                    "failed",
                    function="writ_cluster",
                ),
                output_field=models.CharField(db_collation="C", max_length=32),
            ),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                fields=["team", "cluster", "-id"],
                include=[
                    "status",
                    "environment",
                    "batch",
                    "accepted",
                    "number",
                    "writes",
                    "burden",
                    "plan",
                    "archetype",
                ],
                condition=Q(canary=""),
                name="item_by_cluster",
            ),
        ),
    ]
