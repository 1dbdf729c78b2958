"""Which version of the verification judged an edited version, and what earlier ones said of it."""

import django.db.models.deletion
import django.db.models.functions.datetime
import writ_app.models.fields
from django.db import migrations, models

PROMISES = """
-- As for trajectories. What cannot be text in Postgres may stand in a finding that quotes a model.
CREATE FUNCTION writ_version_is_judged_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.judged_by := left(coalesce(writ_readable(NEW.verification) ->> 'version', ''), 20);
  RETURN NEW;
END $$;

CREATE TRIGGER review_item_says_judged_by BEFORE INSERT OR UPDATE OF verification, judged_by ON writ_app_reviewitem
FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION writ_version_is_judged_by();

UPDATE writ_app_reviewitem SET judged_by = '' WHERE parent_id IS NOT NULL;

CREATE TRIGGER earlier_judgement_is_append_only BEFORE UPDATE OR DELETE ON writ_app_earlierjudgement
FOR EACH ROW EXECUTE FUNCTION writ_refuse('A judgement is never changed or deleted.');
"""
NO_PROMISES = """
DROP TRIGGER earlier_judgement_is_append_only ON writ_app_earlierjudgement;
DROP TRIGGER review_item_says_judged_by ON writ_app_reviewitem;
DROP FUNCTION writ_version_is_judged_by();
"""


class Migration(migrations.Migration):
    dependencies = [("writ_app", "0020_filing")]

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
        migrations.AddField(
            model_name="reviewitem",
            name="judged_by",
            field=models.CharField(db_default="", editable=False, max_length=20),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                condition=models.Q(("parent__isnull", False)),
                fields=["team", "judged_by", "id"],
                name="item_made_judged_by",
            ),
        ),
        migrations.RunSQL(PROMISES, NO_PROMISES),
    ]
