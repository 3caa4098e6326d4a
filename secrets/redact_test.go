package secrets

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRedactionFindsEveryForm(t *testing.T) {
	const secret = `pa/ss+wörd "x"\=&<1>`
	r := newRedactor([]string{secret})
	inner, _ := json.Marshal(map[string]string{"k": secret})
	twice, _ := json.Marshal(string(inner))
	var bare strings.Builder
	enc := json.NewEncoder(&bare)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(secret)
	ascii := `pa\/ss+w\u00f6rd \"x\"\\=&<1>`
	long := base64.StdEncoding.EncodeToString([]byte("user:" + secret + " and more after it"))
	for name, text := range map[string]string{
		"plain":                secret,
		"within":               "before " + secret + " after",
		"json":                 string(inner),
		"json without html":    bare.String(),
		"json of others":       ascii,
		"json in json":         string(twice),
		"query":                url.QueryEscape(secret),
		"path":                 url.PathEscape(secret),
		"lower case percent":   strings.ToLower(url.QueryEscape(secret)),
		"query in json":        `{"u":"a=` + url.QueryEscape(secret) + `&b"}`,
		"percent of percent":   url.QueryEscape(url.QueryEscape(secret)),
		"base64":               base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 in a query":    url.QueryEscape(long),
		"base64url":            base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"base64, one before":   base64.StdEncoding.EncodeToString([]byte("x" + secret + "yz")),
		"base64, two before":   base64.URLEncoding.EncodeToString([]byte("xy" + secret)),
		"base64, wrapped":      long[:13] + "\n" + long[13:26] + "\r\n" + long[26:],
		"base64 in go's quote": fmt.Sprintf("%q", long[:13]+"\n"+long[13:]),
		"cut off":              "tail " + secret[:len(secret)-3],
	} {
		doc, _ := json.Marshal(map[string]any{"a": []string{"x", text}})
		got := string(r.json(doc))
		if got == string(doc) || !strings.Contains(got, mask) || !json.Valid([]byte(got)) {
			t.Errorf("%s: %s became %s", name, doc, got)
		}
		if name != "cut off" && !r.contains(doc) {
			t.Errorf("%s: not recognised in %s", name, doc)
		}
		key, _ := json.Marshal(map[string]any{text: 1})
		if got := string(r.json(key)); got == string(key) {
			t.Errorf("%s as a key: %s stayed", name, key)
		}
	}
}

func TestRedactionLeavesTheRest(t *testing.T) {
	r := newRedactor([]string{"hunter2hunter2", "87654321", `{"type": "account", "key":"a\"b"}`, "line one\nline two"})
	for in, want := range map[string]string{
		`{"a": "x hunter2hunter2\ny", "b":1.0 }`:             `{"a": "x ***\ny", "b":1.0 }`,
		`[87654321, 9007199254740993, 1e400, "hunter2"]`:     `["***", 9007199254740993, 1e400, "hunter2"]`,
		`{"o":{ "type":"account" , "key": "a\"b"},"p":[{}]}`: `{"o":"***","p":[{}]}`,
		`"hunter2hunter2hunter2hunter2"`:                     `"***"`,
		`"got line one\nline two."`:                          `"got ***."`,
		`"hunter2h"`:                                         `"***"`,
		`"hunter"`:                                           `"hunter"`,
		`null`:                                               `null`,
		`[]`:                                                 `[]`,
		`not json hunter2hunter2`:                            `"not json ***"`,
	} {
		if got := string(r.json(json.RawMessage(in))); got != want {
			t.Errorf("%s became %s, not %s", in, got, want)
		}
	}
	if r.contains([]byte(`"the start of it: hunter2hun"`)) {
		t.Error("a part of a secret is no secret")
	}
}

func TestLongestPatternWins(t *testing.T) {
	m := newMatcher([]string{"sk_live_1", "sk_live_12345", "sk_live_12399", "sk_live_0"})
	for text, want := range map[string]int{
		"sk_live_12345x": 13, "sk_live_1234": 9, "sk_live_12399": 13, "sk_live_0": 9, "sk_live_": 0, "sk_live_9": 0,
	} {
		found := m.find([]byte(text), false, nil)
		got := 0
		if len(found) > 0 {
			got = found[0].end
		}
		if got != want {
			t.Errorf("%s: %d bytes, not %d", text, got, want)
		}
	}
}

