"""Operations on the quality of the review."""

from tests.api.matrix.example import Example, done, key_of

POLICY = {"second_share": 0, "canary_share": 0.1, "lease_seconds": 60, "ahead": 1}
dispute = key_of("dispute")
plan = key_of("sampling")


def decision(side):
    return {"token": 1, "verdict": "approve"}


def in_hand(program, side):
    """The dispute's place, leased."""
    lease = done(program.ask("post", f"disputes/{side.dispute.pk}/lease"))
    return {"body": {"token": lease["token"], "verdict": "approve"}}


def freed(program, side):
    """What waits is in no plan any more."""
    done(program.ask("post", f"sampling-plans/{side.sampling.pk}/undo"))
    offers = done(program.ask("get", "sampling-plans/offers"))["offers"]
    return {"body": {"limit": offers[0]["limit"]}}


def clean(program, side):
    """Every item of the plan's sample, found good."""
    plan = done(program.ask("get", f"sampling-plans/{side.sampling.pk}"))
    for trajectory in plan["sample"]:
        lease = done(program.ask("post", f"trajectories/{trajectory}/lease"))
        body = {"token": lease["token"], "verdict": "approve"}
        done(program.ask("post", f"queue/slots/{lease['slot']}/verdict", body))
    return {}


EXAMPLES = {
    "get_review_policy": Example(),
    "replace_review_policy": Example(body=lambda side: POLICY),
    "get_detection": Example(),
    "plant_errors": Example(body=lambda side: {"count": 1}),
    "get_agreement": Example(),
    "get_judge_calibration": Example(),
    "list_disputes": Example(),
    "get_dispute": Example(path=dispute),
    "lease_dispute": Example(path=dispute),
    "settle_dispute": Example(path=dispute, body=decision, ready=in_hand),
    "get_sampling_offers": Example(),
    "list_sampling_plans": Example(),
    "order_sampling_plan": Example(body=lambda side: {"limit": 0.1}, ready=freed),
    "get_sampling_plan": Example(path=plan),
    "approve_sampling_plan": Example(path=plan, ready=clean),
    "undo_sampling_plan": Example(path=plan),
}
