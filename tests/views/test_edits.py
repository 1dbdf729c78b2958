"""The edit page and the pages of comments, over HTTP."""

import re

import pytest
from django.urls import reverse

from tests.edits import make_item
from tests.factories import make_owner, make_reviewer, team_of
from tests.views.test_hostile_text import HOSTILE
from writ_app.models.curation import Comment
from writ_app.models.editing import EditDraft
from writ_app.models.review import ReviewItem
from writ_app.services.review.comments import add_comment

pytestmark = pytest.mark.django_db
FRAGMENT = {"HTTP_HX_REQUEST": "true"}
GREETING = {"act": "text", "message": 0, "value": "Hello! What can I do for you?"}


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def item(owner) -> ReviewItem:
    return make_item(by=owner)


@pytest.fixture
def page(client, owner):
    client.force_login(owner)
    return client


def address(name: str, item: ReviewItem) -> str:
    return reverse(name, args=[item.pk])


class TestEditPage:
    def test_has_a_typed_field_for_every_argument(self, page, item):
        text = page.get(address("edit", item)).content.decode()

        assert text.count('name="pointer" value="/new_item_ids/0"') == 1
        assert 'name="pointer" value="/item_ids"' in text
        assert "all 18 pass" in text
        assert "Nothing is changed yet." in text

    def test_takes_a_change_without_scripts(self, page, item):
        response = page.post(address("edit", item), {**GREETING, "row": "m0"})

        assert response.headers["Location"].endswith("/edit/#m0")
        text = page.get(address("edit", item)).content.decode()
        assert "<ins>Hello! What</ins>" in text
        assert "Reset words" in text

    def test_answers_typing_with_what_it_comes_to(self, page, item):
        response = page.post(
            address("edit", item), GREETING, HTTP_HX_TARGET="edit-state", **FRAGMENT
        )

        text = response.content.decode()
        assert "<html" not in text
        assert "<textarea" not in text
        assert 'id="note-m0" hx-swap-oob="true"' in text
        assert 'id="edit-save" hx-swap-oob="true"' in text

    def test_says_what_cannot_be_kept_and_keeps_the_rest(self, page, item):
        page.post(address("edit", item), GREETING)

        response = page.post(
            address("edit", item),
            {"act": "text", "message": 999, "value": "x"},
            HTTP_HX_TARGET="edit-state",
            **FRAGMENT,
        )

        assert response.status_code == 422
        assert "There is no message 999" in response.content.decode()
        assert len(EditDraft.objects.get().changes) == 1

    @pytest.mark.parametrize(
        "posted",
        [
            {},
            {"act": "explode"},
            {"act": "text", "message": "x"},
            {"act": "text", "message": 0, "value": "x" * 20_001},
            {"act": "text", "message": 0, "value": "a\x00b"},
            {"act": "argument", "message": 0, "pointer": "/a", "value": "1"},
            {"act": "argument", "message": 0, "pointer": "", "value": "1"},
            {"act": "add_call", "message": 0, "tool": "rm -rf"},
            {"act": "remove", "message": 0, "call": "nothing"},
            {"act": "accept", "target": "x"},
        ],
    )
    def test_refuses_nonsense_in_words(self, page, item, posted):
        response = page.post(address("edit", item), posted, **FRAGMENT)

        assert response.status_code == 422
        assert "Not kept:" in response.content.decode()

    def test_leaves_nobody_with_a_draft_that_cannot_be_read(self, page, item, owner):
        EditDraft.objects.create(item=item, user=owner, changes=[{"kind": "odd"}])

        text = page.get(address("edit", item)).content.decode()

        assert "discard it and start again" in text
        assert "Discard the draft" in text

    def test_shows_hostile_words_as_text(self, page, item):
        page.post(
            address("edit", item), {"act": "text", "message": 0, "value": HOSTILE}
        )

        text = page.get(address("edit", item)).content.decode()

        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|hx-on", text)

    def test_saves_a_version_and_says_who_looks_at_it(self, page, item):
        page.post(address("edit", item), GREETING)

        response = page.post(
            address("edit_save", item), {"reason": "Warmer."}, follow=True
        )

        version = ReviewItem.objects.get(number=2)
        assert response.redirect_chain[-1][0] == address("trajectory", version)
        assert "another pair of eyes" in response.content.decode()

    def test_keeps_the_reason_of_what_cannot_be_saved(self, page, item):
        response = page.post(
            address("edit_save", item), {"reason": "Warmer."}, follow=True
        )

        assert "Nothing was changed" in response.content.decode()
        assert EditDraft.objects.get().reason == "Warmer."

    def test_discards_and_withdraws(self, page, item):
        page.post(address("edit", item), GREETING)
        page.post(address("edit_discard", item))
        assert not EditDraft.objects.exists()
        page.post(address("edit", item), GREETING)
        page.post(address("edit_save", item), {"reason": "Warmer."})
        version = ReviewItem.objects.get(number=2)
        assert (
            "Withdraw this version"
            in page.get(address("talk", version)).content.decode()
        )

        page.post(address("edit_withdraw", version))

        version.refresh_from_db()
        assert version.status == ""
        assert "withdrawn" in page.get(address("talk", item)).content.decode()


