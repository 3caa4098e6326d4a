package expressions

import (
	"fmt"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// wrapped are the ways in which other products mark an expression. Each pattern
// matches a whole trimmed text and has the expression as its first group.
var wrapped = []struct {
	pattern *regexp.Regexp
	whose   string
}{
	{regexp.MustCompile(`^\$\{\{([^{}]*)\}\}$`), "${{ }} is GitHub Actions' way to mark an expression"},
	{regexp.MustCompile(`^=\{\{([^{}]*)\}\}$`), "={{ }} is n8n's way to mark an expression"},
	{regexp.MustCompile(`^\$\{([^{}]*)\}$`), "${ } is another product's way to mark an expression"},
	{regexp.MustCompile(`^\$\(([^()]*)\)$`), "$( ) is another product's way to mark an expression"},
	{regexp.MustCompile(`^<%=?([^<>%]*)%>$`), "<% %> is another product's way to mark an expression"},
	{regexp.MustCompile(`^#\{([^{}]*)\}$`), "#{ } is another product's way to mark an expression"},
	{regexp.MustCompile(`^@\{([^{}]*)\}$`), "@{ } is Logic Apps' way to mark an expression"},
	{regexp.MustCompile(`^\{([^{}]*)\}$`), "{ } writes an object here, and {{{ }}} is Handlebars' way to mark an expression"},
	{regexp.MustCompile(`^=([^={][^{}]*)$`), "= at the beginning is another product's way to mark an expression"},
}

// goTemplate matches the beginning of a statement of Handlebars or Go
// templates, and trimming a text with one of their marks for trimming, {{- and
// -}}, inside which the expression is the group.
var (
	goTemplate = regexp.MustCompile(`^-?\s*((?:[#^]\s*\w+)|(?:/\s*(?:if|each|unless|with)\b)|(?:if|range|with|end|else|block|define|template|each)(?:$|\s+[.$]))`)
	trimming   = regexp.MustCompile(`^(?:-\s+)?(.*?)(?:\s+-)?$`)
)

// braced matches {{ }} and ${{ }} inside a longer text; the group is what is
// inside.
var braced = regexp.MustCompile(`\$?\{\{\s*(.*?)\s*\}\}`)

// foreignSyntax finds in a text that does not parse what another language would
// have meant. Nil: nothing that is known. It is called after the parser has
// failed, so that nothing valid is ever refused here. Special cases come before
// general ones; the columns are those of source.
func foreignSyntax(source string) *Error {
	trimmed := strings.TrimSpace(source)
	column := runes(source[:len(source)-len(strings.TrimLeft(source, " \t\r\n"))]) + 1
	if strings.HasPrefix(trimmed, "{%") {
		return failAt(CodeSyntax, column, "{%% %%} is Jinja's way to write statements, which there are none of: write an expression, such as input.ok ? 'a' : 'b'")
	}
	if m := goTemplate.FindStringSubmatch(trimmed); m != nil {
		return failAt(CodeSyntax, column, "{{%s … }} is a statement of Handlebars or Go templates, which there are none of: write an expression, such as input.ok ? 'a' : 'b', or join(map(list, #.name), ', ')", m[1])
	}
	if m := trimming.FindStringSubmatch(trimmed); m != nil && m[1] != trimmed && m[1] != "" {
		e := failAt(CodeSyntax, column, "{{- and -}} are Go templates' and Jinja's: write {{ %s }}", m[1])
		e.Suggestion = m[1]
		return e
	}
	for _, w := range wrapped {
		if m := w.pattern.FindStringSubmatch(trimmed); m != nil {
			inner := strings.TrimSpace(m[1])
			e := failAt(CodeSyntax, column, "%s: write what is inside alone: %s", w.whose, inner)
			e.Suggestion = inner
			return e
		}
	}
	if strings.Contains(source, "{{") {
		if e := inBraces(source); e != nil {
			return e
		}
	}
	if e := foreignTokens(source); e != nil {
		return e
	}
	return incomplete(source)
}

// clipped is the first 60 characters of a part of an expression, for a message.
func clipped(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// inBraces finds {{ }} around a part of an expression; nil: there are none
// outside strings.
func inBraces(source string) *Error {
	for s := newScan(source); s.next(); {
		if s.token() != "{" || !strings.HasPrefix(source[s.start:], "{{") {
			continue
		}
		// All of them are taken away at once: the suggestion is the whole
		// expression.
		bare := strings.TrimSpace(braced.ReplaceAllString(source, "$1"))
		e := failAt(CodeSyntax, s.column(), "no {{ }} inside of an expression: write %s", bare)
		e.Suggestion = bare
		return e
	}
	return nil
}

// foreignTokens looks at the tokens in the order of the text, and returns the
// error of the first that another language would have written; nil: there is
// none.
func foreignTokens(source string) *Error {
	before := ""
	assigns := false // behind let
	for s := newScan(source); s.next(); {
		token := s.token()
		// A scan's token is one character here; signAt finds the whole sign.
		if first := token[0]; strings.IndexByte("=!<>&|?:.+-*~@\\{$", first) >= 0 && !(first == '$' && len(token) > 1) {
			w, length := signAt(source[s.start:])
			if w.say != "" && !(w.names == "=" && assigns) {
				return foreignSign(w, s.column())
			}
			assigns = assigns && w.names != "="
			// The scan goes on behind the whole sign.
			s.end = s.start + max(length, len(token))
			if first == '*' && before == "." {
				return failAt(CodeSyntax, s.column(), ".* is JMESPath's: write map(list, #.name) for a member of each element")
			}
			if first == '.' && before == "" && length < 2 {
				return leadingDot(source[s.start:], s.column())
			}
			before = source[s.start:s.end]
			if strings.HasPrefix(before, "|") && len(before) == 1 {
				if e := foreignPipe(source, s.end); e != nil {
					return e
				}
			}
			continue
		}
		if e := foreignToken(source, s, before); e != nil {
			return e
		}
		if token == "[" && operandEnd(before) && everyElement.MatchString(source[s.start:]) {
			return failAt(CodeSyntax, s.column(), "%s is JMESPath's or jq's: write map(list, #.name) for a member of each element", everyElement.FindString(source[s.start:]))
		}
		if identifier(token) && before != "." && before != "?." {
			assigns = assigns || token == "let"
			if e := foreignWord(source, s, before); e != nil {
				return e
			}
		}
		before = token
	}
	return nil
}

// typographic are the quotes of word processors, which replace straight ones in
// copied texts.
const typographic = "“”„‟‘’‚‛«»‹›"

// foreignToken judges the token that s is at by itself and by the token before
// it; nil: nothing is wrong with it.
func foreignToken(source string, s *scan, before string) *Error {
	token, column := s.token(), s.column()
	switch {
	case strings.Contains(typographic, token):
		return failAt(CodeSyntax, column, "%s is a typographic quote: texts stand in straight ones, as in 'text'", token)
	case token == "/" && !operandEnd(before):
		return failAt(CodeSyntax, column, "a pattern stands in quotes, not in slashes: write text matches '^a'")
	case token[0] >= '0' && token[0] <= '9' && before == "." && s.start > 1 && operandEnd(source[:s.start-1]):
		e := failAt(CodeSyntax, column, "an element is read by its number in brackets: write [%s] in the place of .%s", token, token)
		e.Suggestion = "[" + token + "]"
		return e
	case moduleNumber.MatchString(source[s.start:]) && before == "":
		return failAt(CodeSyntax, column, "a path begins with a name, not with the number of a module: write steps.ID.output.…")
	}
	return nil
}

// moduleNumber is how paths begin in Make and Zapier: 3.body is the body that
// module 3 returned.
var moduleNumber = regexp.MustCompile(`^\d+\.[A-Za-z_]`)

// signAt returns the sign of signs that a text begins with, and its length in
// bytes; an empty word and 0 for none.
func signAt(rest string) (word, int) {
	for _, w := range signs {
		if strings.HasPrefix(rest, w.names) {
			return w, len(w.names)
		}
	}
	return word{}, 0
}

// foreignSign is the error of a sign or word whose clause is the whole message.
func foreignSign(w word, column int) *Error {
	e := failAt(CodeSyntax, column, "%s", w.say)
	e.Suggestion = w.suggest
	return e
}

// operandEnd reports whether a token may end a value: a closing bracket, a
// quote, a number or a name. No token, as at the beginning of a text, does not.
func operandEnd(token string) bool {
	if token == "" {
		return false
	}
	last := token[len(token)-1]
	return strings.IndexByte(")]}'\"`", last) >= 0 || wordRune(rune(last)) && !operatorWords[token]
}

// foreignWord judges the identifier that s is at by the token before it and the
// text behind it: behind a value it would be an operator, elsewhere a statement
// or a prefix. Nil: it is a name.
func foreignWord(source string, s *scan, before string) *Error {
	token, rest := s.token(), source[s.end:]
	behind := strings.TrimLeft(rest, " \t\r\n")
	if operandEnd(before) {
		if args, ok := arguments(behind); token == "in" && ok && strings.HasPrefix(behind, "(") && len(args) > 1 {
			e := failAt(CodeSyntax, s.column(), "a list stands in [ ], not in ( ): write in [%s]", strings.Join(args, ", "))
			e.Suggestion = "in [" + strings.Join(args, ", ") + "]"
			return e
		}
		if w, ok := betweenWords()[token]; ok {
			// x is not None, x is defined: the author tests whether x is present.
			if token == "is" && (strings.HasPrefix(behind, "not ") || strings.HasPrefix(behind, "defined") || strings.HasPrefix(behind, "present")) {
				w.suggest = "!="
			}
			return foreignSign(w, s.column())
		}
		return nil
	}
	if w, ok := leadWords()[token]; ok && behind != "" {
		// A word alone may be the name of a value; followed by another value it
		// cannot be.
		value := wordRune(rune(behind[0])) || behind[0] == '(' && (strings.ToUpper(token) == "NOT" || token == "function" || token == "lambda")
		if quoted := rest[0] == '\'' || rest[0] == '"'; quoted || len(token) > 1 && value {
			return foreignSign(w, s.column())
		}
	}
	if operatorWords[token] && strings.HasPrefix(behind, "(") && token != "not" && token != "in" && token != "if" && token != "let" && token != "and" && token != "or" && token != "else" {
		return calledOperator(source, s)
	}
	return nil
}

// calledOperator is the error of contains(a, b) and the like, where the
// operator stands between. With two arguments the suggestion is the whole
// expression.
func calledOperator(source string, s *scan) *Error {
	name := s.token()
	e := failAt(CodeSyntax, s.column(), "%s is an operator: write a %s b", name, name)
	open := s.end + strings.IndexByte(source[s.end:], '(')
	if args, ok := arguments(source[open:]); ok && len(args) == 2 {
		e.Suggestion = args[0] + " " + name + " " + args[1]
		e.Message = fmt.Sprintf("%s is an operator: write %s", name, e.Suggestion)
	}
	return e
}

// arguments cuts what stands between the bracket that source begins with and
// its end, at the commas outside nested brackets; false where it does not end.
// Each argument is trimmed; no argument at all is one empty one.
func arguments(source string) ([]string, bool) {
	var args []string
	depth, from := 0, 1
	for s := newScan(source); s.next(); {
		switch {
		case s.opens():
			depth++
		case s.closes():
			if depth--; depth == 0 {
				return append(args, strings.TrimSpace(source[from:s.start])), true
			}
		case s.token() == "," && depth == 1:
			args = append(args, strings.TrimSpace(source[from:s.start]))
			from = s.end
		}
	}
	return nil, false
}

// foreignPipe is the error of a | at byte at and a filter without brackets, as
// in Jinja and jq; nil for anything else. A filter of another product is
// replaced by our function where that is known.
func foreignPipe(source string, at int) *Error {
	s := &scan{source: source, start: at, end: at}
	if !s.next() || !identifier(s.token()) {
		return nil
	}
	name, column := s.token(), s.column()
	if strings.HasPrefix(strings.TrimLeft(source[s.end:], " "), "(") {
		return nil // a call; what its name means is another matter
	}
	write := name
	if w, ok := functionWords().find(name); ok && functions[name].run == nil {
		if functions[w.suggest].run == nil {
			return w.error(CodeSyntax, column, "there is no filter %s", name)
		}
		write = w.suggest
	}
	e := failAt(CodeSyntax, column, "a function behind | needs its brackets: write %s()", write)
	e.Suggestion = write + "()"
	return e
}

// everyElement is [] and [*] behind a list: every element of it, in jq and
// JMESPath.
var everyElement = regexp.MustCompile(`^\[\s*\*?\s*\]`)

// dotted is a path that begins with a dot.
var dotted = regexp.MustCompile(`^\.[A-Za-z0-9_.\[\]]*`)

// leadingDot is the error of a path as in jq and Go templates, which rest
// begins with. One that begins with a name of ours, such as .input.a, only has
// the dot too many.
func leadingDot(rest string, column int) *Error {
	path := pathAt(rest)
	for _, root := range []string{"input", "steps", "run", "signals", "item"} {
		if strings.HasPrefix(path, "."+root+".") {
			e := failAt(CodeSyntax, column, "a path cannot begin with a dot, as in jq or Go templates: write %s", path[1:])
			e.Suggestion = path[1:]
			return e
		}
	}
	return failAt(CodeSyntax, column, "a path cannot begin with a dot, as in jq or Go templates: write input%s, or steps.ID.output%s", path, path)
}

// pathAt returns the path with a leading dot that a text begins with, or
// ".name" as an example.
func pathAt(rest string) string {
	if p := dotted.FindString(rest); len(p) > 1 {
		return p
	}
	return ".name"
}

// comment returns the column of the comment that a one-line expression ends in:
// // is a default in jq and other languages, so that the author meant what
// follows it to be evaluated. In a text of several lines a comment is meant as
// one; so is a text that is nothing but a comment.
func comment(source string) (column int, found bool) {
	if !strings.Contains(source, "//") || strings.Contains(strings.TrimSpace(source), "\n") {
		return 0, false
	}
	s := newScan(source)
	for s.next() {
	}
	at := 0
	for t := newScan(source); t.next(); {
		at = t.end
	}
	rest := source[at:]
	i := strings.Index(rest, "//")
	if i < 0 || strings.TrimSpace(source[:at]) == "" {
		return 0, false
	}
	return runes(source[:at+i]) + 1, true
}

// commentWords is the message for what comment finds.
const commentWords = "// begins a comment here, so that what follows is not read; write ?? for a default"