// A secret that is encoded several times and placed into other text is found.
func TestRedactionProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secrets := rapid.SliceOfN(rapid.StringMatching(`[ -~äß漢\n\t]{8,40}`), 1, 5).Draw(t, "secrets")
		r := newRedactor(secrets)
		text := rapid.SampledFrom(secrets).Draw(t, "secret")
		text = rapid.StringMatching(`[a-z ]{0,5}`).Draw(t, "before") + text + rapid.StringMatching(`[a-z ]{0,5}`).Draw(t, "after")
		switch rapid.IntRange(0, 5).Draw(t, "form") {
		case 1:
			text = base64.StdEncoding.EncodeToString([]byte(text))
		case 2:
			text = base64.URLEncoding.EncodeToString([]byte(text))
		case 3:
			text = url.QueryEscape(text)
		case 4:
			text = url.PathEscape(text)
		case 5:
			inner, _ := json.Marshal(text)
			text = string(inner)
		}
		doc, _ := json.Marshal([]string{text})
		if !r.contains(doc) {
			t.Fatalf("not found in %s", doc)
		}
		out := r.json(doc)
		if !json.Valid(out) || r.contains(out) {
			t.Fatalf("%s became %s", doc, out)
		}
	})
}

func manySecrets(n int) []string {
	rng := rand.New(rand.NewPCG(1, 2))
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("sk_live_%016x%016x", rng.Uint64(), rng.Uint64())
	}
	return list
}

func BenchmarkRedact(b *testing.B) {
	row := `{"id":"sk_live_0000","name":"A quite ordinary row","url":"https://example.com/a?b=c%20d","n":12345678,"text":"line\nline\t\"q\""},`
	doc := json.RawMessage(`[` + strings.TrimSuffix(strings.Repeat(row, (1<<20)/len(row)), ",") + `]`)
	body, _ := json.Marshal(string(doc))
	for name, text := range map[string]json.RawMessage{"tokens": doc, "one string": body} {
		for _, n := range []int{1, 1000} {
			r := newRedactor(manySecrets(n))
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					r.json(text)
				}
			})
		}
	}
}

// The beginning of a secret, in whatever form, is found wherever the text ends within
// it, and nothing else is held back.
func TestUnfinishedSecretsAreFound(t *testing.T) {
	secret := "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END KEY-----"
	r := newRedactor([]string{secret, "correct horse battery"})
	escaped, _ := json.Marshal(secret)
	encoded := base64.StdEncoding.EncodeToString([]byte("ab" + secret + "cd"))
	for name, form := range map[string]string{
		"plain":          secret,
		"escaped":        string(escaped[1 : len(escaped)-1]),
		"percent":        url.QueryEscape(secret),
		"wrapped base64": encoded[:32] + "\n" + encoded[32:64] + "\n" + encoded[64:],
	} {
		text := "said: " + form
		for end := len("said: ") + 12; end < len(text)-6; end++ {
			if strings.ContainsAny(text[end-2:end], `%\`) {
				continue // an escape is cut in two
			}
			if got := r.unfinished([]byte(text[:end])); got > len("said: ")+4 {
				t.Errorf("%s: %q: held from %d on", name, text[:end], got)
				break
			}
		}
	}
	for _, text := range []string{"", "\n", "a line\n", "correct horse battery\n", "correct horses\n", secret + "\n", "abc\nxyz\n", strings.Repeat("a", 1000)} {
		if got := r.unfinished([]byte(text)); got != len(text) {
			t.Errorf("%q is held from %d on", text, got)
		}
	}
	if got := r.unfinished([]byte("a c")); got != 2 {
		t.Errorf("held from %d on", got)
	}
}

// The process prints no secret that it has seen, of whatever tenant.
func TestScrubKnowsTheSecretsOfEveryTenant(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	s.known.Store("t1", newRedactor([]string{"first-secret"}))
	s.known.Store("t2", newRedactor([]string{"second-secret"}))
	s.known.Store("t3", (*redactor)(nil))
	if got := s.Scrub("of first-secret and second-secret, c2Vjb25kLXNlY3JldA== too"); strings.Contains(got, "secret") || strings.Contains(got, "c2Vjb25k") {
		t.Errorf("printed %q", got)
	}
	if got := s.Scrub("nothing here"); got != "nothing here" {
		t.Errorf("printed %q", got)
	}
}
