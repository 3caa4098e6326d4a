package workflows_test

import (
	"encoding/json"
	"heddle/definitions/workflows"
	"heddle/ids"
	"testing"
)

func FuzzVersionRef(f *testing.F) {
	for _, s := range []string{`3`, `"3"`, `"v3"`, `null`, `1.5`, `-1`, `{}`, `""`, `"a/b"`, `1e3`, `true`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var v workflows.VersionRef
		if json.Unmarshal([]byte(text), &v) == nil && v != "" && !ids.Valid(string(v)) {
			t.Errorf("%q gave %q", text, v)
		}
	})
}
