package expressions

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/expr-lang/expr/file"

	regexp "heddle/internal/lazyregexp"
)

// The codes of an Error and of a Problem. They are part of the API.
const (
	CodeSyntax  = "expression_syntax" // not an expression, or one that is not permitted here
	CodeType    = "expression_type"   // a value of the wrong type
	CodeUnknown = "unknown_reference" // a name that is not visible here
	CodeLimit   = "limit_exceeded"    // too long, too deep, or too much work
	CodeLarge   = "value_too_large"   // a string, list or result beyond its limit
	CodeFailed  = "expression_failed" // anything else that stopped the evaluation
	CodeHidden  = "not_an_ancestor"   // a step that exists and cannot be seen from here (Check only)
)

// Error is why an expression or template was refused, or failed. Evaluation is
// deterministic: the same error comes again, so a retry does not help. An Error may
// be shared: it is copied before it is changed.
type Error struct {
	Code    string // one of the Code constants
	Message string // for the author, without code and place
	// Column is the place in the text as given, in characters from 1; 0: it has
	// none.
	Column int
	// Pointer is the RFC 6901 pointer of the template's string inside the
	// config; empty for a bare expression.
	Pointer string
	// Suggestion is what to write instead of what stands at Column; empty: none is
	// known.
	Suggestion string
}

// Error returns the code, the message and the place in one line.
func (e *Error) Error() string {
	where := ""
	if e.Pointer != "" {
		where = " at " + e.Pointer
	}
	if e.Column > 0 {
		where += fmt.Sprintf(" (column %d)", e.Column)
	}
	return e.Code + ": " + e.Message + where
}

// fail returns an Error without a column; translate or at may add it.
func fail(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// failAt returns an Error at a column, in characters from 1.
func failAt(code string, column int, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Column: column}
}

// at returns the error with a column, or as it is where it has one. It copies.
func (e *Error) at(column int) *Error {
	if e.Column != 0 {
		return e
	}
	c := *e
	c.Column = column
	return &c
}

// shown quotes a text in a message: as a whole, or, beyond 200 bytes, not at all. A
// part of a secret would pass the redaction of what is stored.
func shown(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("a text of %d bytes", len(s))
	}
	return `"` + s + `"`
}

// translate turns an error of the library's parser, compiler or machine into an
// Error with a column. Our own errors, which the library wraps when a function
// returns them, are unwrapped; any other has the given code and a message in
// our words, or CodeLarge or CodeType where its cause is known. The library's
// own sentences are never shown, only those parts of them that libraryWords
// carries over.
func translate(err error, code string) *Error {
	var place *file.Error
	column := 0
	if errors.As(err, &place) {
		column = place.From + 1
	}
	// The innermost column wins: it is that of the failed call.
	if own, ok := errors.AsType[*Error](err); ok {
		return own.at(column)
	}
	// The library's error prints the source and a pointer into it; its Message
	// does not.
	message := err.Error()
	if place != nil {
		message = place.Message
	}
	// The library's own bound on the values that a program makes.
	if message == "memory budget exceeded" {
		return failAt(CodeLarge, column, "the expression builds too many values")
	}
	if mismatch, ok := errors.AsType[*runtime.TypeAssertionError](err); ok {
		return failAt(CodeType, column, "%s", readableMismatch(mismatch.Error()))
	}
	return failAt(code, column, "%s", readable(message))
}

