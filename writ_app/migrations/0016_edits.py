"""Drafts of edits, and what became of the versions they made."""

import django.db.models.deletion
import django.db.models.functions.datetime
import writ_app.models.fields
from django.conf import settings
from django.db import migrations, models


PROMISES = """
CREATE TRIGGER version_event_is_append_only BEFORE UPDATE OR DELETE ON writ_app_versionevent
FOR EACH ROW EXECUTE FUNCTION writ_refuse('An event of a version is never changed or deleted.');

-- Whatever is made from a canary is one: it can be exported no more than the canary itself.
CREATE FUNCTION writ_version_inherits_canary() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.canary = '' THEN
    NEW.canary := coalesce((SELECT canary FROM writ_app_reviewitem WHERE id = NEW.parent_id), '');
  END IF;
  RETURN NEW;
END $$;

-- Named to come before review_item_is_found_by, which looks at the canary.
CREATE TRIGGER review_item_inherits_canary BEFORE INSERT ON writ_app_reviewitem
FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION writ_version_inherits_canary();

-- Out of the queue, and out of the hands of whoever looks at it now: their token is old.
CREATE FUNCTION writ_version_is_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE writ_app_reviewslot SET token = token + 1, leased_by_id = NULL, leased_until = NULL
  WHERE item_id = NEW.item_id AND status = 'OPEN';
  PERFORM 1 FROM writ_app_reviewslot WHERE item_id = NEW.item_id AND status <> 'OPEN';
  IF FOUND THEN
    RAISE EXCEPTION 'A version that has a verdict is not withdrawn.' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE writ_app_reviewitem SET wanted = 0, status = '' WHERE id = NEW.item_id;
  RETURN NULL;
END $$;

CREATE TRIGGER version_is_withdrawn AFTER INSERT ON writ_app_versionevent
FOR EACH ROW WHEN (NEW.act = 'WITHDRAWN') EXECUTE FUNCTION writ_version_is_withdrawn();

-- Undoing a verdict undoes the version that came with it, unless somebody has judged that since.
CREATE FUNCTION writ_version_goes_with_its_verdict() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO writ_app_versionevent (item_id, act, by_id)
  SELECT saved.item_id, 'WITHDRAWN', NEW.reviewer_id FROM writ_app_versionevent AS saved
  WHERE saved.verdict_id = NEW.withdraws_id
    AND NOT EXISTS (SELECT FROM writ_app_reviewslot AS slot WHERE slot.item_id = saved.item_id AND slot.status <> 'OPEN')
  ON CONFLICT (item_id, act) DO NOTHING;
  RETURN NULL;
END $$;

CREATE TRIGGER version_goes_with_its_verdict AFTER INSERT ON writ_app_reviewevent
FOR EACH ROW WHEN (NEW.withdraws_id IS NOT NULL) EXECUTE FUNCTION writ_version_goes_with_its_verdict();
"""

NO_PROMISES = """
DROP TRIGGER version_goes_with_its_verdict ON writ_app_reviewevent;
DROP TRIGGER review_item_inherits_canary ON writ_app_reviewitem;
DROP TRIGGER version_is_withdrawn ON writ_app_versionevent;
DROP TRIGGER version_event_is_append_only ON writ_app_versionevent;
DROP FUNCTION writ_version_goes_with_its_verdict();
DROP FUNCTION writ_version_is_withdrawn();
DROP FUNCTION writ_version_inherits_canary();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("writ_app", "0015_verdicts"),
    ]

    operations = [
        migrations.CreateModel(
            name="EditDraft",
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
                ("changes", writ_app.models.fields.OrderedJSONField(default=list)),
                (
                    "reason",
                    models.TextField(blank=True, db_default="", max_length=2000),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drafts",
                        to="writ_app.reviewitem",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="edit_drafts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("item", "user"), name="edit_draft_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="VersionEvent",
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
                (
                    "act",
                    models.CharField(
                        choices=[("SAVED", "saved"), ("WITHDRAWN", "withdrawn")],
                        max_length=10,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="version_events",
                        to="writ_app.reviewitem",
                    ),
                ),
                (
                    "verdict",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="writ_app.reviewevent",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("item", "act"), name="version_act_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("act", "SAVED"), ("verdict", None), _connector="OR"
                        ),
                        name="version_verdict_only_when_saved",
                    ),
                ],
            },
        ),
        migrations.RunSQL(PROMISES, NO_PROMISES),
    ]
