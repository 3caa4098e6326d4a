package validation_test

import (
	"bytes"
	"encoding/json"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"testing"

	"pgregory.net/rapid"
)

// checkAny holds what must be true of any text at all.
func checkAny(t interface{ Fatalf(string, ...any) }, src []byte, format source.Format) {
	doc, ds := validation.Check(src, format, testCatalog())
	if doc == nil && len(ds) == 0 {
		t.Fatalf("no document and no reason: %q", src)
	}
	if doc == nil || doc.Canonical == nil {
		if validation.Valid(ds) {
			t.Fatalf("valid without a canonical form: %q", src)
		}
		return
	}
	if !json.Valid(doc.Canonical) {
		t.Fatalf("the canonical form is no JSON: %q", doc.Canonical)
	}
	again, more := validation.Check(doc.Canonical, source.JSON, testCatalog())
	if again == nil || !bytes.Equal(again.Canonical, doc.Canonical) || again.Hash != doc.Hash {
		t.Fatalf("export, import, export differs: %q", doc.Canonical)
	}
	if validation.Valid(ds) != validation.Valid(more) {
		t.Fatalf("valid here and not there: %q", doc.Canonical)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add([]byte(s.text), s.format == source.YAML)
	}
	f.Fuzz(func(t *testing.T, src []byte, yaml bool) {
		format := source.JSON
		if yaml {
			format = source.YAML
		}
		checkAny(t, src, format)
	})
}

// anyJSON draws a value with odd keys, texts and numbers.
func anyJSON(depth int) *rapid.Generator[string] {
	scalars := []*rapid.Generator[string]{
		rapid.SampledFrom([]string{"null", "true", "false", "0", "-0", "1.0", "1e400", "9007199254740993", "-1.50E-7", "123456789012345678901234567890"}),
		rapid.Map(rapid.String(), func(s string) string {
			raw, _ := json.Marshal(s)
			return string(bytes.ReplaceAll(raw, []byte(`\u0000`), []byte(`\u0001`)))
		}),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	inner := anyJSON(depth - 1)
	list := rapid.Map(rapid.SliceOfN(inner, 0, 4), func(items []string) string {
		var b bytes.Buffer
		for i, item := range items {
			if i > 0 {
				b.WriteString(" , ")
			}
			b.WriteString(item)
		}
		return "[ " + b.String() + " ]"
	})
	object := rapid.Map(rapid.MapOfN(rapid.StringMatching(`[a-z/~é "\\]{0,4}`), inner, 0, 4), func(m map[string]string) string {
		var b bytes.Buffer
		for key, value := range m {
			if b.Len() > 0 {
				b.WriteByte(',')
			}
			raw, _ := json.Marshal(key)
			b.Write(raw)
			b.WriteString(" :\n" + value)
		}
		return "{" + b.String() + "}"
	})
	return rapid.OneOf(append(scalars, list, object)...)
}

func TestExportImportExportIsIdentical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := `{"name":"n","output":` + anyJSON(4).Draw(t, "value") + `,"steps":[{"id":"a","type":"free"}]}`
		doc, ds := parser.Parse([]byte(src), source.JSON)
		if len(ds) > 0 {
			t.Fatalf("%s: %v", src, ds)
		}
		again, _ := parser.Parse(doc.Canonical, source.JSON)
		if !bytes.Equal(again.Canonical, doc.Canonical) {
			t.Fatalf("%s\n%s", doc.Canonical, again.Canonical)
		}
		var a, b any
		if decodeExactly(src, &a) != nil || decodeExactly(string(doc.Canonical), &b) != nil {
			t.Fatalf("%s cannot be decoded", src)
		}
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if !bytes.Equal(x, y) {
			t.Fatalf("the values differ: %s and %s", x, y)
		}
	})
}

func decodeExactly(src string, into *any) error {
	dec := json.NewDecoder(bytes.NewReader([]byte(src)))
	dec.UseNumber()
	return dec.Decode(into)
}
