package lazyregexp_test

import (
	"testing"

	regexp "heddle/internal/lazyregexp"
)

func TestAPatternIsUsedAsInTheStandardLibrary(t *testing.T) {
	r := regexp.MustCompile(`(\w)=(\d+)`)
	if !r.MatchString("a=12") || r.MatchString("a") || r.FindString("x a=12 y") != "a=12" || r.String() != `(\w)=(\d+)` {
		t.Error("a match is not found")
	}
	if got := r.FindStringSubmatch("a=12"); len(got) != 3 || got[2] != "12" {
		t.Errorf("submatches %v", got)
	}
	if got := r.ReplaceAllString("a=12 b=3", "$2=$1"); got != "12=a 3=b" {
		t.Errorf("replaced: %s", got)
	}
	if got := string(r.ExpandString(nil, "$1", "a=12", r.FindStringSubmatchIndex("a=12"))); got != "a" {
		t.Errorf("expanded: %s", got)
	}
}

func TestAWrongPatternIsSeenInTests(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	regexp.MustCompile(`(`)
}
