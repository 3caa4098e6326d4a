package source_test

import (
	"fmt"
	"heddle/definitions/source"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestWrittenYAMLIsTheSameValue writes values of every form as YAML and reads them
// again: the canonical form, and so the hash, is what it was.
func TestWrittenYAMLIsTheSameValue(t *testing.T) {
	for seed := range uint64(3000) {
		text := `{"a":` + (&someJSON{rand.New(rand.NewPCG(seed, 7))}).value(0) + `}`
		before, err := source.Canonical([]byte(text))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		sameAfterWriting(t, before)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestWrittenTextsKeepTheirKind holds what YAML readers are known to misread.
func TestWrittenTextsKeepTheirKind(t *testing.T) {
	for _, text := range strangeTexts() {
		sameAfterWriting(t, canonical(t, fmt.Sprintf(`{"a":%[1]s,"b":[%[1]s],"c":[{"d":%[1]s}]}`, quote(text))))
	}
	for _, number := range []string{"9007199254740993", "1.0", "-0", "1e400", "1E+2", "0.10"} {
		sameAfterWriting(t, canonical(t, `{"n":`+number+`,"list":[`+number+`]}`))
	}
}

func TestTextsOfSeveralLinesAreBlocks(t *testing.T) {
	none := func(*source.Node) []string { return nil }
	finds := &source.Diagnostics{}
	root := source.ScanNodes([]byte(`{"script":"set -e\n\necho \"{{ input.a }}\"\n","when":"2026-01-31","on":"no","count":1.0,"ids":["a","b"]}`), source.DefinitionLimits(), finds)
	want := "count: 1.0\nids: [a, b]\n\"on\": \"no\"\nscript: |\n  set -e\n\n  echo \"{{ input.a }}\"\nwhen: \"2026-01-31\"\n"
	if got := string(source.WriteYAML(nil, root, none)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func canonical(t *testing.T, text string) []byte {
	t.Helper()
	got, err := source.Canonical([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return got
}

func sameAfterWriting(t *testing.T, before []byte) {
	t.Helper()
	finds := &source.Diagnostics{}
	root := source.ScanNodes(before, source.DefinitionLimits(), finds)
	written := source.WriteYAML(nil, root, func(*source.Node) []string { return []string{"b", "a"} })
	again := source.ScanYAML(written, source.DefinitionLimits(), finds)
	if again == nil || len(finds.List) > 0 {
		t.Errorf("%s\ncannot be read again: %v\n%s", before, finds.Resolve(source.NewText(written)), written)
		return
	}
	if after := source.Render(nil, again); string(after) != string(before) {
		t.Errorf("before %s\nafter  %s\n%s", before, after, written)
	}
}

// someJSON makes values of any depth and of the texts that are hard to write.
type someJSON struct{ *rand.Rand }

func (s *someJSON) value(depth int) string {
	if depth > 6 || depth > 0 && s.IntN(2) == 0 {
		return s.scalar()
	}
	n, parts := s.IntN(5), []string{}
	if s.IntN(20) == 0 {
		return strings.Repeat("[", 30) + s.scalar() + strings.Repeat("]", 30)
	}
	if s.IntN(2) == 0 {
		for range n {
			parts = append(parts, s.value(depth+1))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	for i := range n {
		key := fmt.Sprintf("%d%s", i, s.text())
		if s.IntN(2) == 0 {
			key = s.text() + fmt.Sprint(i)
		}
		parts = append(parts, fmt.Sprintf("%s:%s", quote(key), s.value(depth+1)))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (s *someJSON) scalar() string {
	switch s.IntN(6) {
	case 0:
		return []string{"null", "true", "false"}[s.IntN(3)]
	case 1:
		return []string{"0", "-0", "1.0", "9007199254740993", "1e5", "-1.50E-3", "123456789012345678901234567890"}[s.IntN(7)]
	default:
		return quote(s.text())
	}
}

// text joins pieces, or returns one of the strange texts.
func (s *someJSON) text() string {
	if s.IntN(3) == 0 {
		all := strangeTexts()
		return all[s.IntN(len(all))]
	}
	pieces := []string{"a", "Z", "0", " ", "\n", "\n", "\t", ":", ": ", " #", "-", "'", "\"", "\\", "{{ x }}", "é", "日", "😀", "\u0085", "\u2028", "\ufeff", "\r", "\u007f", "\u009f", "\x01", "&", "*", "!", "%", "@", "`", "|", ">", "?", ",", "[", "]", "{", "}", "=", "<<", "~", "\u00a0", "_"}
	var b strings.Builder
	for range s.IntN(9) {
		b.WriteString(pieces[s.IntN(len(pieces))])
	}
	return b.String()
}

// quote writes a text as JSON, with what JSON and Go write alike left to Go.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func strangeTexts() []string {
	return []string{
		"", " ", "a ", " a", "yes", "No", "on", "OFF", "y", "n", "null", "Null", "~", "true", "False", "1", "1.0", "-1", "+1", "0x1F", "0o17", "007", "1_000", "1e3", ".5", "5.",
		".inf", "-.INF", ".nan", "NaN", "inf", "2001-01-01", "2001-12-14t21:59:43.10-05:00", "1:30", "190:20:30", "=", "<<", "---", "...", "--- a", "- a", "? a", ": a", "a: b", "a:", "a #b", "#a",
		"&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "'a'", `"a"`, "[a]", "{a}", "a, b", "{{ input.a }}", "{{ a }} and {{ b }}", "https://a.example/b?c=d#e", "a\nb", "a\nb\n", "a\n\nb\n\n", "\na", "\n", "\n\n", "a\n ", "a\n \nb", " a\nb", "\ta\nb",
		"a\n\tb", "a\n  b\n", "a\r\nb", "a\u0085b", "a\u2028b\nc", "\ufeffa", "a\ufeff\nb", "# a\nb", "--- a\nb", "a\n---\nb\n", "a\n...\n", strings.Repeat("long ", 300), strings.Repeat("k", 1500), "é", "日本語", "😀\nb", "don't", "C:\\path", "a\\nb", "%YAML 1.2\n---\n",
	}
}
