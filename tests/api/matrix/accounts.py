"""Operations of accounts."""

from tests.api.matrix.example import Example, key_of

EXAMPLES = {
    "get_me": Example(),
    "get_team": Example(),
    "change_team": Example(body=lambda side: {"name": "By another name"}),
    "create_team": Example(body=lambda side: {"name": "One more"}),
    "list_members": Example(),
    "list_tokens": Example(),
    "change_member_role": Example(
        path=key_of("member"), body=lambda side: {"role": "curator"}
    ),
    "remove_member": Example(path=key_of("member")),
    "leave_team": Example(),
    "list_invitations": Example(),
    "invite_member": Example(body=lambda side: {"role": "viewer"}),
    "revoke_invitation": Example(path=key_of("invitation")),
    "create_token": Example(body=lambda side: {"name": "x", "scope": "viewer"}),
    "revoke_token": Example(path=key_of("token")),
}
