"""Operations on what lists find."""

from tests.api.matrix.example import Example, done, key_of


def bulk(side):
    return {"verdict": "approve", "trajectories": [side.trajectory.pk]}


def made(program, side):
    """A bulk action of one's own."""
    return {"path": {"id": done(program.ask("post", "bulk-actions", bulk(side)))["id"]}}


def kept(program, side):
    """A view of one's own."""
    view = done(program.ask("post", "views", {"name": "mine", "filters": {}}))
    return {"path": {"id": view["id"]}}


def rule(side):
    return {"name": "same world", "filters": {"accepted": ["yes"]}}


EXAMPLES = {
    "forecast_bulk": Example(body=bulk),
    "list_bulk_actions": Example(),
    "apply_bulk": Example(body=bulk),
    # Its author may, and owners; tests/api/test_lists.py tells the two apart.
    "undo_bulk": Example(path=key_of("bulk"), ready=made),
    "list_views": Example(),
    "save_view": Example(body=lambda side: {"name": "some", "filters": {}}),
    "get_view": Example(path=key_of("view")),
    # One changes one's own.
    "change_view": Example(
        path=key_of("view"),
        body=lambda side: {"name": "other", "shared": False},
        ready=kept,
    ),
    "delete_view": Example(path=key_of("view"), ready=kept),
    "try_rule": Example(body=lambda side: {"filters": {"accepted": ["yes"]}}),
    "list_rules": Example(),
    "apply_rule": Example(body=rule),
}
