"""Requests in a model's words: of a batch that is being designed, or afterwards.

What a model wrote is used only if another reading leads back to the same query (engine.paraphrase); else the task keeps its words.
Every attempt is stored, and counts into what the batch spent.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import batched

from django.db.models import F, QuerySet

from writ_app.engine import paraphrase as words
from writ_app.engine import types
from writ_app.engine.errors import InvalidTask, ModelUnavailable
from writ_app.engine.llm import ChatModel
from writ_app.engine.pacing import Budget
from writ_app.models.catalog import Task
from writ_app.models.synthesis import Batch, Paraphrase
from writ_app.services import catalog
from writ_app.services.synthesis.control import stop_batch
from writ_app.services.synthesis.endpoints import model_of

AT_ONCE = 8
"""Tasks that are reworded at the same time while a batch is designed."""
PATIENCE = 5
"""Failures of the provider in a row after which the batch is paused, for somebody to look."""


def paraphrase_batch(
    *,
    batch: Batch,
    paraphraser: ChatModel,
    reader: ChatModel,
    limit: int | None = None,
) -> Iterator[Paraphrase]:
    """Have the requests of a batch's tasks said in other words; each attempt is stored, and given, as soon as it is made.

    A task that these models tried before is left out, unless a model or its provider failed then; so is one that its environment,
    as it is now, does not know. `limit` is for attempts, not for what is accepted.
    """
    tried = Paraphrase.objects.filter(
        paraphraser=paraphraser.name,
        reader=reader.name,
        prompt_version=words.PROMPT_VERSION,
    )
    waiting = (
        Task.objects.filter(simulations__batch=batch)
        .exclude(paraphrases__in=tried.exclude(reason="model_error"))
        .distinct()
        .order_by("id")
        .values_list("pk", flat=True)
    )
    made = 0
    for pk in list(waiting):
        if made == limit:
            return
        row = Task.objects.select_related("environment").get(pk=pk)
        task = types.Task.model_validate(row.content)
        try:
            found = words.paraphrase(  # seconds long: no transaction is open
                environment=catalog.load_environment(row.environment),
                task=task,
                paraphraser=paraphraser,
                reader=reader,
                seed=task.seed,
                benchmark=catalog.benchmark_index(row.environment),
            )
        except InvalidTask:
            continue
        made += 1
        yield _store(row, found)


def reworded(batch: Batch, tasks: Iterable[types.Task]) -> Iterator[types.Task]:
    """The tasks, in order, in the words that the user will say: the paraphraser's where they were accepted, else their own.

    An interrupted design begins again and takes what was tried before. If a cap is reached, the key is not set or the provider
    fails throughout, the batch is paused and this ends early; resumed, the design goes on from there.
    """
    pinned = batch.played_by.get("paraphraser")
    if pinned is None:
        yield from tasks
        return
    try:
        model = model_of(pinned)
    except ModelUnavailable as error:
        stop_batch(batch_id=batch.pk, reason=str(error))
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for chunk in batched(tasks, AT_ONCE):
            if reason := _spent(batch) or _try_all(batch, chunk, model, pool):
                stop_batch(batch_id=batch.pk, reason=reason)
                return
            accepted = {
                row.task.content_hash: words.Paraphrase.model_validate(row.content)
                for row in _tried(batch, chunk, model).filter(accepted=True)
            }
            for task in chunk:
                said = accepted.get(task.content_hash)
                yield words.reworded(task, said) if said else task


def _try_all(
    batch: Batch,
    chunk: Sequence[types.Task],
    model: ChatModel,
    pool: ThreadPoolExecutor,
) -> str:
    """Try what was not tried yet, at the same time, and store what came; returns why the batch has to stop, or ""."""
    known = set(
        _tried(batch, chunk, model).values_list("task__content_hash", flat=True)
    )
    new = [task for task in chunk if task.content_hash not in known]
    rows = [
        catalog.store_task(environment=batch.environment, task=task) for task in new
    ]
    environment = catalog.load_environment(batch.environment)
    benchmark = catalog.benchmark_index(batch.environment)

    def attempt(task: types.Task) -> words.Paraphrase:  # no database: another thread
        return words.paraphrase(
            environment=environment,
            task=task,
            paraphraser=model,
            reader=model,
            seed=task.seed,
            benchmark=benchmark,
        )

    found = list(pool.map(attempt, new))
    _add_cost(batch, sum((one.usage for one in found), types.Usage()))
    if len(found) >= PATIENCE and all(one.reason == "model_error" for one in found):
        return f"No request could be reworded. The last one: {found[-1].finding}"
    for row, one in zip(rows, found, strict=True):
        _store(row, one)
    return ""


def _tried(
    batch: Batch, chunk: Sequence[types.Task], model: ChatModel
) -> QuerySet[Paraphrase]:
    return Paraphrase.objects.select_related("task").filter(
        task__environment=batch.environment,
        task__content_hash__in=[task.content_hash for task in chunk],
        paraphraser=model.name,
        reader=model.name,
        prompt_version=words.PROMPT_VERSION,
    )


def _add_cost(batch: Batch, usage: types.Usage) -> None:
    Batch.objects.filter(pk=batch.pk).update(
        cost=F("cost") + Decimal(repr(usage.cost)),
        prompt_tokens=F("prompt_tokens") + usage.prompt_tokens,
        completion_tokens=F("completion_tokens") + usage.completion_tokens,
    )


def _spent(batch: Batch) -> str:
    """Why nothing more may be asked, "" while something is left."""
    batch.refresh_from_db(
        fields=["cost", "prompt_tokens", "completion_tokens", "max_cost", "max_tokens"]
    )
    most = None if batch.max_cost is None else float(batch.max_cost)
    budget = Budget(max_cost=most, max_tokens=batch.max_tokens)
    return budget.spent(float(batch.cost), batch.tokens)


def _store(row: Task, found: words.Paraphrase) -> Paraphrase:
    stored, _ = Paraphrase.objects.update_or_create(
        task=row,
        paraphraser=found.paraphraser,
        reader=found.reader,
        prompt_version=found.prompt_version,
        seed=found.seed,
        defaults={
            "content": found.model_dump(mode="json"),
            "text": found.text,
            "accepted": found.accepted,
            "reason": found.reason,
        },
    )
    return stored
