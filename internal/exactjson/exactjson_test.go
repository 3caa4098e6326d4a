package exactjson_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/internal/exactjson"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// numbers are written in ways that differ though their values may not.
func numbers() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?`),
		rapid.SampledFrom([]string{"0", "-0", "0.0", "1", "1.0", "1e0", "10e-1", "0.1e1", "9007199254740993", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e400", "-1e-400", "1E+2", "100"}),
	)
}

// texts hold what escapers treat apart: quotes, control characters, line separators,
// characters beyond the first plane.
func texts() *rapid.Generator[string] {
	odd := []rune{'"', '\\', '/', '\b', '\f', '\n', '\r', '\t', 0, 1, 0x1f, ' ', 'a', '<', '&', '~', 0x7f, 0x80, 'é', 0x2028, 0x2029, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x10ffff}
	return rapid.OneOf(rapid.StringOfN(rapid.SampledFrom(odd), 0, 12, -1), rapid.StringN(0, 12, -1))
}

// values are decoded values of any kind.
func values(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Just(any(nil)), rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(numbers(), func(n string) any { return json.Number(n) }), texts().AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	return rapid.OneOf(append(scalars,
		rapid.Map(rapid.SliceOfN(values(depth-1), 0, 4), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(texts(), values(depth-1), 0, 4), func(m map[string]any) any { return m }))...)
}

// spaced writes a value in another form: white space, other escapes, names in another
// order.
func spaced(t *rapid.T, v any) string {
	space := func() string { return rapid.SampledFrom([]string{"", " ", "\n\t", "\r\n"}).Draw(t, "space") }
	var b strings.Builder
	b.WriteString(space())
	switch v := v.(type) {
	case map[string]any:
		names := rapid.Permutation(exactjson.Names(v)).Draw(t, "order")
		b.WriteString("{" + space())
		for i, name := range names {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(spaced(t, name) + ":" + spaced(t, v[name]))
		}
		b.WriteString("}")
	case []any:
		b.WriteString("[" + space())
		for i, x := range v {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(spaced(t, x))
		}
		b.WriteString("]")
	case string:
		if !rapid.Bool().Draw(t, "escaped") {
			b.Write(exactjson.Quote(v))
			break
		}
		raw, err := json.Marshal(v) // escapes more than it has to
		if err != nil {
			t.Fatal(err)
		}
		b.Write(raw)
	default:
		b.Write(exactjson.Append(nil, v))
	}
	b.WriteString(space())
	return b.String()
}

func decoded(t interface{ Fatal(args ...any) }, text []byte) (v any) {
	if err := exactjson.Decode(text, &v); err != nil {
		t.Fatal(string(text), err)
	}
	return v
}

// A key is shared by exactly what is equal by value.
func TestValueKeys(t *testing.T) {
	t.Parallel()
	small := rapid.OneOf(
		rapid.SampledFrom([]any{"1", "list", "{false 1 1}", []any{"{false 1 1}"}, nil, true, json.Number("1"), json.Number("1.0"), json.Number("10e-1"), json.Number("-0"), json.Number("0"), json.Number("1e9999999999")}),
		values(1))
	rapid.Check(t, func(t *rapid.T) {
		a, b := small.Draw(t, "a"), small.Draw(t, "b")
		if rapid.Bool().Draw(t, "nested") {
			a, b = []any{a}, []any{b}
		}
		if equal, same := exactjson.EqualByValue(a, b), exactjson.ValueKey(a) == exactjson.ValueKey(b); equal != same {
			t.Fatalf("%v and %v: equal %v, same key %v", a, b, equal, same)
		}
	})
}

// The canonical form is one for all ways to write a value, and reads back as it.
func TestCanonicalForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := values(3).Draw(t, "value")
		text := exactjson.Append(nil, v)
		if back := decoded(t, text); !exactjson.Equal(back, v) || !exactjson.EqualByValue(v, back) {
			t.Fatalf("%s is read as another value", text)
		}
		other := []byte(spaced(t, v))
		if again := exactjson.Append(nil, decoded(t, other)); !bytes.Equal(again, text) {
			t.Fatalf("%s\n%s", text, again)
		}
		if o := exactjson.Append([]byte("x"), v); string(o) != "x"+string(text) {
			t.Fatalf("appended: %s", o)
		}
	})
}

// Two values are equal exactly where their canonical forms are.
func TestEqualIsEqualForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := values(2).Draw(t, "a"), values(2).Draw(t, "b")
		if rapid.Bool().Draw(t, "near") {
			b = changed(t, a)
		}
		same := bytes.Equal(exactjson.Append(nil, a), exactjson.Append(nil, b))
		if exactjson.Equal(a, b) != same || exactjson.Equal(b, a) != same {
			t.Fatalf("%s\n%s", exactjson.Append(nil, a), exactjson.Append(nil, b))
		}
		if same && !exactjson.EqualByValue(a, b) {
			t.Fatal("equal as written, not by value")
		}
	})
}

// changed returns a copy of a value that may differ in one place.
func changed(t *rapid.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := maps.Clone(v)
		for _, name := range exactjson.Names(v) {
			c[name] = changed(t, v[name])
			break
		}
		return c
	case []any:
		c := slices.Clone(v)
		if len(c) > 0 {
			c[0] = changed(t, c[0])
		}
		return c
	}
	return rapid.OneOf(rapid.Just(v), values(0)).Draw(t, "scalar")
}

// What hashes cover is pinned by its bytes: each character that JSON escapes, the
// order of names, and, by a hash, every character that there is.
func TestBytesOfTheForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             `""`,
		"\"\\/":                        `"\"\\/"`,
		"\b\t\n\f\r\x00\x1f":           `"\u0008\t\n\u000c\r\u0000\u001f"`,
		"<>&'\x7f\u0085\u2028\u2029é😀": "\"<>&'\x7f\u0085\u2028\u2029é😀\"",
		"a\xffb\xe2\x82c\xed\xa0\x80":  "\"a\uFFFDb\uFFFD\uFFFDc\uFFFD\uFFFD\uFFFD\"",
	} {
		if got := string(exactjson.Quote(text)); got != want || string(exactjson.Quote([]byte(text))) != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	var all []byte
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if utf8.ValidRune(r) {
			all = exactjson.AppendString(all, string(r))
		}
	}
	sum := sha256.Sum256(all)
	if got := hex.EncodeToString(sum[:]); got != "2764e6215b3bc65d9853b79fdcd5364e7b64721a49a2603d3173777162c91725" {
		t.Error("the characters have another form: ", got)
	}
	v := decoded(t, []byte(`{"\ue000":1.0,"\ud800\udc00":-0,"b":[1E400,[]],"a":{},"B":null,"":true,"aa":12345678901234567890.10}`))
	want := `{"":true,"B":null,"a":{},"aa":12345678901234567890.10,"b":[1E400,[]],"` + "\ue000" + `":1.0,"` + "\U00010000" + `":-0}`
	if got := string(exactjson.Append(nil, v)); got != want {
		t.Errorf("\n%s\n%s", got, want)
	}
}

// Objects are written member by member.
func TestObject(t *testing.T) {
	t.Parallel()
	o := exactjson.ObjectIn([]byte("["))
	empty := o
	o.Text("a\n", "é")
	o.Raw("r", json.RawMessage(`[1]`))
	o.Int("n", -5)
	if got := string(o.End()); got != `[{"a\n":"é","r":[1],"n":-5}` {
		t.Error(got)
	}
	if got := string(empty.End()); got != `[{}` {
		t.Error(got)
	}
}

// Numbers are compared, and found whole, as exact fractions are.
func TestNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers().Draw(t, "a"), numbers().Draw(t, "b")
		x, okX := new(big.Rat).SetString(a)
		y, okY := new(big.Rat).SetString(b)
		dx, ok := exactjson.ParseDecimal(a)
		dy, also := exactjson.ParseDecimal(b)
		if !okX || !okY || !ok || !also {
			t.Fatal("not read")
		}
		if got, want := dx.Compare(dy), x.Cmp(y); got != want {
			t.Fatalf("%s, %s: %d, want %d", a, b, got, want)
		}
		if exactjson.IsWhole(a) != x.IsInt() {
			t.Fatalf("%s is whole: %v", a, !x.IsInt())
		}
		n, ok := exactjson.Int(a)
		if want := x.IsInt() && x.Num().IsInt64(); ok != want || ok && n != x.Num().Int64() {
			t.Fatalf("%s is %d, %v", a, n, ok)
		}
		if exactjson.EqualByValue(json.Number(a), json.Number(b)) != (x.Cmp(y) == 0) {
			t.Fatalf("%s equals %s", a, b)
		}
	})
	for text, want := range map[string]bool{"1e999999999": true, "1e9999999999": false, "0e99999999999999999999": true, "1e-999999999": true, "": false, "x": false, "1_0": false, "0x10": false} {
		if _, ok := exactjson.ParseDecimal(text); ok != want {
			t.Errorf("%s is read: %v", text, ok)
		}
	}
}

// The grammar is that of encoding/json, and the bound counts digits alone.
func TestGrammarAndBoundOfNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(numbers(), rapid.StringOfN(rapid.SampledFrom([]rune("+-.eE0129")), 0, 8, -1)).Draw(t, "text")
		if exactjson.IsNumber(text) != json.Valid([]byte(text)) {
			t.Fatalf("%q is a number: %v", text, exactjson.IsNumber(text))
		}
	})
	long := strings.Repeat("7", 1000)
	for number, want := range map[string]bool{
		"1": false, "1e1000": false, "1E-1000": false, "1e+001000": false, "1e1001": true, "1e-1001": true, "-" + long: false, "-0." + long: true,
		long + "7": true, "0." + long[1:]: false, "1e" + long: true, "1e0000" + long[:1]: false,
	} {
		if got := exactjson.TooLarge(number); got != want || exactjson.TooLarge([]byte(number)) != want {
			t.Errorf("%.20s (%d) is too large: %v", number, len(number), got)
		}
	}
}

// The scanner sees the tokens that encoding/json decodes, and Parts the parts.
func TestScanning(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := values(3).Draw(t, "value")
		text := []byte(spaced(t, v))
		var tokens []any
		depth, deepest := 0, 0
		for s := exactjson.ScannerOf(text); s.Next(); {
			token := string(s.Token())
			if strings.Contains("{}[]", token) {
				tokens = append(tokens, token)
			} else {
				tokens = append(tokens, decoded(t, []byte(token)))
			}
			depth, deepest = s.Depth, max(deepest, s.Depth)
		}
		if depth != 0 || exactjson.DeeperThan(text, deepest) || deepest > 0 && !exactjson.DeeperThan(text, deepest-1) {
			t.Fatalf("depth %d, at most %d", depth, deepest)
		}
		if want := meanings(text); !exactjson.Equal(tokens, want) {
			t.Fatalf("%q\n%q", tokens, want)
		}
		text = bytes.TrimSpace(text)
		if end := exactjson.SkipValue(append(slices.Clip(text), " x"...), 0); end != len(text) {
			t.Fatalf("the value ends at %d of %d", end, len(text))
		}
		var again []any
		object := map[string]any{}
		p := exactjson.PartsOf(text)
		for p.Next() {
			again = append(again, decoded(t, p.Value()))
			if p.Name != nil {
				object[decoded(t, p.Name).(string)] = again[len(again)-1]
			}
		}
		if nests := text[0] == '{' || text[0] == '['; p.Closed() != nests {
			t.Fatalf("%s is closed: %v", text, !nests)
		}
		for cut := exactjson.PartsOf(text[:len(text)-1]); ; {
			if !cut.Next() {
				if cut.Closed() {
					t.Fatalf("%s is closed without its end", text)
				}
				break
			}
		}
		var got any = object
		switch v.(type) {
		case []any:
			got = slices.Concat([]any{}, again)
		case map[string]any:
		default:
			got = v
		}
		if !exactjson.Equal(got, v) {
			t.Fatalf("parts of %s: %v", text, again)
		}
	})
}

// meanings returns what the tokens of a text mean, by encoding/json.
func meanings(text []byte) (list []any) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if err != nil {
			return list
		}
		if bracket, ok := token.(json.Delim); ok {
			token = bracket.String()
		}
		list = append(list, token)
	}
}

// Text that is not JSON is read to its end, without a panic and never backwards.
func TestScanningAnyBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.StringOf(rapid.SampledFrom([]rune(`{}[]",:\ut0-e. x`))).Draw(t, "text"))
		at := 0
		for s := exactjson.ScannerOf(text); s.Next(); at = s.End {
			if s.Start < at || s.End <= s.Start || s.End > len(text) {
				t.Fatalf("%d to %d after %d", s.Start, s.End, at)
			}
		}
		for i := range text {
			if end := exactjson.SkipValue(text, i); end <= i || end > len(text) {
				t.Fatalf("a value from %d to %d", i, end)
			}
			at := i
			for p := exactjson.PartsOf(text[i:]); p.Next(); at = i + p.End {
				if i+p.Start < at || p.End > len(text)-i {
					t.Fatalf("a part from %d to %d after %d", i+p.Start, i+p.End, at)
				}
			}
		}
	})
}

