"""Operations of evaluation runs."""

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.matrix.example import Example, done, key_of

run = key_of("run")
trial = key_of("trial")


def order(side):
    return {
        "name": "nightly",
        "source": "batch",
        "batch": side.batch.pk,
        "script": "gold",
        "trials": 2,
    }


def both(name):
    def query(side):
        return dict.fromkeys(("left", "right"), str(getattr(side, name).pk))

    return query


def paused(program, side):
    done(program.ask("post", f"evaluations/{side.run.pk}/pause"))
    return {}


EXAMPLES = {
    "list_evaluations": Example(),
    "order_evaluation": Example(body=order),
    "get_evaluation": Example(path=run),
    "get_evaluation_progress": Example(path=run),
    "get_evaluation_summary": Example(path=run),
    "list_evaluation_tasks": Example(path=run),
    "list_evaluation_trials": Example(path=run),
    "get_evaluation_trial": Example(path=trial),
    "compare_evaluations": Example(query=both("run")),
    "compare_evaluation_trials": Example(query=both("trial")),
    "pause_evaluation": Example(path=run),
    "resume_evaluation": Example(path=run, body=lambda side: {}, ready=paused),
    "retry_evaluation": Example(path=run),
    "cancel_evaluation": Example(path=run),
    "download_evaluation_results": Example(path=run),
    "list_evaluation_imports": Example(),
    "upload_evaluation_results": Example(
        body=lambda side: {"file": SimpleUploadedFile("results.json", b"{}")},
        multipart=True,
    ),
    "get_evaluation_import": Example(path=key_of("results")),
}
