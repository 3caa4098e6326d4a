package definitions

import (
	"encoding/json"
	regexp "heddle/internal/lazyregexp"
	"math"
	"slices"
	"strconv"
)

// RetryableFailures are the codes of failures that retry.on and retry.except
// may name. steps holds a test that no code of its own is missing here.
var RetryableFailures = []string{
	"agent_answer_invalid", "agent_failed", "agent_filtered", "agent_invalid", "agent_not_found", "agent_refused", "agent_unavailable", "agent_unsupported",
	"connection_failed", "interpreter_not_found", "iteration_failed", "no_script_helper", "response_not_json", "response_not_kept",
	"script_failed", "script_isolation_unavailable", "script_not_started", "scripts_off", "secret_not_found",
	"secrets_unavailable", "step_failed", "timeout", "too_many_redirects", "unexpected_status", "wait_timeout", "webhook_gone",
}

// finalFailures are the codes of failures that are never tried again,
// whatever retry.on says: another attempt could not end otherwise, or must
// not be made. A new code belongs in one of the two lists.
var finalFailures = []string{
	"arguments_too_large", "blob_lost", "budget_exceeded", "egress_denied", "expression_failed", "expression_syntax", "expression_type", "header_too_large", "interrupted",
	"invalid_arguments", "invalid_config", "invalid_url", "limit_exceeded", "looping_risk", "not_performable",
	"output_schema", "output_too_large", "schema_invalid", "stopped", "token_limit", "too_many_iterations", "turn_limit",
	"unknown_reference", "unknown_step_type", "unknown_tool", "value_too_large",
}

// FailureCodes returns every code that a step's failure may have, sorted, in
// a new slice.
func FailureCodes() []string {
	all := slices.Concat(RetryableFailures, finalFailures)
	slices.Sort(all)
	return all
}

// FinalFailure reports whether failures of this code are never tried again.
func FinalFailure(code string) bool { return slices.Contains(finalFailures, code) }

// FailurePattern is one entry of retry.on or retry.except. Exactly one field is
// set.
type FailurePattern struct {
	Status      int    // 503, also written "503"
	StatusClass int    // 5 of "5xx"
	ExitCode    *int   // 2 of "exit_code:2"
	Code        string // connection_failed
}

// FailurePatterns reads retry.on or retry.except, nil for an absent list and
// for what is not a list. Entries that validation refuses are left out: a
// stored definition may be older than a rule.
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
			if json.Unmarshal(entry, &status) == nil && IsStatus(status) {
				patterns = append(patterns, FailurePattern{Status: int(status)})
			}
			continue
		}
		if p, ok := ParseFailurePattern(text); ok {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

// IsStatus reports whether v is an HTTP status: a whole number from 100 to
// 599.
func IsStatus(v float64) bool { return v >= 100 && v <= 599 && v == math.Trunc(v) }

// ParseFailurePattern reads an entry that is text; false when it is not a
// status, a class of statuses, an exit code or a code of a failure. Exit
// codes of up to ten digits are accepted; validation refuses those beyond
// 255.
func ParseFailurePattern(text string) (FailurePattern, bool) {
	if StatusPattern.MatchString(text) {
		n, err := strconv.Atoi(text)
		return FailurePattern{Status: n}, err == nil
	}
	if m := StatusClassPattern.FindStringSubmatch(text); m != nil {
		return FailurePattern{StatusClass: int(m[1][0] - '0')}, true
	}
	if m := ExitCodePattern.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		return FailurePattern{ExitCode: &n}, err == nil
	}
	if slices.Contains(RetryableFailures, text) || slices.Contains(finalFailures, text) {
		return FailurePattern{Code: text}, true
	}
	return FailurePattern{}, false
}

// MaxFailurePatterns is the greatest number of entries of retry.on or
// retry.except.
const MaxFailurePatterns = 100

// The forms of an entry that is text. Groups are the digit of a class and the
// number of an exit code.
var (
	StatusPattern      = regexp.MustCompile(`^[1-5][0-9][0-9]$`)
	StatusClassPattern = regexp.MustCompile(`^([1-5])xx$`)
	ExitCodePattern    = regexp.MustCompile(`^exit_code:(0|[1-9][0-9]{0,9})$`)
)
