"""Operations on batches, on what they are made with, and on what is measured of them."""

from tests.api.matrix.example import Example, key_of


def order(side):
    return {
        "name": "nightly",
        "environment": side.environment.pk,
        "ordered": 2,
        "seed": 1,
    }


def endpoint(side):
    return {"name": "another-model", "model": "openai/another"}


def conduct(side):
    return {"title": "Chatty", "slug": "chatty", "text": "Talks a lot."}


def enabled(side):
    return {"enabled": False}


EXAMPLES = {
    "list_batches": Example(),
    "order_batch": Example(body=order),
    "get_batch": Example(path=key_of("batch")),
    "pause_batch": Example(path=key_of("running")),
    "resume_batch": Example(path=key_of("paused"), body=lambda side: {}),
    "retry_batch": Example(path=key_of("batch")),
    "cancel_batch": Example(path=key_of("running")),
    "get_batch_progress": Example(path=key_of("batch")),
    "get_batch_behavior": Example(path=key_of("batch")),
    "download_batch_results": Example(path=key_of("batch")),
    "list_simulations": Example(path=key_of("batch")),
    "get_simulation": Example(path=key_of("simulation")),
    "list_dimensions": Example(),
    "list_personas": Example(),
    "create_persona": Example(body=conduct),
    "get_persona": Example(path=key_of("persona")),
    "replace_persona": Example(path=key_of("persona"), body=conduct),
    "enable_persona": Example(path=key_of("persona"), body=enabled),
    "list_plans": Example(),
    "create_plan": Example(body=conduct),
    "get_plan": Example(path=key_of("plan")),
    "replace_plan": Example(path=key_of("plan"), body=conduct),
    "enable_plan": Example(path=key_of("plan"), body=enabled),
    "list_endpoints": Example(),
    "create_endpoint": Example(body=endpoint),
    "get_endpoint": Example(path=key_of("endpoint")),
    "replace_endpoint": Example(path=key_of("endpoint"), body=endpoint),
    "enable_endpoint": Example(path=key_of("endpoint"), body=enabled),
    "try_endpoint": Example(path=key_of("endpoint")),
    "list_tasks": Example(),
    "get_task": Example(path=key_of("task")),
    "try_witness": Example(path=key_of("task"), body=lambda side: {"read": 1}),
    "get_verification": Example(),
    "compare_verifications": Example(query={"before": "1", "version": "2"}),
    "list_reverifications": Example(),
    "order_reverification": Example(body=lambda side: {"batch": side.batch.pk}),
    "get_reverification": Example(path=key_of("reverification")),
}
