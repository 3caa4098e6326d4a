package expressions

import (
	"encoding/json"
	"errors"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// operators are what rewritten trees call for the library's operators, and for
// what has no name in an expression: reading a path, opening a list. Names
// begin with $, which no function that an author can call does. It never
// changes.
var operators = map[string]func(*evaluation, []any) (any, *Error){
	// Reading from the scope.
	"$path":   func(e *evaluation, a []any) (any, *Error) { return e.value(a[0].(int)) },
	"$step":   func(e *evaluation, a []any) (any, *Error) { return e.computedStep(a[0]) },
	"$signal": func(e *evaluation, a []any) (any, *Error) { return e.computedSignal(a[0]) },
	// Lists of predicate functions, and what is made of their results.
	"$list":     func(e *evaluation, a []any) (any, *Error) { return e.walk(a) },
	"$sum":      func(e *evaluation, a []any) (any, *Error) { return e.sum(a[0]) },
	"$sortBy":   func(e *evaluation, a []any) (any, *Error) { return e.sortPairs(a[0], a[1:]) },
	"$lastTrue": func(_ *evaluation, a []any) (any, *Error) { return lastTrue(a[0]) },
	// Methods; on null, only a ?. may call one.
	"$methodOfAny": func(e *evaluation, a []any) (any, *Error) {
		if a[0] == nil {
			return nil, nil
		}
		return e.method(a[0], a[1].(string), a[2:])
	},
	"$method": func(e *evaluation, a []any) (any, *Error) { return e.method(a[0], a[1].(string), a[2:]) },
	// The operators of the language.
	"$neg":   func(e *evaluation, a []any) (any, *Error) { return e.negate(a[0]) },
	"$slice": func(e *evaluation, a []any) (any, *Error) { return e.slice(a) },
	"$chars": func(e *evaluation, a []any) (any, *Error) { return e.characters(a[0]) },
	"$range": func(e *evaluation, a []any) (any, *Error) { return e.span(a[0], a[1]) },
	"$in":    func(e *evaluation, a []any) (any, *Error) { return e.in(a[0], a[1]) },
	"$eq":    func(e *evaluation, a []any) (any, *Error) { return e.equal(a[0], a[1]) },
	"$ne": func(e *evaluation, a []any) (any, *Error) {
		same, err := e.equal(a[0], a[1])
		return !same, err
	},
	"$lt":         ordering("<", func(c int) bool { return c < 0 }),
	"$le":         ordering("<=", func(c int) bool { return c <= 0 }),
	"$gt":         ordering(">", func(c int) bool { return c > 0 }),
	"$ge":         ordering(">=", func(c int) bool { return c >= 0 }),
	"$add":        calculation("+"),
	"$sub":        calculation("-"),
	"$mul":        calculation("*"),
	"$div":        calculation("/"),
	"$mod":        calculation("%"),
	"$pow":        calculation("**"),
	"$contains":   search("contains", strings.Contains),
	"$startsWith": search("startsWith", strings.HasPrefix),
	"$endsWith":   search("endsWith", strings.HasSuffix),
	"$matches":    func(e *evaluation, a []any) (any, *Error) { return e.matches(a[0], a[1]) },
}

// ordering returns an operator that is true where holds is, for the result of
// compare.
func ordering(operator string, holds func(int) bool) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, a []any) (any, *Error) {
		c, err := e.compare(operator, a[0], a[1])
		return holds(c), err
	}
}

// calculation returns an arithmetic operator.
func calculation(operator string) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, a []any) (any, *Error) { return e.arithmetic(operator, a[0], a[1]) }
}

// search returns an operator on two strings that costs fuel by the length of
// the first. Null on either side is false: a text that is missing contains
// nothing.
func search(operator string, found func(s, part string) bool) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, a []any) (any, *Error) {
		if a[0] == nil || a[1] == nil {
			return false, nil
		}
		s, ok := a[0].(string)
		part, both := a[1].(string)
		if !ok || !both {
			return nil, fail(CodeType, "%s takes two strings, got %s and %s", operator, kindOf(a[0]), kindOf(a[1]))
		}
		return found(s, part), e.spend(1 + len(s)/512)
	}
}

// span is a..b, both included; empty where b is less than a. The error has
// CodeLarge for more than MaxList elements.
func (e *evaluation) span(from, to any) (any, *Error) {
	a, err := e.intArg(from)
	if err != nil {
		return nil, err
	}
	b, err := e.intArg(to)
	if err != nil {
		return nil, err
	}
	if b < a {
		return []any{}, nil
	}
	// Negative where the difference leaves 64 bits.
	n := b - a
	// Before the list is made: 1..1000000000 must cost nothing.
	if n < 0 || n >= MaxList {
		return nil, fail(CodeLarge, "%d..%d has more than %d elements", a, b, MaxList)
	}
	list := make([]any, n+1)
	for i := range list {
		list[i] = a + i
	}
	return list, e.spend(n + 1)
}

// in reports whether a list has an element that is equal to needle, or an
// object a member of that name; nothing is in null. Each comparison costs fuel.
// The error has CodeType for another holder: a string is searched with
// contains.
func (e *evaluation) in(needle, holder any) (any, *Error) {
	// What is missing contains nothing.
	if holder == nil {
		return false, nil
	}
	if list, ok := listOf(holder); ok {
		if err := capList(len(list)); err != nil {
			return nil, err
		}
		for _, x := range list {
			if same, err := e.equal(x, needle); err != nil || same {
				return same, err
			}
		}
		return false, nil
	}
	if has, ok := hasMember(holder, needle); ok {
		return has, e.spend(1)
	}
	hint := ""
	if _, isString := holder.(string); isString {
		hint = "; contains looks inside a string"
	}
	return nil, fail(CodeType, "in takes a list or an object, got %s%s", kindOf(holder), hint)
}

