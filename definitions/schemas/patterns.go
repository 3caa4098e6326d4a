package schemas

import (
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// patterns reads the patterns of one schema within a budget of their compiled
// size, and makes them count what matching costs.
type patterns struct {
	meter *meter
	left  int                 // instructions
	known map[string]*pattern // by text
}

// pattern is a regular expression (RE2), compiled when it is first matched:
// reading a schema compiles none. It never matches beyond the meter's budget.
type pattern struct {
	source  string
	meter   *meter
	size    int // about how many instructions it has
	compile sync.Once
	re      *regexp.Regexp
}

// compiled returns the expression, which the first call compiles.
func (p *pattern) compiled() *regexp.Regexp {
	p.compile.Do(func() { p.re = regexp.MustCompile(p.source) }) // it has been parsed
	return p.re
}

// String returns the pattern as written; for jsonschema.Regexp.
func (p *pattern) String() string { return p.source }

// errPatternSize is the error of a pattern with which the schema's exceed
// maxInstructions.
var errPatternSize = fmt.Errorf("the patterns of one schema may have %d instructions together; use fewer and shorter repetitions such as {1,900}", maxInstructions)

// read returns a pattern of the schema; for jsonschema.RegexpEngine. Equal
// texts are one pattern and counted once. Errors: errPatternSize, or that of
// regexp/syntax.
func (p *patterns) read(source string) (jsonschema.Regexp, error) {
	if known := p.known[source]; known != nil {
		return known, nil
	}
	size, err := patternSize(source)
	if err != nil {
		return nil, err
	}
	if p.left -= size; p.left < 0 {
		return nil, errPatternSize
	}
	made := &pattern{source: source, meter: p.meter, size: size}
	p.known[source] = made
	return made, nil
}

// patternSize returns about how many instructions a pattern has when its
// repetitions are written out, at least; nothing is written out for it.
// (a{1000}){1000} is refused by the parser or by the number, not by the
// memory that it would take.
func patternSize(source string) (int, error) {
	if len(source) > maxInstructions {
		return 0, errPatternSize
	}
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return 0, err
	}
	return instructions(re), nil
}

// instructions returns the estimate of one expression and those in it. A
// repetition multiplies what it repeats.
func instructions(re *syntax.Regexp) int {
	n := 1
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass:
		n = 1 + len(re.Rune)/64
	}
	for _, sub := range re.Sub {
		n += instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, math.MaxInt32)
}

// MatchString reports whether a text has a match; for jsonschema.Regexp. RE2
// takes time by the product of text and pattern, which is spent before. Where
// that is much the text is read one character at a time, so that what is not
// read costs nothing.
func (p *pattern) MatchString(s string) bool {
	// Eight visits of an instruction count as one unit.
	if work := len(s) * p.size / 8; work < 10_000 {
		p.meter.spend(1 + work)
		return p.compiled().MatchString(s)
	}
	return p.compiled().MatchReader(&meteredReader{from: strings.NewReader(s), pattern: p})
}

// meteredReader is a text whose every character costs.
type meteredReader struct {
	from    *strings.Reader
	pattern *pattern
}

// ReadRune returns the next character, after spending what it costs the
// pattern at most.
func (r *meteredReader) ReadRune() (rune, int, error) {
	r.pattern.meter.spend(1 + r.pattern.size/8)
	return r.from.ReadRune()
}
