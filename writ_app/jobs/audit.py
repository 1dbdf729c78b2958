"""Shells around the audit log's chains: entries get their places, and every chain is walked once a day."""

import logging

from celery import shared_task

from writ_app.services.audit import chain, checking

log = logging.getLogger(__name__)


@shared_task
def seal_audit() -> None:
    chain.seal()


@shared_task
def check_chain(*, check_id: int) -> None:
    if found := checking.run_check(check_id=check_id):
        _tell(found)


@shared_task
def check_all_chains() -> None:
    for found in checking.check_all():
        _tell(found)


def _tell(found: chain.Verified) -> None:
    """In the log, too, which may be kept where nobody of this database can write: `verify_audit --against` takes it from there."""
    head = found.head
    if found.broken:
        log.error("the audit log does not hold: %s", found.broken)
    log.info("audit chain %s: %s %s", head.chain, head.number, head.hash.hex())
