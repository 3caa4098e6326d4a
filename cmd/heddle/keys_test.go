package main

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// A user of the server's machine can make a new key while the server runs: it is valid
// at once, and the audit trail says where it came from.
func TestKeysRecover(t *testing.T) {
	t.Parallel()
	url := "sqlite://" + filepath.Join(t.TempDir(), "h.db")
	st, c := startServer(t, io.Discard, "HEDDLE_DATABASE_URL="+url)
	_ = st
	code, out, errOut := heddle(t, []string{"HEDDLE_DATABASE_URL=" + url}, "keys", "recover", "--name", "found again")
	key := strings.TrimSpace(out)
	if code != exitOK || !strings.HasPrefix(key, "iw_live_") || !strings.Contains(errOut, "shown this once") {
		t.Fatalf("exit %d, %q, %q", code, out, errOut)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL()+"/v1/audit?action=key.recover", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || strings.Count(string(body), `"key.recover"`) != 1 || !strings.Contains(string(body), "heddle keys recover") || strings.Contains(string(body), key) {
		t.Errorf("%d %s %v", resp.StatusCode, body, err)
	}
}

func TestKeysRecoverRefusals(t *testing.T) {
	t.Parallel()
	there := "HEDDLE_DATABASE_URL=sqlite://" + filepath.Join(t.TempDir(), "h.db")
	if code, _, errOut := heddle(t, []string{there}, "keys", "recover"); code != exitFailure || !strings.Contains(errOut, "there is no database at") {
		t.Errorf("without a database: %d %s", code, errOut)
	}
	if code, _, errOut := heddle(t, []string{there}, "migrate"); code != exitOK {
		t.Fatalf("migrate: %s", errOut)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"keys", "recover"}, exitFailure, "There is no tenant"}, // no server has ever used the database
		{[]string{"keys", "recover", "--tenant", "other"}, exitFailure, `There is no tenant "other"`},
		{[]string{"keys", "recover", "--name", " "}, exitFailure, "A name has 1 to 200 characters"},
		{[]string{"keys", "recover", "default"}, exitUsage, "default"},
	} {
		if code, out, errOut := heddle(t, []string{there}, c.args...); code != c.code || out != "" || !strings.Contains(errOut, c.says) {
			t.Errorf("%v: exit %d, %q, %q", c.args, code, out, errOut)
		}
	}
}
