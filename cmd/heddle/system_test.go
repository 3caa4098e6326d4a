package main

import (
	"heddle/internal/await"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The running server shows its settings with their sources, and no secret's value; it is a
// node that is there, and leads.
func TestSystemShowsSettingsWithoutSecrets(t *testing.T) {
	st, c := startServer(t, io.Discard, "HEDDLE_DATABASE_URL=sqlite://:memory:", "HEDDLE_SECRET_KEY=a-secret-key-of-this-test", "HEDDLE_MAX_PER_HOST=7")
	var body string
	await.True(t, "the node is noted and leads", func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL()+"/v1/system", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+c.Key())
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		body = string(text)
		return err == nil && strings.Contains(body, `"answers":true`) && strings.Contains(body, `"leader":`)
	})
	for _, shown := range []string{
		`{"name":"HEDDLE_MAX_PER_HOST","value":"7","source":"HEDDLE_MAX_PER_HOST","secret":false}`,
		`{"name":"HEDDLE_SECRET_KEY","value":"***","source":"HEDDLE_SECRET_KEY","secret":true}`,
		`"name":"HEDDLE_LISTEN","value":"127.0.0.1:8080","source":"default"`, `"kind":"sqlite"`,
	} {
		if !strings.Contains(body, shown) {
			t.Errorf("%s is not in %s", shown, body)
		}
	}
	for _, secret := range []string{"a-secret-key-of-this-test", testServerKey} {
		if strings.Contains(body, secret) {
			t.Errorf("it shows %s", secret)
		}
	}
	if !st.executor.Leading() {
		t.Error("it does not lead")
	}
}
