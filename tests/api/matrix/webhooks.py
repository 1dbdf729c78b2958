"""Operations of webhooks."""

from tests.api.matrix.example import Example, key_of

BODY = {"name": "ci", "url": "https://hooks.example/", "events": ["report.done"]}

EXAMPLES = {
    "list_webhooks": Example(),
    "create_webhook": Example(body=lambda side: BODY),
    "get_webhook": Example(path=key_of("webhook")),
    "replace_webhook": Example(path=key_of("webhook"), body=lambda side: BODY),
    "delete_webhook": Example(path=key_of("webhook")),
    "enable_webhook": Example(
        path=key_of("webhook"), body=lambda side: {"enabled": False}
    ),
    "renew_webhook_secret": Example(path=key_of("webhook")),
    "test_webhook": Example(path=key_of("webhook")),
    "list_webhook_deliveries": Example(path=key_of("webhook")),
    "resend_delivery": Example(path=key_of("delivery")),
}
