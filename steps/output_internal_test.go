package steps

import (
	"bytes"
	"heddle/executor"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The size of a text's JSON is known before memory is taken for it.
func TestTextSizeIsThatOfTheValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("a\"\\\n\r\t\b\f\x01\x1f\x7f<&>\u2027\u2028\u2029\u202aé\U0001f4a5"))).Draw(t, "text")
		value := textValue([]byte(text))
		if len(value) != textSize([]byte(text)) || cap(value) > len(value) {
			t.Fatalf("%s has %d bytes of %d, want %d", value, len(value), cap(value), textSize([]byte(text)))
		}
	})
}

// Bounds are those of definitions: nesting, digits and exponents, NUL.
func TestBoundsOfJSONFromOutside(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	digits := strings.Repeat("9", 1000)
	for text, want := range map[string]string{
		deep(64): deep(64), deep(65): "", `"\u0000"`: "", `"\\u0000"`: `"\\u0000"`, `["a`: "", "[1,]": "",
		"\ufeff [ -" + digits + " , 1E+1000 ]":                        "[-" + digits + ",1E+1000]",
		`{"9` + digits + `": [9` + digits + `, 1e1001, "1e1001", 2]}`: `{"9` + digits + `":["9` + digits + `","1e1001","1e1001",2]}`,
	} {
		got, ok := jsonValue([]byte(text))
		if string(got) != want || ok != (want != "") {
			t.Errorf("%.40s is %.40s, %v", text, got, ok)
		}
	}
}

// A body that shrinks below the excerpt because most of it is no text is quoted
// without its end, which may be a piece of a secret.
func TestAnExcerptOfBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	body := append(bytes.Repeat([]byte{0}, maxExcerptSource), "tail"...)
	body[0] = 'x'
	if got := excerpt(executor.Call{}, body, 2048); got != "" {
		t.Errorf("%q", got)
	}
}

func TestCostsDoNotOverflow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n1, price1, n2, price2, want int64 }{
		{0, 0, 0, 0, 0},
		{1, 1, 0, 0, 1},
		{1000, 2, 500, 4, 4},
		{1001, 1, 0, 0, 2},
		{1e12, 1e9, 1e12, 1e9, 2e18},
		{1e12, 1e9, 9e18, 1e9, math.MaxInt64},
		{math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64},
	} {
		if got := perThousand(c.n1, c.price1, c.n2, c.price2); got != c.want {
			t.Errorf("perThousand(%d, %d, %d, %d) = %d, want %d", c.n1, c.price1, c.n2, c.price2, got, c.want)
		}
	}
	for _, c := range []struct{ amount, price, want int64 }{{0, 1, 0}, {3, 2000, 1}, {math.MaxInt64, 1, math.MaxInt64}, {math.MaxInt64, 1000, math.MaxInt64}, {1e18, 1e9, 1e12}} {
		if got := affordable(c.amount, c.price); got != c.want {
			t.Errorf("affordable(%d, %d) = %d, want %d", c.amount, c.price, got, c.want)
		}
	}
}
