"""Operations on reports."""

from tests.api.matrix.example import Example, key_of

EXAMPLES = {
    "list_reports": Example(),
    "order_report": Example(body=lambda side: {"batch": side.batch.pk}),
    "get_report": Example(path=key_of("report")),
    "get_report_content": Example(path=key_of("report")),
    "download_report_page": Example(path=key_of("report")),
}
