package editdistance

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestBetween(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		limit int
		want  int
	}{
		{"", "", 3, 0},
		{"slug", "slug", 3, 0},
		{"slgu", "slug", 3, 1},
		{"stpes", "steps", 3, 1},
		{"step", "steps", 3, 1},
		{"steps", "stops", 3, 1},
		{"größe", "grösse", 9, 2},
		{"ID", "id", 9, 2},
		{"kitten", "sitting", 9, 3},
		{"kitten", "sitting", 2, 2},
		{"a", strings.Repeat("b", 200), 4, 4},
		{strings.Repeat("a", 200), strings.Repeat("a", 199) + "b", 4, 1},
	} {
		if got := Between(c.a, c.b, c.limit); got != c.want {
			t.Errorf("Between(%.9q, %.9q, %d) = %d, want %d", c.a, c.b, c.limit, got, c.want)
		}
	}
}

// A limit never changes an answer below it.
func TestALimitOnlyCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("abcé")), 0, 8, -1)
		a, b, limit := word.Draw(t, "a"), word.Draw(t, "b"), rapid.IntRange(1, 9).Draw(t, "limit")
		whole := Between(a, b, 99)
		if got, want := Between(a, b, limit), min(whole, limit); got != want {
			t.Fatalf("Between(%q, %q, %d) = %d, want %d", a, b, limit, got, want)
		}
		if back := Between(b, a, 99); back != whole {
			t.Fatalf("%q to %q is %d, back %d", a, b, whole, back)
		}
	})
}
