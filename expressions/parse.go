package expressions

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"
)

// parse reads an expression and refuses what is beyond the limits or not on the
// allow-list. The tree is as written, except that null has become nil. secrets
// permits secrets.NAME. Columns of its errors are those of the text as parsed.
// What does not parse is searched for what another language would have meant,
// so that the error says what to write instead. A panic of the parser is an
// error too.
func parse(source string, secrets bool) (tree *parser.Tree, a *analysis, err *Error) {
	defer func() {
		if r := recover(); r != nil {
			err = failAt(CodeSyntax, 1, "the expression cannot be read")
		}
	}()
	if e := guard(source); e != nil {
		return nil, nil, e
	}
	if !utf8.ValidString(source) {
		return nil, nil, failAt(CodeSyntax, 1, "the expression is not UTF-8")
	}
	if strings.TrimSpace(source) == "" {
		return nil, nil, failAt(CodeSyntax, 1, "the expression is empty")
	}
	if e := halves(source); e != nil {
		return nil, nil, e
	}
	// Without a table of functions: names are checked by analysis, which knows
	// better answers.
	tree, perr := parser.ParseWithConfig(source, &conf.Config{MaxNodes: MaxNodes})
	if perr != nil {
		e := translate(perr, CodeSyntax)
		if strings.Contains(perr.Error(), "maximum allowed nodes") {
			e = failAt(CodeLimit, 1, "the expression has more than %d parts; split it over several steps", MaxNodes)
		}
		// A better explanation replaces the parser's; a limit needs none.
		if e.Code == CodeSyntax {
			if foreign := foreignSyntax(source); foreign != nil {
				return nil, nil, foreign
			}
			if unknown := unknownFunction(source); unknown != nil {
				return nil, nil, unknown
			}
		}
		return nil, nil, e
	}
	ast.Walk(&tree.Node, jsonNull{})
	a = &analysis{secrets: secrets}
	a.walk(tree.Node, 0)
	if a.err != nil {
		return nil, nil, a.err
	}
	return tree, a, nil
}

// halves refuses the escapes of surrogates in strings: in JSON two of them are
// one character, here they would be two broken ones. The error suggests the
// form \u{…} where the pair is whole.
func halves(source string) *Error {
	if !strings.Contains(source, `\ud`) && !strings.Contains(source, `\uD`) {
		return nil
	}
	for s := newScan(source); s.next(); {
		token := s.token()
		if token[0] != '\'' && token[0] != '"' {
			continue
		}
		for i := 0; i+1 < len(token); i++ {
			if token[i] != '\\' {
				continue
			}
			if high, ok := surrogate(token[i:]); ok {
				// The token begins with its quote, at i = 0.
				column := s.column() + runes(token[:i])
				low, _ := surrogate(token[min(i+6, len(token)):])
				if r := utf16.DecodeRune(high, low); r != unicode.ReplacementChar {
					e := failAt(CodeSyntax, column, "two \\u escapes do not make one character here: write the character itself, or \\u{%X}", r)
					e.Suggestion = fmt.Sprintf("\\u{%X}", r)
					return e
				}
				return failAt(CodeSyntax, column, "the escape is half of a character: write the character itself, or its number as in \\u{1F680}")
			}
			// Past the escaped character, which may be a backslash.
			i++
		}
	}
	return nil
}

// surrogate returns the half of a character that an escape at the beginning of
// a text writes; false where there is no such escape.
func surrogate(text string) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(text[2:6], 16, 32)
	return rune(n), err == nil && utf16.IsSurrogate(rune(n))
}

// jsonNull is a visitor that lets null stand for nil: expressions are written
// inside JSON and YAML, by people who know its word.
type jsonNull struct{}

// Visit replaces the name null.
func (jsonNull) Visit(node *ast.Node) {
	name, ok := (*node).(*ast.IdentifierNode)
	if !ok || name.Value != "null" {
		return
	}
	null := &ast.NilNode{}
	null.SetLocation(name.Location())
	*node = null
}

// unknownFunction looks for the cause of a syntax error: after a misspelt
// predicate function, the predicate does not parse, and the parser complains
// about that. It returns the error of the first function that does not exist,
// or nil.
func unknownFunction(source string) *Error {
	before, name, at := "", "", 0
	for s := newScan(source); s.next(); {
		known := predicateFunctions[name] || functions[name].run != nil || refusedFunctions[name] != ""
		if s.token() == "(" && before != "." && before != "?" && identifier(name) && !known && !keywords[name] {
			return noFunction(name, at)
		}
		before, name, at = name, s.token(), s.column()
	}
	return nil
}

// noFunction is the error of a function that does not exist, with what takes
// its place: the function for a word of another product, or the nearest name.
func noFunction(name string, column int) *Error {
	if w, ok := functionWords().find(name); ok {
		return w.error(CodeUnknown, column, "there is no function %s", name)
	}
	e := failAt(CodeUnknown, column, "there is no function %s%s", name, didYouMean(name, functionNames()))
	e.Suggestion = nearest(name, functionNames())
	return e
}

// keywords are the words that may stand before a bracket without being
// functions.
var keywords = map[string]bool{
	"not": true, "and": true, "or": true, "in": true, "if": true, "else": true, "let": true,
	"matches": true, "contains": true, "startsWith": true, "endsWith": true, "true": true, "false": true, "nil": true, "null": true,
}
