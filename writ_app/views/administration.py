"""Django's administration under our policy, but for trusted types, which jQuery does not know."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.views.decorators.csp import csp_override

UNKNOWN = ("require-trusted-types-for", "trusted-types")


class Administration(AdminSite):
    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        whole: dict[str, Any] = settings.SECURE_CSP
        policy: dict[str, Collection[str] | str] = {
            name: sources for name, sources in whole.items() if name not in UNKNOWN
        }
        return csp_override(policy)(super().admin_view(view, cacheable))
