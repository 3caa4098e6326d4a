package executor

import (
	"encoding/json"
	"fmt"
	"heddle/executor/machine"
	"testing"
)

// What a failure quotes loses the pieces of secrets; its own words, the frame of
// PEM and a URL's scheme are none.
func TestPiecesOfSecretsLeaveAFailure(t *testing.T) {
	t.Parallel()
	var u usedSecrets
	for _, v := range []string{"sk-proj-Abcdefghijkl", "-----BEGIN CERTIFICATE-----\nQUJDREVG\n-----END CERTIFICATE-----", "https://höst-ÄÖÜßé/x", "123456789"} {
		u.note(v)
	}
	all := u.pieces()
	for text, want := range map[string]string{
		"":                         "",
		"sk-pr":                    "sk-pr",
		"sk-proj-":                 "***",
		"a SK-PROJ-AB… …ghijkl z":  "a ***… …*** z",
		"abcdefabcdef":             "***", // two pieces without a gap
		"a certificate, https://x": "a certificate, https://x",
		"qujdrev":                  "***",
		"host HÖST-äöü":            "host ***",
		"abcdeghijkl":              "abcde***",
	} {
		if got := without(text, all); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	own := "sk-proj- is %s"
	f := u.withoutPieces(&machine.Failure{
		Error: machine.Error{Code: "sk-proj-", Message: "x", Details: map[string]any{
			"sk-proj-": []any{"SK-PROJ-", 12345678, 5, nil, true},
		}},
		MaskMessage: func(mask func(string) string) string { return fmt.Sprintf(own, mask("sk-proj-x")) },
	})
	raw, _ := json.Marshal(f.Details)
	if f.Code != "sk-proj-" || f.Message != "sk-proj- is ***x" || string(raw) != `{"sk-proj-":["***","***",5,null,true]}` {
		t.Errorf("%+v %s", f.Error, raw)
	}
}
