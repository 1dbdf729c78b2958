import json, os
from datetime import UTC, datetime
import pytest
from django.test import Client
from tests.factories import *
from tests.stored_batches import play_batch
from writ_app.models.review import Verdict, ReviewItem
from writ_app.models.release import Release
from writ_app.services.release import *
OUT="/tmp/wt/release-scratch/shots"
pytestmark=[pytest.mark.django_db(transaction=True), pytest.mark.timeout(500)]
def test_shots(browser, live_server):
    os.makedirs(OUT, exist_ok=True)
    owner = make_owner(name="ada"); team = team_of(owner)
    batch = play_batch(by=owner, ordered=24, mix={"R1":1,"R5":1,"R3":1})
    from writ_app.models.synthesis import Trajectory
    for t in Trajectory.objects.filter(accepted=True).order_by("pk"):
        judge(t, Verdict.APPROVE, owner)
    now = datetime.now(UTC)
    r1 = freeze_release(team=team, name="first", by=owner, at=now, licence="CC-BY-4.0", description="Retail conversations over two axes.", recipe=Recipe(shares={"train":.8,"validation":.1,"test":.1}, tokenizer="cl100k_base"))
    from writ_app.services.release.files import files_of, write_file
    for f in files_of(r1, ["trl","jsonl"]):
        b"".join(write_file(r1, f))
    d = draft_release(team=team, name="first", by=owner, recipe=Recipe(cap=2, shares={"train":.7,"validation":.15,"test":.15}, tokenizer="cl100k_base", max_tokens=7000, filters={"environment":["retail"]}))
    choose_members(release_id=d.pk, revision=order_choice(d))
    d2 = draft_release(team=team, name="second", by=owner)
    Release.objects.filter(pk=d2.pk).update(stage="CHOOSING", dealt_with=300, whole=1000)
    d3 = draft_release(team=team, name="third", by=owner)
    Release.objects.filter(pk=d3.pk).update(stage="FAILED", trouble="gates: no benchmark tasks were imported with 'x/y'.")
    d.refresh_from_db(); print(d.stage, d.trouble)
    client = Client(); client.force_login(owner)
    pages = {"list":"/releases/?environment=retail","release":f"/releases/{r1.pk}/","draft":f"/releases/{d.pk}/draft/","working":f"/releases/{d2.pk}/draft/","failed":f"/releases/{d3.pk}/draft/","members":f"/releases/{r1.pk}/members/","refusals":f"/releases/{d.pk}/left-out/","compare":f"/releases/compare/?before={r1.pk}&after={d.pk}"}
    for theme in ("light","dark"):
        for width in (1440, 360):
            ctx = browser.new_context(viewport={"width":width,"height":900}, base_url=live_server.url, color_scheme=theme, reduced_motion="reduce")
            ctx.add_cookies([{"name":n,"value":c.value,"url":live_server.url} for n,c in client.cookies.items()])
            page = ctx.new_page()
            page.on("console", lambda m: print(m.type, m.text, page.url) if m.type in("error","warning") else None)
            for name, address in pages.items():
                page.goto(address)
                over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if over > 0: print(name, width, "over", over)
                if name=="release" and width==1440:
                    page.locator(".release-format summary").nth(3).click()
                page.screenshot(path=f"{OUT}/{name}-{theme}-{width}.png", full_page=True)
            ctx.close()
