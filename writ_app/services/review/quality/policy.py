"""What follows from a team's policy for what waits already."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from writ_app.models.accounts import Team
from writ_app.models.review import ReviewPolicy
from writ_app.services.audit import record

FACTS = ("second_share", "canary_share", "lease_seconds", "ahead")


@transaction.atomic
def change_policy(*, policy: ReviewPolicy, before: Mapping[str, Any]) -> int:
    """Store how the team reviews, which was `before`; returns how many of what waits are for two people now."""
    policy.save()
    added = ask_second_opinions(policy.team)
    record(
        "review_policy.change",
        team=policy.team_id,
        row=policy,
        before=before,
        after={**policy_facts(policy), "second_opinions_added": added},
    )
    return added


def policy_facts(policy: ReviewPolicy) -> dict[str, Any]:
    """What a policy says, as JSON."""
    return {name: getattr(policy, name) for name in FACTS}


def ask_second_opinions(team: Team) -> int:
    """Have the team's share of what waits, and nobody has touched, judged by two, as new items are; returns how many were added.

    Which ones follows from their keys, by the rule by which the database chooses new ones.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE writ_app_reviewitem AS item SET wanted = 2
            FROM writ_app_reviewpolicy AS policy
            WHERE policy.team_id = item.team_id AND item.team_id = %s
              AND item.status = 'OPEN' AND item.wanted = 1 AND item.canary = '' AND item.content IS NULL
              AND (hashint8extended(item.id, item.team_id) & 1048575) < policy.second_share * 1048576
              AND NOT EXISTS (SELECT 1 FROM writ_app_reviewslot AS slot WHERE slot.item_id = item.id AND slot.token > 0)
              AND NOT EXISTS (SELECT 1 FROM writ_app_planneditem AS planned WHERE planned.item_id = item.id)
            """,
            [team.pk],
        )
        return int(cursor.rowcount)
