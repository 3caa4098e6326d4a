package core

import (
	"testing"
)

func TestMeantField(t *testing.T) {
	t.Parallel()
	run := []string{"input_data", "trigger", "request_id", "reason"}
	for _, c := range []struct {
		name  string
		names []string
		want  string
	}{
		{"input", run, "input_data"},
		{"inputs", run, "input_data"},
		{"payload", run, "input_data"},
		{"inputData", run, "input_data"},
		{"variables", run, "input_data"},
		{"requestId", run, "request_id"},
		{"idempotency_key", run, "request_id"},
		{"colour", run, ""},
		{"cron", []string{"cron_expression", "timezone"}, "cron_expression"},
		{"tz", []string{"cron_expression", "timezone"}, "timezone"},
		{"label", []string{"definition", "tags"}, "tags"},
		{"yaml", []string{"definition", "tags"}, "definition"},
		{"definitio", []string{"definition"}, "definition"},
	} {
		if got := suggestField(c.name, c.names); got != c.want {
			t.Errorf("%s of %v: %q, want %q", c.name, c.names, got, c.want)
		}
	}
}
