"""What is drawn with Jinja: hot parts of pages, by the same rules as the rest."""

import pytest
from django.conf import settings
from django.urls import reverse, set_script_prefix
from jinja2 import UndefinedError, nodes

from writ_app.templatetags.jinja import environment, url

NAMES = environment().list_templates(extensions=["jinja"])


def test_a_text_is_escaped_unless_one_of_ours_made_it_markup() -> None:
    drawn = environment().from_string("{{ text }} {{ text|visible }}")

    assert drawn.render(text="<b>&") == "&lt;b&gt;&amp; &lt;b&gt;&amp;"


def test_a_name_that_nobody_gave_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nobody }}").render()


@pytest.mark.parametrize("name", NAMES)
def test_filters_and_functions_of_a_template_are_there(name: str) -> None:
    """Jinja would find out when a branch is first drawn."""
    made = environment()
    tree = made.parse((settings.BASE_DIR / "templates" / name).read_text())
    own = {macro.name for macro in tree.find_all(nodes.Macro)}
    own |= {one for found in tree.find_all(nodes.FromImport) for one in found.names}
    called = (call.node for call in tree.find_all(nodes.Call))
    functions = {node.name for node in called if isinstance(node, nodes.Name)}

    assert {one.name for one in tree.find_all(nodes.Filter)} <= made.filters.keys()
    assert functions <= made.globals.keys() | own


def test_addresses_are_those_of_the_routes_wherever_the_site_is_mounted() -> None:
    assert url("trajectory", 7) == reverse("trajectory", args=[7])

    set_script_prefix("/below/")
    try:
        assert url("trajectory", 7) == "/below/trajectories/7/"
    finally:
        set_script_prefix("/")