// hasMember reports whether an object has a member; object is false for a
// holder that is not an object. A key that is not a string names no member,
// except of groups.
func hasMember(holder, key any) (has, object bool) {
	switch m := holder.(type) {
	case map[string]any:
		name, ok := key.(string)
		if ok {
			_, has = m[name]
		}
		return has, true
	case map[any][]any:
		if scalar(key) {
			_, has = m[key]
		}
		return has, true
	}
	return false, false
}

// scalar reports whether a value may be a key of a group; a map lookup by any
// other would panic.
func scalar(v any) bool {
	switch v.(type) {
	case nil, bool, int, float64, string, json.Number:
		return true
	}
	return false
}

// matches is v matches p, where p is a pattern or its text; false where either
// is null. It costs what a matcher that never backtracks may do at worst: the
// string's length times the pattern's size, in units of 64.
func (e *evaluation) matches(v, p any) (any, *Error) {
	if v == nil || p == nil {
		return false, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, fail(CodeType, "matches takes a string, got %s", kindOf(v))
	}
	// A constant pattern was read at compilation.
	re, ok := p.(*pattern)
	if !ok {
		source, isString := p.(string)
		if !isString {
			return nil, fail(CodeType, "matches takes a pattern, got %s", kindOf(p))
		}
		var err *Error
		if re, err = e.computed(source); err != nil {
			return nil, err
		}
	}
	if err := e.spend(1 + len(s)*re.size/64); err != nil {
		return nil, err
	}
	return re.match(s), nil
}

// computed compiles a pattern that the expression has computed. That costs 20
// units of fuel and compilingCosts for each of its instructions; the last one
// is remembered and free. Its text is not in the error: a secret may be a part
// of it.
func (e *evaluation) computed(source string) (*pattern, *Error) {
	if e.lastPattern != nil && e.lastPattern.source == source {
		return e.lastPattern, nil
	}
	re, err := readPattern(source)
	if err != nil {
		return nil, fail(err.Code, "the pattern that was computed is not a regular expression, or too large")
	}
	if err := e.spend(20 + compilingCosts*re.size); err != nil {
		return nil, err
	}
	e.lastPattern = re
	return re, nil
}

// compilingCosts is the fuel of compiling one instruction of a pattern.
const compilingCosts = 30

// readPattern reads a regular expression of RE2 without compiling it. Its size,
// with repetitions written out, must be within maxPattern (else CodeLarge), its
// text within MaxSource (else CodeLarge); a text that is not a regular
// expression has CodeFailed.
func readPattern(source string) (*pattern, *Error) {
	if len(source) > MaxSource {
		return nil, fail(CodeLarge, "the pattern has more than %d bytes", MaxSource)
	}
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, fail(CodeFailed, "the pattern is not a regular expression: %s", patternWords(err))
	}
	size := patternSize(tree)
	if size > maxPattern {
		return nil, fail(CodeLarge, "the pattern is too large; use smaller repetitions")
	}
	return &pattern{source: source, size: size}, nil
}

// patternWords says what is wrong with a regular expression, in place of the
// library's words.
func patternWords(err error) string {
	var wrong *syntax.Error
	if !errors.As(err, &wrong) {
		return "it cannot be read"
	}
	// The library's texts are replaced as a whole: they are its own, and change
	// with it.
	words := map[syntax.ErrorCode]string{
		syntax.ErrMissingBracket: "a ] is missing", syntax.ErrMissingParen: "a ) is missing", syntax.ErrUnexpectedParen: "a ) is too many",
		syntax.ErrMissingRepeatArgument: "there is nothing to repeat before *, + or ?", syntax.ErrInvalidRepeatOp: "two repetitions follow each other",
		syntax.ErrInvalidRepeatSize: "a repetition is too large", syntax.ErrInvalidCharRange: "a range in [ ] runs backwards",
		syntax.ErrInvalidCharClass: "a class in [ ] does not exist", syntax.ErrInvalidEscape: "a backslash escape does not exist",
		syntax.ErrTrailingBackslash: "it ends in a backslash", syntax.ErrInvalidNamedCapture: "the name of a group is not one",
		syntax.ErrInvalidPerlOp: "look-ahead, look-behind and back references do not exist here", syntax.ErrInvalidUTF8: "it is not UTF-8",
		syntax.ErrNestingDepth: "its groups are nested too deep", syntax.ErrLarge: "it is too large",
	}
	said := words[wrong.Code]
	if said == "" {
		said = "it cannot be read"
	}
	return said + ", in " + shown(wrong.Expr)
}

// patternSize estimates the instructions of a compiled pattern; it stops
// counting above maxPattern. A repetition counts its body as often as it may be
// written out: a{1000} is a thousand.
func patternSize(tree *syntax.Regexp) int {
	size := 1
	switch tree.Op {
	case syntax.OpLiteral:
		size = len(tree.Rune)
	case syntax.OpCharClass:
		size = 1 + len(tree.Rune)/64
	}
	for _, sub := range tree.Sub {
		// Capped at each step, so that nested repetitions do not overflow.
		size = min(size+patternSize(sub), maxPattern+1)
	}
	if tree.Op == syntax.OpRepeat {
		size = min(size*max(tree.Min, tree.Max, 1), maxPattern+1)
	}
	return size
}

// sum adds the elements of a list that walk has paid for; that of nothing is 0.
// The error is that of +.
func (e *evaluation) sum(v any) (any, *Error) {
	list, _ := listOf(v)
	var total any = 0
	for _, x := range list {
		var err *Error
		if total, err = e.arithmetic("+", x, total); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// runes returns the number of characters of a string. O(len(s)).
func runes(s string) int { return utf8.RuneCountInString(s) }