// libraryWords are the library's messages in our words; a message that is not among
// them is not shown. The first pattern that matches counts, so special ones stand
// before general ones. $1 and the like stand for what the pattern's groups matched.
// Names of types have been replaced by typeWords where the message comes from the
// checker.
var libraryWords = []struct {
	theirs *regexp.Regexp
	ours   string
}{
	// Messages of the lexer and the parser.
	{regexp.MustCompile(`^unexpected token EOF$|^unexpected end of expression$`), "the expression ends where more is expected"},
	{regexp.MustCompile(`^unexpected token \w+\((.*)\)$`), "unexpected $1"},
	{regexp.MustCompile(`a map key must be .*\(unexpected token \w+\((.*)\)\)$`), "unexpected $1 where an object's field name is expected; { } writes an object, as in {a: 1}"},
	{regexp.MustCompile(`^a map key must be`), "a field name is expected here; { } writes an object, as in {a: 1}"},
	{regexp.MustCompile(`^unrecognized character: U\+[0-9A-F]+(?: '(.*)')?$`), "the character '$1' means nothing here"},
	{regexp.MustCompile(`^literal not terminated$`), "a text is not closed; its quote is missing"},
	{regexp.MustCompile(`^unclosed comment$`), "a comment is not closed; */ is missing"},
	{regexp.MustCompile(`^invalid char escape$|^unable to unescape`), "a text has a backslash escape that does not exist; write \\\\ for a backslash"},
	{regexp.MustCompile(`^too large string$`), "a text is too long"},
	{regexp.MustCompile(`^bad number syntax: (.*)$`), "$1 is not a number"},
	{regexp.MustCompile(`^invalid (?:hex|binary|octal|integer|float) literal`), "this is not a number, or a number that is too large"},
	{regexp.MustCompile(`^(?:integer|float) literal is too large$`), "the number is too large"},
	{regexp.MustCompile(`^expected at least (\d+) arguments$`), "arguments are missing; at least $1 are needed"},
	{regexp.MustCompile(`^wrap predicate with brackets`), "put the predicate into braces: {…}"},
	{regexp.MustCompile(`^expected name$`), "a name is expected behind the dot"},
	// Messages of the checker, in which types have our names by now.
	{regexp.MustCompile(`^invalid operation: in \(mismatched types (?:.*) and string\)$`), "in looks into a list or an object; write text contains 'a' to look into a text"},
	{regexp.MustCompile(`^invalid operation: \+ \(mismatched types (string) and (.*)\)$`), "+ cannot join a string and a $2; write string(x) around the second"},
	{regexp.MustCompile(`^invalid operation: \+ \(mismatched types (.*) and (string)\)$`), "+ cannot join a $1 and a string; write string(x) around the first"},
	{regexp.MustCompile(`^invalid operation: (\|\||or) \(mismatched types string and string\)$`), "$1 takes two booleans; write ?? for a default, as in a ?? 'b'"},
	{regexp.MustCompile(`^invalid operation: (?:==|!=) \(mismatched types (?:boolean and string|string and boolean)\)$`), "a boolean is never equal to a string; true and false stand without quotes"},
	{regexp.MustCompile(`^invalid operation: (?:==|!=) \(mismatched types (?:(?:whole )?number and string|string and (?:whole )?number)\)$`), "a number is never equal to a string; numbers stand without quotes, and int(x) or string(x) turns one into the other"},
	{regexp.MustCompile(`^invalid operation: (==|!=) \(mismatched types (.*) and (.*)\)$`), "a $2 is never equal to a $3; the two sides of $1 must have one type"},
	{regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types (.*) and (.*)\)$`), "$1 cannot take a $2 and a $3"},
	{regexp.MustCompile(`^invalid operation: (\S+) \(mismatched type (.*)\)$`), "$1 cannot take a $2"},
	{regexp.MustCompile(`^array elements can only be selected using an integer \(got (.*)\)$`), "a list has elements by number, as in list[0], not by a $1; map(list, #.name) reads a member of each"},
	{regexp.MustCompile(`^cannot use (.*) to get an element from (.*)$`), "a $1 cannot name a member of an $2; write object['name']"},
	{regexp.MustCompile(`^type (.*) has no method (.*)$`), "a $1 has no method $2"},
	{regexp.MustCompile(`^type nil has no field (.*)$`), "null has no member $1"},
	{regexp.MustCompile(`^type (.*) has no field (.*)$`), "a $1 has no member $2"},
	{regexp.MustCompile(`^type (string)\[.*\] is undefined$`), "a string has no elements; write a slice: text[0:1]"},
	{regexp.MustCompile(`^type ([^\[]*)\[.*\] is undefined$|^type (.*) does not support indexing$`), "a $1$2 has no elements"},
	{regexp.MustCompile(`^cannot slice (.*)$`), "a $1 cannot be sliced; lists and strings can"},
	{regexp.MustCompile(`^non-integer slice index (.*)$`), "a slice takes whole numbers, as in x[0:3], not a $1"},
	{regexp.MustCompile(`^(.*) is not callable$`), "this cannot be called"},
	{regexp.MustCompile(`^builtin (\w+) takes only array \(got (.*)\)$`), "$1 takes a list, not a $2"},
	{regexp.MustCompile(`^predicate should return boolean \(got (.*)\)$`), "the predicate must return true or false, not a $1"},
	{regexp.MustCompile(`^predicate should has`), "the predicate does not fit the function"},
	{regexp.MustCompile(`^sortBy order argument must be a string`), "the order is \"asc\" or \"desc\""},
	{regexp.MustCompile(`^invalid number of arguments \(expected (\d+), got (\d+)\)$`), "$1 arguments are needed, not $2"},
	{regexp.MustCompile(`^too many arguments to call (\w+)$`), "$1 has too many arguments"},
	{regexp.MustCompile(`^not enough arguments to call (\w+)$`), "arguments of $1 are missing"},
	{regexp.MustCompile(`^cannot use (.*) as argument \(type (.*)\) to call (\w+)`), "$3 takes a $2 here, not a $1"},
	{regexp.MustCompile(`^invalid argument for (\w+) \(type %!s\(<nil>\)\)$`), "$1 cannot take null; write $1(x ?? …) where it may be missing"},
	{regexp.MustCompile(`^invalid argument for (\w+) \(type (.*)\)$`), "$1 cannot take a $2"},
	{regexp.MustCompile(`^cannot use pointer accessor outside predicate$`), "# and .name alone stand in predicates only, as in map(list, #.name)"},
	{regexp.MustCompile(`^cannot use (.*) as array$`), "a list is needed here, not a $1"},
	{regexp.MustCompile(`^cannot use (.*) as type (.*) in (?:map key|array)$`), "a $1 is given where a $2 is needed"},
	{regexp.MustCompile(`^cannot redeclare (?:function |builtin |variable )?(.*)$`), "the name $1 means something already; choose another behind let"},
	{regexp.MustCompile(`^non-bool(?:ean)? expression \(type (.*)\) used as condition$`), "what stands before ? must be true or false, not a $1"},
	{regexp.MustCompile(`^unknown name (.*)$`), "there is no name $1 here"},
	// Messages of the machine and its built-in functions.
	{regexp.MustCompile(`^cannot fetch (.*) from (.*)$`), "cannot read $1 of $2; use ?. where it may be missing"},
	{regexp.MustCompile(`^index out of range: (-?\d+) \(array length is (\d+)\)$`), "there is no element $1 in a list of $2"},
	{regexp.MustCompile(`index out of range`), "there is no such element in the list"},
	{regexp.MustCompile(`^slice bounds out of range|slice index out of range`), "the slice reaches beyond the list"},
	{regexp.MustCompile(`^cannot get (first|last) element from (.*)$`), "a $2 has no $1 element; a list has"},
	{regexp.MustCompile(`^cannot get (keys|values) from (.*)$`), "a $2 has no $1; an object has"},
	{regexp.MustCompile(`^cannot (?:take from|take|uniq|flatten|concat|reverse) (.*?)(?: elements)?$`), "a list is needed here, not a $1"},
	{regexp.MustCompile(`^cannot transform (.*) (?:to|from) pairs$`), "a $1 cannot be turned into pairs, or made of them"},
	{regexp.MustCompile(`^invalid (?:order|pair)`), "a pair is [key, value], and an order \"asc\" or \"desc\""},
	{regexp.MustCompile(`^invalid number of arguments`), "the number of arguments is not right"},
	{regexp.MustCompile(`^invalid argument for (\w+) `), "$1 cannot take this value"},
	{regexp.MustCompile(`^cannot use .* as field name of`), "a field is named by a text"},
	{regexp.MustCompile(`^cannot get .* from`), "a value on the way is not an object"},
	{regexp.MustCompile(`^invalid operation: int\(string\)$`), "a list has elements by number, as in list[0], not by name"},
	{regexp.MustCompile(`^invalid operation: (int|float|bool)\((.*)\)$`), "a $2 is not a number or a boolean here"},
	{regexp.MustCompile(`integer divide by zero`), "division by zero"},
	{regexp.MustCompile(`unhashable type`), "a list or an object cannot be the key of a group"},
}

// inOurWords returns a message of the library in our words; false where it is not
// among libraryWords.
func inOurWords(message string) (string, bool) {
	for _, w := range libraryWords {
		if m := w.theirs.FindStringSubmatchIndex(message); m != nil {
			said := string(w.theirs.ExpandString(nil, w.ours, message, m))
			return articles.Replace(said), true
		}
	}
	return "", false
}

// articles corrects the articles before names of types, which libraryWords put
// there without knowing the name.
var articles = strings.NewReplacer("a object", "an object", "a any value", "any value", "an any value", "any value", "a unknown", "an unknown",
	"an list", "a list", "an string", "a string", "an boolean", "a boolean", "an whole number", "a whole number", "an number", "a number", "a null", "null", "an null", "null", "a nil", "null", "an nil", "null")

// The patterns of messages that name types of Go.
var (
	mismatchWords = regexp.MustCompile(`interface \{\} is ([^,]+), not (\S+)`)
	fetchWords    = regexp.MustCompile(`^cannot fetch (.*) from (.*)$`)
)

// readableMismatch words a failed type assertion inside the library: which kind was
// expected, and which it was.
func readableMismatch(message string) string {
	m := mismatchWords.FindStringSubmatch(message)
	if m == nil {
		return readable(message)
	}
	return fmt.Sprintf("expected a %s, got %s", jsonWord(m[2]), jsonWord(m[1]))
}

// readable words a message of the library's machine; an unknown one is replaced by
// a general sentence.
func readable(message string) string {
	message = strings.TrimPrefix(message, "runtime error: ")
	if m := fetchWords.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("cannot read %q of %s; use ?. where it may be missing", m[1], jsonWord(m[2]))
	}
	if said, ok := inOurWords(message); ok {
		return said
	}
	return "the expression does not work with these values"
}

// jsonWord returns the word of JSON for a type of Go; an unknown type as it is.
func jsonWord(goType string) string {
	switch goType {
	case "nil", "<nil>":
		return "null"
	case "bool":
		return "boolean"
	case "int", "int64", "float64", "json.Number":
		return "number"
	case "map[string]interface {}", "map[interface {}][]interface {}":
		return "object"
	case "[]interface {}", "[]int", "[]string":
		return "list"
	case "time.Time":
		return "time"
	case "time.Duration":
		return "duration"
	}
	return goType
}
