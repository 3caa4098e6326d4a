package definitions

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// retryableFailures are the codes of failures that retry.on and retry.except
// may name. steps holds a test that no code of its own is missing here.
var retryableFailures = []string{
	"agent_answer_invalid", "agent_failed", "agent_filtered", "agent_invalid", "agent_not_found", "agent_refused", "agent_unavailable", "agent_unsupported",
	"connection_failed", "interpreter_not_found", "iteration_failed", "no_script_helper", "response_not_json",
	"script_failed", "script_isolation_unavailable", "script_not_started", "scripts_off", "secret_not_found",
	"secrets_unavailable", "step_failed", "timeout", "too_many_redirects", "unexpected_status", "wait_timeout", "webhook_gone",
}

// finalFailures are the codes of failures that are never tried again, whatever
// retry.on says: another attempt could not end otherwise, or must not be made.
var finalFailures = []string{
	"arguments_too_large", "blob_lost", "budget_exceeded", "egress_denied", "expression_failed", "expression_syntax", "expression_type", "header_too_large", "interrupted",
	"invalid_arguments", "invalid_config", "invalid_url", "limit_exceeded", "looping_risk", "not_performable",
	"output_schema", "output_too_large", "schema_invalid", "stopped", "token_limit", "too_many_iterations", "turn_limit",
	"unknown_reference", "unknown_step_type", "unknown_tool", "value_too_large",
}

// FailureCodes lists every code that a step's failure may have, sorted.
func FailureCodes() []string {
	all := slices.Concat(retryableFailures, finalFailures)
	slices.Sort(all)
	return all
}

// FinalFailure reports whether failures of this code are never tried again.
func FinalFailure(code string) bool { return contains(finalFailures, code) }

// FailurePattern is one entry of retry.on or retry.except. Exactly one field is
// set.
type FailurePattern struct {
	Status      int    // 503, also written "503"
	StatusClass int    // 5 of "5xx"
	ExitCode    *int   // 2 of "exit_code:2"
	Code        string // connection_failed
}

var (
	statusClass = regexp.MustCompile(`^([1-5])xx$`)
	exitCode    = regexp.MustCompile(`^exit_code:(0|[1-9][0-9]{0,9})$`)
)