// A NUL counts where it is an escape, not behind an escaped backslash.
func TestHoldsNUL(t *testing.T) {
	t.Parallel()
	for quoted, want := range map[string]bool{`"\u0000"`: true, `"a\n\u0000"`: true, `"\\u0000"`: false, `"\u0001"`: false, `"\`: false, `""`: false} {
		if got := exactjson.HoldsNUL([]byte(quoted)); got != want {
			t.Errorf("%s: %v", quoted, got)
		}
	}
}

// One value is decoded, with its numbers as they are written.
func TestDecode(t *testing.T) {
	t.Parallel()
	var v any
	if err := exactjson.Decode([]byte(` [1.0, 12345678901234567890] `), &v); err != nil || fmt.Sprint(v) != "[1.0 12345678901234567890]" {
		t.Error(v, err)
	}
	if err := exactjson.Decode([]byte(`1 2`), &v); !errors.Is(err, exactjson.ErrTrailing) {
		t.Error(err)
	}
	for _, text := range []string{"", "{", "[1,]"} {
		if exactjson.Decode([]byte(text), &v) == nil {
			t.Errorf("%q is decoded", text)
		}
	}
	raw, err := exactjson.Encode(struct{ A, B string }{"<&>", "é"})
	if err != nil || string(raw) != `{"A":"<&>","B":"é"}` {
		t.Error(string(raw), err)
	}
}

// Text comes back from its JSON, however it is escaped.
func TestUnquote(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		escaped, err := json.Marshal(text)
		if got := exactjson.Unquote(exactjson.Quote(text)); got != text || err != nil || exactjson.Unquote(escaped) != text {
			t.Fatalf("%q is %q", text, got)
		}
	})
}

// Pointers escape ~ and /, and tokens come back from them.
func TestPointers(t *testing.T) {
	t.Parallel()
	if got := exactjson.Pointer([]string{"a/b", "~1", ""}); got != "/a~1b/~01/" {
		t.Error(got)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOf(rapid.SampledFrom([]rune("~/01a"))).Draw(t, "name")
		token := exactjson.EscapeToken(name)
		if strings.Contains(token, "/") || exactjson.UnescapeToken(token) != name {
			t.Fatalf("%s is %s", name, token)
		}
	})
}
