from django.db import migrations


def give_to_the_only_team(apps, schema_editor):
    """Models of a site with one team were that team's in all but name. With several, nobody can tell: they stay the site's."""
    teams = list(apps.get_model("writ_app", "Team").objects.all()[:2])
    if len(teams) == 1:
        apps.get_model("writ_app", "ModelEndpoint").objects.update(team=teams[0])


class Migration(migrations.Migration):

    dependencies = [
        ('writ_app', '0025_teams'),
    ]

    operations = [
        migrations.RunPython(give_to_the_only_team, migrations.RunPython.noop),
    ]
