"""What earlier versions of the verification said of edited versions."""

import django.db.models.deletion
import django.db.models.functions.datetime
import writ_app.models.fields
from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER earlier_judgement_is_append_only BEFORE UPDATE OR DELETE ON writ_app_earlierjudgement
FOR EACH ROW EXECUTE FUNCTION writ_refuse('A judgement is never changed or deleted.');
"""
NOT_APPEND_ONLY = (
    "DROP TRIGGER earlier_judgement_is_append_only ON writ_app_earlierjudgement;"
)


class Migration(migrations.Migration):
    dependencies = [("writ_app", "0019_clusters")]

    operations = [
        migrations.CreateModel(
            name="EarlierJudgement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("content", writ_app.models.fields.OrderedJSONField()),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="earlier_judgements",
                        to="writ_app.reviewitem",
                    ),
                ),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
    ]