// FailurePatterns reads retry.on or retry.except; nil for an absent list.
// Entries that validation refuses are left out.
func FailurePatterns(raw json.RawMessage) []FailurePattern {
	var entries []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &entries) != nil {
		return nil
	}
	patterns := make([]FailurePattern, 0, len(entries))
	for _, entry := range entries {
		var text string
		if json.Unmarshal(entry, &text) != nil {
			var status float64
			if json.Unmarshal(entry, &status) == nil && isStatus(status) {
				patterns = append(patterns, FailurePattern{Status: int(status)})
			}
			continue
		}
		if p, ok := failurePattern(text); ok {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

func isStatus(v float64) bool { return v >= 100 && v <= 599 && v == math.Trunc(v) }

// failurePattern reads an entry that is text; false: it is none.
func failurePattern(text string) (FailurePattern, bool) {
	if statusText.MatchString(text) {
		n, err := strconv.Atoi(text)
		return FailurePattern{Status: n}, err == nil
	}
	if m := statusClass.FindStringSubmatch(text); m != nil {
		return FailurePattern{StatusClass: int(m[1][0] - '0')}, true
	}
	if m := exitCode.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		return FailurePattern{ExitCode: &n}, err == nil
	}
	if contains(retryableFailures, text) || contains(finalFailures, text) {
		return FailurePattern{Code: text}, true
	}
	return FailurePattern{}, false
}

// retry checks what the fields of a step's retry say together.
func (v *validator) retry(e *entry) {
	at := e.node.member("retry")
	if at == nil || at.kind != object || e.step.Retry == nil {
		return
	}
	v.longestDelay(e, at)
	named := map[string]*node{}
	v.failures(e, at.member("on"), "on", named)
	v.failures(e, at.member("except"), "except", named)
}

// longestDelay refuses a delay that max_delay_seconds would cut short.
func (v *validator) longestDelay(e *entry, at *node) {
	r, delay := e.step.Retry, at.member("delay_seconds")
	if r.DelaySeconds == nil || delay == nil {
		return
	}
	if most := at.member("max_delay_seconds"); r.MaxDelaySeconds != nil && *r.DelaySeconds > *r.MaxDelaySeconds {
		v.finds.error(InvalidValue, delay, "'delay_seconds' in the retry of step '%s' is %s, more than max_delay_seconds (%s); raise that, or lower this",
			e.name(), clip(delay.text), clip(most.text)).relate(most)
	} else if most == nil && *r.DelaySeconds > DefaultMaxDelaySeconds {
		v.finds.error(InvalidValue, delay, "'delay_seconds' in the retry of step '%s' is %s, more than max_delay_seconds, which is %d where it is not given; give it too",
			e.name(), clip(delay.text), DefaultMaxDelaySeconds)
	}
}

const maxFailurePatterns = 100

// failures checks retry.on or retry.except. named has the entries of the lists
// before.
func (v *validator) failures(e *entry, at *node, field string, named map[string]*node) {
	if at == nil || at.kind == bad {
		return
	}
	what := "'" + field + "' in the retry of step '" + e.name() + "'"
	switch {
	case at.kind != array:
		v.finds.error(WrongType, at, "%s must be a list such as [503, \"5xx\", \"exit_code:2\", \"connection_failed\"], not %s", sentence(what), at.kind)
		return
	case len(at.kids) == 0:
		v.finds.error(InvalidValue, at, "%s is empty; name what is meant, or leave the field out", sentence(what))
	case len(at.kids) > maxFailurePatterns:
		v.finds.error(LimitExceeded, at, "%s has %d items; %d are allowed", sentence(what), len(at.kids), maxFailurePatterns)
		return
	}
	for _, item := range at.kids {
		if item.kind == bad || !v.failure(e, item, field, what) {
			continue
		}
		key := item.text
		if f, err := strconv.ParseFloat(key, 64); err == nil { // 503, "503" and 503.0
			key = strconv.Itoa(int(f))
		}
		if first := named[key]; first != nil {
			v.finds.error(InvalidValue, item, "%s names %s, which is named before; remove one of them", sentence(what), clip(item.text)).relate(first)
			continue
		}
		named[key] = item
	}
}

// failure checks one entry.
func (v *validator) failure(e *entry, item *node, field, what string) bool {
	const want = "a status (503), a class of statuses (\"5xx\"), an exit code (\"exit_code:2\") or an error code (connection_failed)"
	switch item.kind {
	case number:
		if f, err := strconv.ParseFloat(item.text, 64); err == nil && isStatus(f) && !hasFraction(item.text) {
			v.neverFails(e, item, FailurePattern{Status: int(f)}, what)
			return true
		}
		v.finds.error(InvalidValue, item, "%s names %s, which is not an HTTP status (100 to 599); an exit code reads \"exit_code:2\"", sentence(what), clip(item.text))
		return false
	case object:
		f := v.finds.error(WrongType, item, "%s lists an object, but each entry is %s", sentence(what), want)
		if n := item.member("exit_code"); n != nil && n.kind == number && exitCode.MatchString("exit_code:"+n.text) {
			f.suggest("exit_code:" + n.text)
		}
		return false
	case text:
	default:
		v.finds.error(WrongType, item, "%s lists %s, but each entry is %s", sentence(what), item.kind, want)
		return false
	}
	p, ok := failurePattern(item.text)
	switch {
	case !ok:
		v.finds.error(InvalidValue, item, "%s names '%s', but each entry is %s", sentence(what), clip(item.text), want).suggest(v.likelyFailure(item.text))
	case field == "on" && FinalFailure(p.Code):
		v.finds.error(InvalidValue, item, "%s names %s, which is never tried again; remove it", sentence(what), p.Code)
		return false
	case p.ExitCode != nil && *p.ExitCode == 0:
		v.finds.error(InvalidValue, item, "%s names exit_code:0, with which a script has succeeded; remove it", sentence(what))
		return false
	case p.ExitCode != nil && *p.ExitCode > 255:
		v.finds.error(InvalidValue, item, "%s names %s, and exit codes are 1 to 255", sentence(what), clip(item.text))
		return false
	default:
		v.neverFails(e, item, p, what)
	}
	return ok
}

// neverFails warns of a status or exit code where the step's type has none.
func (v *validator) neverFails(e *entry, item *node, p FailurePattern, what string) {
	reports := traitsIn(v.catalog, e.step.Type).Reports
	switch {
	case p.ExitCode != nil && reports == ReportsStatus:
		v.finds.warn(NeverTrue, item, "%s names %s, and a step of type %s has no exit code; write a status such as 503, or an error code", sentence(what), clip(item.text), e.step.Type)
	case (p.Status > 0 || p.StatusClass > 0) && reports == ReportsExitCode:
		v.finds.warn(NeverTrue, item, "%s names %s, and a %s has no HTTP status; write \"exit_code:2\", or an error code", sentence(what), clip(item.text), e.step.Type)
	}
}

var (
	statusText   = regexp.MustCompile(`^[1-5][0-9][0-9]$`)
	classText    = regexp.MustCompile(`(?i)^([1-5])(xx|\*\*|\*|xx errors?)$`)
	exitCodeText = regexp.MustCompile(`(?i)^exit[ _-]?(?:code)?[ :=_-]*([0-9]{1,10})$`)
)

// likelyFailure is what was probably meant by an entry that is none.
func (v *validator) likelyFailure(written string) string {
	written = strings.TrimSpace(written)
	if len(written) > 64 {
		return ""
	}
	if statusText.MatchString(written) {
		return written // less its spaces
	}
	if m := classText.FindStringSubmatch(written); m != nil {
		return m[1] + "xx"
	}
	if m := exitCodeText.FindStringSubmatch(written); m != nil {
		return "exit_code:" + m[1]
	}
	return v.nearest(written, func() []string { return retryableFailures })
}

// failuresSchema is the schema of retry.on and retry.except.
func failuresSchema() map[string]any {
	return map[string]any{
		"type": "array", "minItems": 1, "maxItems": maxFailurePatterns,
		"items": map[string]any{"anyOf": []any{
			map[string]any{"type": "integer", "minimum": 100, "maximum": 599, "description": "An HTTP status"},
			map[string]any{"type": "string", "pattern": statusText.String(), "description": "An HTTP status"},
			map[string]any{"type": "string", "pattern": statusClass.String(), "description": "A class of HTTP statuses"},
			map[string]any{"type": "string", "pattern": exitCode.String(), "description": "A script's exit code"},
			map[string]any{"enum": FailureCodes(), "description": "An error code"},
		}},
	}
}
