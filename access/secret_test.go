package access

import (
	"regexp"
	"strings"
	"testing"
)

func TestSecretForm(t *testing.T) {
	form := regexp.MustCompile(`^iw_live_[0-9A-Za-z]{36}$`)
	seen := map[string]bool{}
	for range 1000 {
		s := newSecret()
		if !form.MatchString(s) || !wellFormed(s) || seen[s] {
			t.Fatalf("bad or repeated key %q", s)
		}
		seen[s] = true
	}
}

func TestSecretDrawsEveryCharacter(t *testing.T) {
	var all strings.Builder
	for range 300 {
		all.WriteString(newSecret()[len(secretPrefix) : len(secretPrefix)+randomLen])
	}
	for _, c := range base62 {
		n := strings.Count(all.String(), string(c))
		if n < 70 || n > 240 { // 145 expected of 9,000
			t.Errorf("%q drawn %d times of 9,000", c, n)
		}
	}
}

func TestChecksumKnownValue(t *testing.T) {
	// Worked out elsewhere: CRC-32 (IEEE) of 30 zeros, written in base 62.
	if got := checksum(strings.Repeat("0", randomLen)); got != "2C8GjS" {
		t.Fatalf("checksum = %q", got)
	}
}

func TestWellFormedRefuses(t *testing.T) {
	good := newSecret()
	flipped := []byte(good)
	flipped[20] ^= 1 // stays printable; base62 or not, the sum is off
	for name, s := range map[string]string{
		"empty":          "",
		"short":          good[:len(good)-1],
		"long":           good + "0",
		"other prefix":   "iw_test_" + good[len(secretPrefix):],
		"one bit off":    string(flipped),
		"checksum zeros": good[:len(good)-checkLen] + "000000",
		"not base62":     "iw_live_" + strings.Repeat("-", randomLen) + checksum(strings.Repeat("-", randomLen)),
	} {
		if wellFormed(s) {
			t.Errorf("%s: %q accepted", name, s)
		}
	}
}
