"""What README promises, each line with the tests that fail when it is broken."""

from __future__ import annotations

PROMISES: dict[str, tuple[str, ...]] = {
    "a repository loosens no control, and nothing of it runs on the host, before you trusted exactly this content": (
        "tests/unit/policy/test_trust.py::test_a_grant_is_for_this_content_only",
        "tests/unit/policy/test_trust.py::test_a_grant_is_for_what_was_read_not_for_what_is_there_now",
        "tests/unit/policy/test_trust.py::test_the_workspace_cannot_hold_its_own_grant",
        "tests/e2e/test_builds.py::test_a_build_is_run_only_as_it_was_trusted",
        "tests/e2e/test_profiles.py::test_trusted_needs_a_grant",
    ),
    "a control that this machine cannot enforce is refused, or named": (
        "tests/unit/plan/test_planner.py::test_agent_refuses_without_gvisor",
        "tests/unit/plan/test_planner.py::test_a_kernel_without_seccomp_is_named_or_refused",
        "tests/integration/test_plan_commands.py::test_explain_plan_shows_what_is_left_out",
        "tests/e2e/test_verify_egress.py::test_without_its_gateway_nothing_is_said_of_its_doors",
    ),
    "a control that is called in force was seen to be": (
        "tests/e2e/test_what_is_seen.py::test_a_lying_shell_makes_no_control",
        "tests/e2e/test_what_is_seen.py::test_a_pin_that_went_with_its_file_is_not_in_force",
        "tests/e2e/test_status.py::test_what_somebody_changes_at_the_running_sandbox_is_drift",
        "tests/e2e/test_verify.py::test_without_our_python_nothing_is_called_held",
    ),
    "a sandbox behind a gateway reaches allowed names and nothing else, started by `sandboxd up` or by an editor": (
        "tests/integration/egress/test_attempts.py::test_an_attempt_ends_as_it_must",
        "tests/e2e/test_egress.py::test_nothing_else_is_reached_and_no_name_leaks",
        "tests/e2e/test_egress.py::test_without_its_gateway_a_sandbox_reaches_nothing",
        "tests/e2e/test_egress_editors.py::test_an_editor_reaches_the_allowed_names_alone",
        "tests/e2e/test_taking_back.py::test_what_is_taken_back_ends_inside",
    ),
    "whatever gives a sandbox more rights is recorded before it takes effect": (
        "tests/unit/audit/test_notes.py::test_without_a_record_nothing_is_trusted",
        "tests/unit/audit/test_notes.py::test_without_a_record_nothing_is_approved",
        "tests/unit/credentials/test_records.py::test_what_cannot_be_recorded_is_not_put_and_is_removed_all_the_same",
        "tests/unit/daemon/test_local_rights.py::test_keys_are_recorded_before_they_are_given_and_taken_back_without",
        "tests/unit/policy/test_in_force.py::test_nothing_is_given_back_before_it_is_recorded",
        "tests/unit/policy/test_reconcile.py::test_a_change_takes_before_it_records_and_records_before_it_gives",
        "tests/unit/operations/test_rights_walk.py::test_at_rest_a_sandbox_has_what_it_may_have",
        "tests/integration/test_audit.py::test_nothing_is_trusted_where_nothing_can_be_recorded",
        "tests/e2e/test_audit.py::test_the_life_of_a_sandbox",
    ),
    "a credential of the gateway never gets inside, and goes to its own host alone": (
        "tests/e2e/test_credentials.py::test_git_pip_and_npm_work_and_the_secret_is_nowhere",
        "tests/integration/egress/test_credential_refusals.py::test_48_a_spoofed_host_gets_nothing",
        "tests/integration/egress/test_credential_refusals.py::test_a_certificate_of_another_host_is_not_enough",
    ),
    "files that tools on the host act upon are read-only inside": (
        "tests/e2e/test_verify.py::test_our_sandboxes_hold",
        "tests/unit/plan/test_workspace.py::test_every_folder_above_a_pin_is_a_mount_before_it",
        "tests/e2e/test_stubs.py::test_up_pins_what_is_missing_and_down_takes_it_away",
        "tests/e2e/test_planted_config.py::test_a_planted_config_does_not_run",
        "tests/e2e/test_planted_config.py::test_without_the_pins_it_would",
    ),
    "a mount that an act of the host takes away is the first thing you are told, and halts the sandbox": (
        "tests/e2e/test_lost_pins.py::test_every_screen_says_first_what_the_host_took_away",
        "tests/e2e/test_halts.py::test_a_control_file_that_a_tool_replaces_halts",
        "tests/e2e/test_halts.py::test_a_command_halts_where_no_daemon_does",
    ),
    "nothing that a program inside puts into `.git` acts on your git": (
        "tests/e2e/test_own_git.py::test_nothing_from_inside_runs_on_the_host",
        "tests/e2e/test_own_git.py::test_in_the_host_s_own_git_directory_it_would",
        "tests/e2e/test_exchange.py::test_no_commit_brings_what_a_program_wrote_where_the_host_replaced_a_file",
        "tests/e2e/test_own_git.py::test_a_work_tree_in_the_workspace_leads_git_on_the_host_nowhere_else",
    ),
}
"""Tests as pytest names them, by the words of the line. Where a test shows that without the protection it would happen,
that is a case of its own (`test_without_the_pins_it_would`)."""
