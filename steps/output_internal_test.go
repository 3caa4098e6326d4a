package steps

import (
	"testing"

	"pgregory.net/rapid"
)

func TestTextIsQuotedAsTheEncoderDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("a\"\\\n\r\t\b\f\x01\x1f\x7f<&>\u2027\u2028\u2029\u202aé\U0001f4a5"))).Draw(t, "text")
		if got, want := string(quoteText([]byte(text))), string(quote(text)); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}
