from datetime import UTC, datetime

from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations


def carry_over(apps, schema_editor):
    """Who is signed in stays so: sessions go over under their keys. Those of processes of the release before are made by it, and not seen."""
    old = apps.get_model("sessions", "Session")
    new = apps.get_model("writ_app", "Session")
    people = set(apps.get_model("writ_app", "User").objects.values_list("pk", flat=True))
    now = datetime.now(UTC)
    rows = []
    for session in old.objects.filter(expire_date__gt=now).iterator():
        told = str(SessionStore().decode(session.session_data).get("_auth_user_id", ""))
        user = int(told) if told.isdigit() else None
        if user in people:
            rows.append(
                new(
                    session_key=session.session_key,
                    session_data=session.session_data,
                    expire_date=session.expire_date,
                    user_id=user,
                    created_at=now,
                    seen_at=now,
                )
            )
    new.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("writ_app", "0030_members_and_sessions"),
        ("sessions", "0001_initial"),
    ]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
