"""Operations of the review."""

from tests.api.matrix.example import Example, done, key_of

slot = key_of("slot")
trajectory = key_of("trajectory")


def token(side):
    return {"token": 1}


def words(side):
    return {"act": "text", "message": 0, "value": "Good day."}


def leased(program, side):
    at = f"trajectories/{side.trajectory.pk}"
    lease = done(program.ask("post", f"{at}/lease"))
    return {
        "path": {"id": lease["slot"]},
        "body": {"token": lease["token"], "verdict": "approve"},
    }


def renewed(program, side):
    given = leased(program, side)
    return {**given, "body": {"token": given["body"]["token"]}}


def judged(program, side):
    given = leased(program, side)
    at = f"queue/slots/{given['path']['id']}/verdict"
    done(program.ask("post", at, given["body"]))
    return {}


def drafted(program, side):
    at = f"trajectories/{side.trajectory.pk}/edit"
    done(program.ask("post", at, words(side)))
    return {}


def saved(program, side):
    drafted(program, side)
    at = f"trajectories/{side.trajectory.pk}/edit/save"
    version = done(program.ask("post", at, {"reason": "Friendlier."}))
    return {"path": {"id": version["id"]}}


def commented(program, side):
    at = f"trajectories/{side.trajectory.pk}/comments"
    return {"path": {"id": done(program.ask("post", at, {"body": "Odd."}))["id"]}}


EXAMPLES = {
    "get_queue": Example(),
    "get_queue_facets": Example(),
    "lease_next": Example(body=lambda side: {}),
    "lease_trajectory": Example(path=trajectory),
    "renew_lease": Example(path=slot, body=token, ready=renewed),
    "release_lease": Example(path=slot, body=token),
    "give_verdict": Example(
        path=slot,
        body=lambda side: {"token": 1, "verdict": "approve"},
        ready=leased,
    ),
    "undo_verdict": Example(body=lambda side: {}, ready=judged),
    "look_back": Example(ready=judged),
    "list_trajectories": Example(),
    "get_trajectory_facets": Example(),
    "export_trajectories": Example(),
    "get_trajectory": Example(path=trajectory),
    "list_comments": Example(path=trajectory),
    "add_comment": Example(path=trajectory, body=lambda side: {"body": "Odd."}),
    "get_edit": Example(path=trajectory),
    "revise_edit": Example(path=trajectory, body=words),
    "discard_edit": Example(path=trajectory),
    "save_edit": Example(
        path=trajectory, body=lambda side: {"reason": "Odd."}, ready=drafted
    ),
    "withdraw_version": Example(path=trajectory, ready=saved),
    # One withdraws one's own.
    "withdraw_comment": Example(path=key_of("comment"), ready=commented),
}