class TestComments:
    def test_are_kept_without_scripts_and_with(self, page, item):
        page.post(address("talk", item), {"body": "First."})
        first = Comment.objects.get()

        text = page.post(
            address("talk", item), {"body": "Second.", "parent": first.pk}, **FRAGMENT
        ).content.decode()

        assert "<html" not in text
        assert "First." in text
        assert "Second." in text

    def test_must_say_something(self, page, item):
        response = page.post(address("talk", item), {"body": " "}, **FRAGMENT)

        assert response.status_code == 422
        assert "Write something first" in response.content.decode()

    def test_show_hostile_words_as_text(self, page, item):
        page.post(address("talk", item), {"body": HOSTILE})

        text = page.get(address("talk", item)).content.decode()

        assert "<script>alert" not in text
        assert "U+202E" in text

    def test_can_be_withdrawn_by_their_author_alone(self, page, item, client):
        page.post(address("talk", item), {"body": "Mine."})
        comment = Comment.objects.get()
        colleague = make_reviewer(team=item.team)

        client.force_login(colleague)
        response = client.post(reverse("comment_withdraw", args=[comment.pk]))

        assert response.status_code == 404
        comment.refresh_from_db()
        assert comment.withdrawn_at is None

    def test_that_name_somebody_are_counted_on_every_page_until_seen(
        self, client, item, owner
    ):
        bob = make_reviewer(team=team_of(owner), name="bob")
        comment = add_comment(item=item, author=owner, body="@bob look")
        client.force_login(bob)
        assert "1 mention<" in client.get(reverse("home")).content.decode()
        assert "@bob look" in client.get(reverse("mentions")).content.decode()

        response = client.get(reverse("mention", args=[comment.mentions.get().pk]))

        assert response.headers["Location"].endswith(f"#comment-{comment.pk}")
        assert "1 mention<" not in client.get(reverse("home")).content.decode()

    def test_stand_beside_the_desk(self, page, item):
        text = page.get(address("trajectory", item)).content.decode()

        assert f'hx-get="{address("talk", item)}"' in text
        assert f'action="{address("edit", item)}"' in text


class TestOtherTeams:
    @pytest.mark.parametrize("name", ["edit", "talk"])
    def test_find_nothing_of_ours(self, client, item, name):
        client.force_login(make_owner())

        assert client.get(address(name, item)).status_code == 404
        assert client.post(address(name, item), GREETING).status_code == 404

    @pytest.mark.parametrize(
        "name", ["edit_save", "edit_discard", "edit_reason", "edit_withdraw"]
    )
    def test_change_nothing_of_ours(self, client, item, name):
        client.force_login(make_owner())

        assert client.post(address(name, item), {"reason": "x"}).status_code == 404

    def test_read_no_mentions_of_ours(self, client, item, owner):
        bob = make_reviewer(team=item.team, name="bob")
        mention = add_comment(item=item, author=owner, body="@bob x").mentions.get()
        client.force_login(make_owner())

        response = client.get(reverse("mention", args=[mention.pk]))

        assert response.status_code == 404
        assert bob.mentions.get().seen_at is None
