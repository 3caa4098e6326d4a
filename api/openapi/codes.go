package openapi

import (
	"heddle/api/core"
	"net/http"
)

// Code is one stable code, the status of its answers, and when it is used. A code is never
// given another meaning.
type Code struct {
	// Code is what clients compare, status the one of its answers.
	Code   string
	status int
	// Description is for readers of the document.
	Description string
}

// Codes returns every code that an answer may carry, grouped by status; within a group in no
// particular order. Clients depend on codes, so that one that is published stays.
func Codes() []Code {
	return []Code{
		{"invalid_request", 400, "Not readable as this request: a malformed first line or header, broken JSON, an unknown or repeated field, a bad parameter."},
		{"invalid_last_event_id", 400, "Last-Event-ID is not a number, or beyond the run's last event."},
		{"FRAGNO_VALIDATION_ERROR", 400, "The request, or a payload, does not fit its schema; see issues. Of the instances dialect."},
		{"INVALID_INSTANCE_ID", 400, "Not an instance's id, or one that only the server assigns."},
		{"WORKFLOW_PARAMS_INVALID", 400, "The params do not fit the workflow's input schema; see issues."},
		{"headers_too_large", 431, "The first line and the headers of the request are longer than 32 KiB; the connection is closed."},
		{"expectation_failed", 417, "Expect is not 100-continue; the connection is closed."},
		{"transfer_encoding_unknown", 501, "Transfer-Encoding is not chunked; the connection is closed."},
		{"http_version_unsupported", 505, "The request is not HTTP/1; the connection is closed."},
		{"unauthenticated", 401, "No valid API key or session: missing, malformed, unknown, expired, ended or revoked."},
		{"sign_in_expired", 400, "The sign-in at the provider was begun in another browser, too long ago, or is complete."},
		{"sign_in_refused", 403, "The provider of identities signed nobody in; provider_error has its word."},
		{"identity_rejected", 403, "What the provider says of the person could not be verified."},
		{"no_role", 403, "None of the person's groups has a role here."},
		{"user_disabled", 403, "An administrator has disabled the user."},
		{"user_changing", 409, "The user was stored by another sign-in meanwhile; try again."},
		{"sign_in_used", 409, "The sign-in was completed before."},
		{"oidc_not_configured", 404, "The settings name no provider of identities."},
		{"user_not_found", 404, "No such user in this tenant."},
		{"oidc_unavailable", 503, "The provider of identities does not answer."},
		{"cross_origin", 403, "A page of another origin made the request with a browser's session."},
		{"acl_denied", 403, "The key lacks the action; the message names both."},
		{"not_assigned", 403, "The approval names others as assignees."},
		{"template_builtin", 403, "Built-in templates cannot be changed."},
		{"RUNNER_TICK_DISABLED", 403, "HEDDLE_RUNNER_TICK is off."},
		{"WORKFLOW_NOT_FOUND", 404, "No such workflow in this tenant."},
		{"INSTANCE_NOT_FOUND", 404, "The workflow has no instance of that id."},
		{"route_not_found", 404, "No such route."},
		{"workflow_not_found", 404, "No such workflow in this tenant."},
		{"template_not_found", 404, "No such template, built in or of this tenant."},
		{"job_not_found", 404, "No such job in this tenant that the caller may see."},
		{"draft_not_found", 404, "No such draft of this person."},
		{"version_not_found", 404, "The workflow has no such version."},
		{"approval_not_found", 404, "No such approval in this tenant."},
		{"run_not_found", 404, "No such run in this tenant."},
		{"blob_not_found", 404, "The run has no value of that id stored apart."},
		{"step_not_found", 404, "The definition has no such step, or it is of another type."},
		{"schedule_not_found", 404, "No such schedule in this tenant."},
		{"key_not_found", 404, "No such key in this tenant."},
		{"session_not_found", 404, "No such session in this tenant."},
		{"grant_not_found", 404, "The key or user has no grant on that workflow."},
		{"agent_not_found", 404, "No such agent in this tenant."},
		{"secret_not_found", 404, "No such secret in this tenant."},
		{"tenant_not_found", 404, "No such tenant."},
		{"method_not_allowed", 405, "The route is there, but not with this method; see Allow."},
		{"request_timeout", 408, "The body stopped, or came too slowly; the connection is closed."},
		{"INSTANCE_ID_ALREADY_EXISTS", 409, "The workflow has an instance of that id."},
		{"INSTANCE_TERMINAL", 409, "The instance has ended."},
		{"workflow_has_no_template", 409, "The workflow was not made of a template."},
		{"slug_taken", 409, "Another workflow or tenant has the slug."},
		{"id_taken", 409, "An imported workflow's id is in use."},
		{"label_taken", 409, "Another version of the workflow has the label."},
		{"count_changed", 409, "More or fewer objects match than expected says, by more than a tenth; matched says how many."},
		{"draft_outdated", 409, "A version came after the one that the draft was made from."},
		{"workflow_archived", 409, "An archived workflow is not edited; change its status first."},
		{"workflow_has_open_runs", 409, "Delete with force=true, or wait for the runs."},
		{"workflow_not_runnable", 409, "The workflow's status forbids this run."},
		{"workflow_changing", 409, "The workflow was changed while the run was being started; try again."},
		{"schedule_changing", 409, "The schedule was changed while the request was under way; try again."},
		{"key_revoked", 409, "The key was revoked, and is not changed any more."},
		{"last_admin_key", 409, "The tenant has no other admin key that is valid for another day; create one first."},
		{"approval_closed", 409, "It was answered, has expired or was withdrawn: status, closed_at and answered_by say how."},
		{"run_open", 409, "Only a finished run is deleted."},
		{"run_finished", 409, "The run has ended."},
		{"not_waiting_for_input", 409, "The turn carries data, and the run waits for none."},
		{"turn_in_progress", 409, "Another turn of the run is under way."},
		{"run_not_finished", 409, "The run has no result yet."},
		{"run_not_resumable", 409, "Only a paused, failed or cancelled run goes on."},
		{"concurrency_limit", 409, "The workflow's concurrency limit rejects the run."},
		{"idempotency_key_reused", 409, "The Idempotency-Key was used with another body."},
		{"idempotency_in_progress", 409, "A request with the same Idempotency-Key is under way."},
		{"precondition_failed", 412, "If-Match names another revision than the current one."},
		{"body_too_large", 413, "The body is larger than 1 MiB (4 MiB with a definition), or a line of an import than 64 MiB."},
		{"range_not_satisfiable", 416, "The value ends before the range begins."},
		{"unsupported_media_type", 415, "The body is not JSON (or YAML, with a definition)."},
		{"invalid_definition", 422, "The definition has errors; see errors and diagnostics."},
		{"invalid_bulk", 422, "A setting that the action does not take, or lacks; see issues."},
		{"too_many_matches", 422, "A filter selects more than 100,000 objects."},
		{"invalid_draft", 422, "The draft's note is too long, its text cannot be stored, or its base is not a version."},
		{"invalid_input", 422, "The input does not fit the workflow's input schema."},
		{"concurrency_key", 422, "The workflow's concurrency key cannot be made from this input."},
		{"unknown_step", 422, "The definition has no step of that id."},
		{"step_not_reachable", 422, "A run cannot go on from there: a dependency is not finished, or the step is not a top-level one."},
		{"step_not_testable", 422, "A loop or a wait does not run alone."},
		{"invalid_iteration", 422, "The step that is tried is in no such iteration."},
		{"step_not_redrivable", 422, "Not a top-level loop over items with failed iterations."},
		{"invalid_agent", 422, "An agent that could not be used; the message says why."},
		{"invalid_secret_name", 422, "A secret's name is letters, digits and _, and does not start with a digit."},
		{"invalid_secret", 422, "A secret is 8 to 65,536 bytes of text."},
		{"secret_in_input", 422, "What was handed to the run holds the value of a secret."},
		{"secret_in_definition", 422, "The definition holds the value of a secret; name it instead."},
		{"secret_in_text", 422, "A text that is stored and shown, such as a name, a tag or a reason, holds the value of a secret; leave it out."},
		{"invalid_run_input", 422, "The turn has no run_input, or a command beside it; nothing was done."},
		{"invalid_payload", 422, "The signal's payload does not fit the schema of the wait; the wait stays open."},
		{"signal_mismatch", 422, "The input request of that id waits for a signal of another name."},
		{"invalid_version", 422, "The workflow has no such version to schedule."},
		{"invalid_cron", 422, "The expression has a mistake, or never fires; see diagnostics."},
		{"invalid_timezone", 422, "No zone of that IANA name."},
		{"invalid_schedule", 422, "A field of the schedule, preview or backfill is out of its range, or no due time is left."},
		{"backfill_too_large", 422, "The range holds more due times than the limit."},
		{"invalid_trigger", 422, "Unknown trigger of a run."},
		{"invalid_labels", 422, "A label of a run has a key or a value that it cannot have, or there are too many."},
		{"invalid_slug", 422, "The slug has the wrong form, is reserved, or looks like an id."},
		{"invalid_status", 422, "Unknown status of a workflow."},
		{"invalid_trigger_type", 422, "Unknown trigger type of a workflow."},
		{"invalid_tags", 422, "A tag is empty, too long or unprintable, or there are too many."},
		{"invalid_line", 422, "A line of an import says what cannot be: a gap in the versions, a hash that is not the definition's, …"},
		{"invalid_label", 422, "The label has the wrong form, or reads like a version's number."},
		{"invalid_change_summary", 422, "The change summary is too long."},
		{"invalid_reason", 422, "A reason is text of at most 1,000 characters without the character NUL."},
		{"invalid_template", 422, "The template has errors; see errors and diagnostics."},
		{"invalid_parameters", 422, "The parameters do not fit the template; see errors and diagnostics."},
		{"invalid_name", 422, "A name has 1 to 200 characters."},
		{"invalid_quota", 422, "A quota out of its range."},
		{"invalid_role", 422, "Unknown role."},
		{"invalid_resolution", 422, "A resolution of a merge's conflict takes nothing known, or there is no such conflict."},
		{"invalid_grace", 422, "A former key stays valid for a day at most."},
		{"invalid_expires_at", 422, "The expiry lies in the past."},
		{"invalid_actions", 422, "Actions that cannot be granted on a workflow."},
		{"quota_exceeded", 429, "The tenant has as many open runs, streams, schedules or stored bytes as it may have; quota and limit say which and how many, and used what is stored."},
		{"rate_limited", 429, "The key asks too often; RateLimit says what is left, Retry-After when to ask again."},
		{"internal", 500, "A defect of the server; its operator finds the request id in the log."},
		{"not_ready", 503, "The process is starting or stopping."},
		{"secret_key_unavailable", 503, "The server has no key that fits the stored secrets."},
		{"steering_pending", 503, "The request is stored and takes effect as soon as a node drives runs again; look before repeating it."},
		{"store_unavailable", 503, "The database does not answer; try again after Retry-After."},
		{"server_busy", 503, "Too many large definitions are being read at once; try again after Retry-After."},
		{"outcome_unknown", 503, "The database went away during the commit: look before you try again."},
	}
}

