package expressions

import (
	"strings"
)

// incomplete finds a part that is missing: a bracket's other half, what stands
// behind a ?, or an operator between two values. It follows tokens, not the
// grammar, which has failed already. Nil: nothing is known to be missing.
func incomplete(source string) *Error {
	if e := unbalanced(source); e != nil {
		return e
	}
	question, colon, before, first, braces := 0, false, "", "", false
	for s := newScan(source); s.next(); {
		token := s.token()
		if token == "?" || token == "." {
			if _, length := signAt(source[s.start:]); length > 1 {
				s.end = s.start + length
				before = source[s.start:s.end]
				continue
			}
		}
		if first == "" {
			first = token
		}
		switch {
		// The column of the first ? is that of the error, if no : follows.
		case token == "?" && question == 0:
			question = s.column()
		case token == ":":
			colon = true
		case token == "{":
			braces = true
		case strings.ContainsAny(token[:1], "'\"`") && operandEnd(before), identifier(token) && !operatorWords[token] && operandEnd(before) && before != "in":
			if (first == "if" || first == "range" || first == "with") && !braces {
				return failAt(CodeSyntax, 1, "{{%s … }} is a statement of Handlebars or Go templates, which there are none of: write an expression, such as input.ok ? 'a' : 'b', or join(map(list, #.name), ', ')", first)
			}
			return missingOperator(source, s, before)
		}
		before = token
	}
	switch {
	case first == "if" && !braces:
		return failAt(CodeSyntax, 1, "write a ? b : c, or if a { b } else { c }; a statement of Handlebars or Go templates, such as {{ if }} … {{ end }}, there is not")
	case question > 0 && !colon:
		return failAt(CodeSyntax, question, "behind ? two values are needed: write a ? b : c; ?? gives a default, as in a ?? 'b'")
	}
	return nil
}

// missingOperator is the error of two values with nothing between them, where s
// is at the second and before is the token in front of it: a function without
// its brackets, or texts that are to be joined.
func missingOperator(source string, s *scan, before string) *Error {
	value, column := s.token(), s.column()
	// Behind a closing bracket or a text, no function can be meant.
	if !identifier(before) {
		return failAt(CodeSyntax, column, "an operator is missing before %s; + joins texts", shown(value))
	}
	rest := strings.TrimSpace(source[s.start:])
	name := before
	if w, ok := functionWords().find(name); ok && functions[name].run == nil && functions[w.suggest].run != nil {
		name = w.suggest
	}
	if functions[name].run == nil {
		return failAt(CodeSyntax, column, "an operator is missing between %s and %s; a function's arguments stand in brackets, as in upper(x)", before, clipped(value))
	}
	e := failAt(CodeSyntax, column, "a function's arguments stand in brackets: write %s(%s)", name, clipped(rest))
	e.Suggestion = name + "(" + rest + ")"
	return e
}

// unbalanced finds a bracket outside strings without its other half, or with a
// wrong one; nil: all match.
func unbalanced(source string) *Error {
	type opened struct {
		bracket string
		column  int
	}
	var open []opened
	pairs := map[string]string{")": "(", "]": "[", "}": "{"}
	for s := newScan(source); s.next(); {
		switch {
		case s.opens():
			open = append(open, opened{s.token(), s.column()})
		case s.closes() && len(open) == 0:
			return failAt(CodeSyntax, s.column(), "there is a %s without its %s", s.token(), pairs[s.token()])
		case s.closes() && open[len(open)-1].bracket != pairs[s.token()]:
			return failAt(CodeSyntax, s.column(), "the %s of column %d is closed by a %s", open[len(open)-1].bracket, open[len(open)-1].column, s.token())
		case s.closes():
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		last := open[len(open)-1]
		return failAt(CodeSyntax, last.column, "the %s that opens here is never closed", last.bracket)
	}
	return nil
}
