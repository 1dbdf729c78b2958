"""Every address of the site."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from writ_app.views import (
    accounts,
    api_docs,
    audit,
    behaviour,
    catalog,
    comments,
    desk,
    edits,
    endpoints,
    evaluation,
    home,
    insight,
    lists,
    preview,
    quality,
    release,
    release_draft,
    release_files,
    release_push,
    reports,
    review,
    synthesis,
    tasks,
    teams,
    tokens,
    verification,
    webhooks,
)

handler500 = "writ_app.views.troubles.broken"
urlpatterns = [
    path("", home.home, name="home"),
    path("review/", review.review, name="review"),
    path("review/undo/", review.undo, name="review_undo"),
    path("review/ahead/", review.ahead, name="review_ahead"),
    path("review/lease/", review.lease, name="review_lease"),
    path("review/release/", review.release, name="review_release"),
    path("review/back/", review.back, name="review_back"),
    path("review/back/<int:pk>/", review.back, name="review_back_to"),
    path("review/queue/", review.queue, name="review_queue"),
    path("review/keys/", review.keys, name="review_keys"),
    path("review/quality/", quality.quality, name="quality"),
    path("review/quality/canaries/", quality.quality_canaries, name="quality_canaries"),
    path("review/quality/canaries/plant/", quality.quality_plant, name="quality_plant"),
    path(
        "review/quality/agreement/", quality.quality_agreement, name="quality_agreement"
    ),
    path("review/quality/disputes/", quality.quality_disputes, name="quality_disputes"),
    path(
        "review/quality/disputes/<int:pk>/",
        quality.quality_dispute,
        name="quality_dispute",
    ),
    path("review/quality/sampling/", quality.quality_lanes, name="quality_lanes"),
    path("review/quality/sampling/order/", quality.quality_order, name="quality_order"),
    path(
        "review/quality/sampling/<int:pk>/", quality.quality_lane, name="quality_lane"
    ),
    path(
        "review/quality/sampling/<int:pk>/approve/",
        quality.quality_lane_approve,
        name="quality_lane_approve",
    ),
    path(
        "review/quality/sampling/<int:pk>/undo/",
        quality.quality_lane_undo,
        name="quality_lane_undo",
    ),
    path("review/quality/judges/", quality.quality_judges, name="quality_judges"),
    path("trajectories/", lists.trajectories, name="trajectories"),
    path("trajectories/facets/", lists.facets, name="trajectory_facets"),
    path("trajectories/selection.jsonl", lists.export_jsonl, name="selection_jsonl"),
    path("trajectories/selection.csv", lists.export_csv, name="selection_csv"),
    path("trajectories/bulk/", lists.bulk, name="bulk"),
    path("trajectories/bulk/done/", lists.bulk_actions, name="bulk_actions"),
    path("trajectories/bulk/<int:pk>/undo/", lists.bulk_undo, name="bulk_undo"),
    path("trajectories/views/", lists.saved_views, name="saved_views"),
    path("trajectories/views/<int:pk>/", lists.saved_view, name="saved_view"),
    path("trajectories/rules/", lists.rules, name="rules"),
    path("trajectories/rules/new/", lists.rule_new, name="rule_new"),
    path("trajectories/<int:pk>/", review.trajectory, name="trajectory"),
    path(
        "trajectories/<int:pk>/judge/",
        review.trajectory_judge,
        name="trajectory_judge",
    ),
    path("trajectories/<int:pk>/raw/", review.trajectory_raw, name="trajectory_raw"),
    path("trajectories/<int:pk>/preview/", preview.trajectory_preview, name="preview"),
    path("trajectories/<int:pk>/preview/raw/", preview.preview_raw, name="preview_raw"),
    path("trajectories/<int:pk>/edit/", edits.edit, name="edit"),
    path("trajectories/<int:pk>/edit/reason/", edits.edit_reason, name="edit_reason"),
    path("trajectories/<int:pk>/edit/save/", edits.edit_save, name="edit_save"),
    path(
        "trajectories/<int:pk>/edit/discard/", edits.edit_discard, name="edit_discard"
    ),
    path("trajectories/<int:pk>/withdraw/", edits.edit_withdraw, name="edit_withdraw"),
    path("trajectories/<int:pk>/talk/", comments.talk, name="talk"),
    path(
        "comments/<int:pk>/withdraw/",
        comments.comment_withdraw,
        name="comment_withdraw",
    ),
    path("mentions/", comments.mentions, name="mentions"),
    path("mentions/<int:pk>/", comments.mention, name="mention"),
    path(
        "trajectories/<int:pk>/steps/<int:number>/", desk.step, name="trajectory_step"
    ),
    path(
        "trajectories/<int:pk>/steps/<int:number>/text/",
        desk.step_text,
        name="trajectory_step_text",
    ),
    path("trajectories/<int:pk>/find/", desk.find, name="trajectory_find"),
    path("trajectories/<int:pk>/replay/", desk.replay, name="trajectory_replay"),
    path("review/dashboard/", insight.dashboard, name="review_dashboard"),
    path("review/clusters/", insight.clusters, name="clusters"),
    path("review/clusters/<slug:key>/", insight.cluster, name="cluster"),
    path("trajectories/<int:pk>/siblings/", insight.siblings, name="siblings"),
    path("references/", review.references, name="references"),
    path("references/new/", catalog.reference_new, name="reference_new"),
    path(
        "references/<int:pk>/delete/",
        catalog.reference_delete,
        name="reference_delete",
    ),
    path("references/<int:pk>/", review.reference_set, name="reference_set"),
    path(
        "references/<int:pk>/<int:position>/",
        review.reference,
        name="reference",
    ),
    path(
        "references/<int:pk>/<int:position>/raw/",
        review.reference_raw,
        name="reference_raw",
    ),
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/<int:pk>/", tasks.task, name="task"),
    path("tasks/<int:pk>/raw/", tasks.task_raw, name="task_raw"),
    path("evaluations/", evaluation.evaluations, name="evaluations"),
    path("evaluations/new/", evaluation.evaluation_new, name="evaluation_new"),
    path("evaluations/import/", evaluation.evaluation_import, name="evaluation_import"),
    path(
        "evaluations/compare/", evaluation.evaluation_compare, name="evaluation_compare"
    ),
    path(
        "evaluations/compare/<int:left>/<int:right>/",
        evaluation.evaluation_beside,
        name="evaluation_beside",
    ),
    path("evaluations/<int:pk>/", evaluation.evaluation_run, name="evaluation"),
    path(
        "evaluations/<int:pk>/results.json",
        evaluation.evaluation_file,
        name="evaluation_file",
    ),
    path(
        "evaluations/<int:pk>/pause/",
        evaluation.evaluation_pause,
        name="evaluation_pause",
    ),
    path(
        "evaluations/<int:pk>/resume/",
        evaluation.evaluation_resume,
        name="evaluation_resume",
    ),
    path(
        "evaluations/<int:pk>/retry/",
        evaluation.evaluation_retry,
        name="evaluation_retry",
    ),
    path(
        "evaluations/<int:pk>/cancel/",
        evaluation.evaluation_cancel,
        name="evaluation_cancel",
    ),
    path(
        "evaluations/trials/<int:pk>/",
        evaluation.evaluation_trial,
        name="evaluation_trial",
    ),
    path("batches/", synthesis.batches, name="batches"),
    path("batches/new/", synthesis.batch_new, name="batch_new"),
    path("batches/<int:pk>/", synthesis.batch, name="batch"),
    path("batches/<int:pk>/detail/", synthesis.batch_detail, name="batch_detail"),
    path("batches/<int:pk>/pause/", synthesis.batch_pause, name="batch_pause"),
    path("batches/<int:pk>/resume/", synthesis.batch_resume, name="batch_resume"),
    path("batches/<int:pk>/retry/", synthesis.batch_retry, name="batch_retry"),
    path("batches/<int:pk>/cancel/", synthesis.batch_cancel, name="batch_cancel"),
    path("audit/", audit.audit, name="audit"),
    path("audit/audit.jsonl", audit.audit_jsonl, name="audit_jsonl"),
    path("audit/audit.csv", audit.audit_csv, name="audit_csv"),
    path("audit/verify/", audit.audit_verify, name="audit_verify"),
    path("endpoints/", endpoints.endpoints, name="endpoints"),
    path("endpoints/new/", endpoints.endpoint_new, name="endpoint_new"),
    path("endpoints/<int:pk>/", endpoints.endpoint, name="endpoint"),
    path("endpoints/<int:pk>/try/", endpoints.endpoint_try, name="endpoint_try"),
    path(
        "endpoints/<int:pk>/enable/", endpoints.endpoint_enable, name="endpoint_enable"
    ),
    path(
        "batches/<int:pk>/results.json", synthesis.batch_results, name="batch_results"
    ),
    path("verification/", verification.verification, name="verification"),
    path("verification/run/", verification.verification_run, name="verification_run"),
    path(
        "batches/<int:pk>/behavior/", behaviour.batch_behaviour, name="batch_behaviour"
    ),
    path(
        "batches/<int:pk>/behavior/raw/",
        behaviour.batch_behaviour_raw,
        name="batch_behaviour_raw",
    ),
    path("behavior/", behaviour.behaviour, name="behaviour"),
    *(
        entry
        for kind in ("persona", "plan")
        for entry in (
            path(
                f"behavior/{kind}s/new/",
                behaviour.conduct_new,
                {"kind": kind},
                name=f"{kind}_new",
            ),
            path(
                f"behavior/{kind}s/<int:pk>/",
                behaviour.conduct,
                {"kind": kind},
                name=kind,
            ),
            path(
                f"behavior/{kind}s/<int:pk>/enabled/",
                behaviour.conduct_enabled,
                {"kind": kind},
                name=f"{kind}_enabled",
            ),
        )
    ),
    path("releases/", release.releases, name="releases"),
    path("releases/compare/", release.release_compare, name="release_compare"),
    path("releases/<int:pk>/", release.release, name="release"),
    path("releases/<int:pk>/draft/", release_draft.release_draft, name="release_draft"),
    path(
        "releases/<int:pk>/choose/", release_draft.release_choose, name="release_choose"
    ),
    path(
        "releases/<int:pk>/freeze/", release_draft.release_freeze, name="release_freeze"
    ),
    path(
        "releases/<int:pk>/discard/",
        release_draft.release_discard,
        name="release_discard",
    ),
    path("releases/<int:pk>/members/", release.release_members, name="release_members"),
    path(
        "releases/<int:pk>/left-out/", release.release_refusals, name="release_refusals"
    ),
    path("releases/<int:pk>/push/", release_push.release_push, name="release_push"),
    path(
        "releases/<int:pk>/push/send/",
        release_push.release_push_send,
        name="release_push_send",
    ),
    path("releases/<int:pk>/files.zip", release_files.release_zip, name="release_zip"),
    path(
        "releases/<int:pk>/files/<path:path>",
        release_files.release_file,
        name="release_file",
    ),
    path("reports/", reports.reports, name="reports"),
    path("reports/order/", reports.report_order, name="report_order"),
    path("reports/<int:pk>/", reports.report, name="report"),
    path(
        "reports/<int:pk>/report.<slug:suffix>", reports.report_file, name="report_file"
    ),
    path("environments/", catalog.environments, name="environments"),
    path(
        "environments/<slug:name>/<slug:version>/",
        catalog.environment,
        name="environment",
    ),
    path(
        "environments/<slug:name>/<slug:version>/policy/",
        catalog.environment_policy,
        name="environment_policy",
    ),
    path(
        "environments/<slug:name>/<slug:version>/tools/",
        catalog.environment_tools,
        name="environment_tools",
    ),
    path(
        "environments/<slug:name>/<slug:version>/state/<str:collection>/",
        catalog.environment_state,
        name="environment_state",
    ),
    path(
        "environments/<slug:name>/<slug:version>/state/<str:collection>/record/",
        catalog.environment_record,
        name="environment_record",
    ),
    path(
        "environments/<slug:name>/<slug:version>/state/<str:collection>/record/raw/",
        catalog.environment_record_raw,
        name="environment_record_raw",
    ),
    path(
        "environments/<slug:name>/<slug:version>/console/",
        catalog.environment_console,
        name="environment_console",
    ),
    path(
        "environments/<slug:name>/<slug:version>/console/reset/",
        catalog.environment_console_reset,
        name="environment_console_reset",
    ),
    path("login/", accounts.SignIn.as_view(), name="login"),
    # Names by which django-allauth knows the sign-in.
    path("login/", accounts.SignIn.as_view(), name="account_login"),
    path("login/code/", accounts.second_step, name="mfa_authenticate"),
    path("login/provider/", accounts.provider_login, name="provider_login"),
    path(
        "login/provider/back/",
        accounts.provider_callback,
        {"provider_id": accounts.PROVIDER},
        name="openid_connect_callback",
    ),
    path("password/", accounts.ResetPassword.as_view(), name="password_reset"),
    path(
        "password/<uidb64>/<token>/",
        accounts.SetPassword.as_view(),
        name="password_reset_confirm",
    ),
    path("invitation/", teams.invitation, name="invitation"),
    path("account/", accounts.profile, name="profile"),
    path("account/confirm/", accounts.confirm, name="confirm"),
    path("account/password/", accounts.password, name="password"),
    path("account/sessions/", accounts.sessions, name="sessions"),
    path("account/sessions/end/", accounts.session_end, name="session_end"),
    path("account/second-factor/", accounts.second_factor, name="second_factor"),
    path(
        "account/second-factor/new/",
        accounts.second_factor_new,
        name="second_factor_new",
    ),
    path(
        "account/second-factor/off/",
        accounts.second_factor_off,
        name="second_factor_off",
    ),
    path(
        "account/second-factor/codes/", accounts.recovery_codes, name="recovery_codes"
    ),
    path("team/", teams.team, name="team"),
    path("team/settings/", teams.team_settings, name="team_settings"),
    path("team/members/<int:pk>/role/", teams.member_role, name="member_role"),
    path("team/members/<int:pk>/remove/", teams.member_remove, name="member_remove"),
    path("team/leave/", teams.team_leave, name="team_leave"),
    path("team/invitations/", teams.team_invite, name="team_invite"),
    path(
        "team/invitations/<int:pk>/revoke/",
        teams.invitation_revoke,
        name="invitation_revoke",
    ),
    path("team/webhooks/", webhooks.webhooks, name="webhooks"),
    path("team/webhooks/new/", webhooks.webhook_new, name="webhook_new"),
    path("team/webhooks/<int:pk>/", webhooks.webhook, name="webhook"),
    path(
        "team/webhooks/<int:pk>/enabled/",
        webhooks.webhook_enable,
        name="webhook_enable",
    ),
    path(
        "team/webhooks/<int:pk>/delete/", webhooks.webhook_delete, name="webhook_delete"
    ),
    path(
        "team/webhooks/<int:pk>/secret/", webhooks.webhook_reset, name="webhook_reset"
    ),
    path("team/webhooks/<int:pk>/test/", webhooks.webhook_try, name="webhook_try"),
    path(
        "team/deliveries/<int:pk>/again/", webhooks.delivery_send, name="delivery_send"
    ),
    path("teams/new/", teams.team_new, name="team_new"),
    path("teams/switch/", teams.team_switch, name="team_switch"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("theme/", accounts.theme, name="theme"),
    path("account/tokens/", tokens.tokens, name="tokens"),
    path("account/tokens/<int:pk>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("api/v1/docs/", api_docs.api_docs, name="api_docs"),
    path("api/v1/docs/<slug:slug>/", api_docs.api_chapter, name="api_chapter"),
    path("api/v1/", include("writ_app.api.urls")),
    path("admin/", admin.site.urls),
]