// CommonCodes returns the codes that a route has by its nature, without those of Route.Codes: by
// its key, its body, its query, its headers, and by what it changes. They are in the words of the
// route's dialect. A code may occur twice.
func CommonCodes(r *core.Route) []string {
	// Any route may meet a defect.
	codes := []string{"internal"}
	if r.Action != "" {
		codes = append(codes, "unauthenticated", "rate_limited", "store_unavailable")
		// A session's cookie counts for nothing where another origin would change something.
		if r.Method != http.MethodGet {
			codes = append(codes, "cross_origin")
		}
		// Where any key will do, none is denied.
		if r.On != core.FilteredByAccess {
			codes = append(codes, "acl_denied")
		}
	}
	if r.Body != core.BodyNone {
		codes = append(codes, "invalid_request", "body_too_large", "unsupported_media_type", "request_timeout")
	}
	// Text that is stored and shown is searched for secrets; see core.Call.RefuseSecrets.
	if r.Request != nil && r.Changes() && r.Body != core.BodyLines && !r.TakesSecret {
		codes = append(codes, "secret_in_text", "secret_key_unavailable")
		if fields, _ := core.FieldsOf(r.Request); fields["reason"] != nil {
			codes = append(codes, "invalid_reason")
		}
	}
	// Definitions are read as memory allows.
	if r.Defines() {
		codes = append(codes, "server_busy")
	}
	// A route that ignores unknown parameters may still have some of its own.
	if len(r.Query) > 0 || r.Conditional || !r.AnyQuery {
		codes = append(codes, "invalid_request")
	}
	if r.Conditional {
		codes = append(codes, "precondition_failed")
	}
	// A command is taken by the node that drives runs, which may be another or none.
	if r.On == core.OnRun && r.Method != http.MethodGet {
		codes = append(codes, "not_ready", "outcome_unknown", "steering_pending")
	}
	// The quotas of streams and of stored bytes; starts have StartCodes.
	if r.Streams() || r.Keeps {
		codes = append(codes, "quota_exceeded")
	}
	if r.Idempotent {
		codes = append(codes, "idempotency_key_reused", "idempotency_in_progress")
	}
	// In place: the slice was made here.
	if r.TranslateCode != nil {
		for i, code := range codes {
			codes[i] = r.TranslateCode(code)
		}
	}
	return codes
}
