package expressions

import (
	"strings"
	"sync"
)

// word is what to write instead of a word or sign that other languages have,
// for an author who knows another product. None of it changes what an
// expression means: it only makes errors helpful.
type word struct {
	names   string // the words, separated by spaces; of signs, one
	say     string // a clause for the message, after a colon
	suggest string // what takes its place, for Suggestion; empty: no single text does
}

// wordTable finds a word by each of its names.
type wordTable map[string]word

// tableOf returns a function that builds the table when it is first called: a
// process that never meets a faulty expression pays nothing for it. Of a name
// that occurs twice the last word counts. The function may be called
// concurrently.
func tableOf(words []word) func() wordTable {
	return sync.OnceValue(func() wordTable {
		table := wordTable{}
		for _, w := range words {
			for name := range strings.FieldsSeq(w.names) {
				table[name] = w
			}
		}
		return table
	})
}

// find looks a name up as it is written, then in lower case and without
// underscores. So a name in the table that has neither capitals nor underscores
// stands for all its spellings.
func (t wordTable) find(name string) (word, bool) {
	if w, ok := t[name]; ok {
		return w, true
	}
	w, ok := t[strings.ReplaceAll(strings.ToLower(name), "_", "")]
	return w, ok
}

// error returns an Error whose message is the format and the word's clause.
func (w word) error(code string, column int, format string, args ...any) *Error {
	e := failAt(code, column, format+": %s", append(args, w.say)...)
	e.Suggestion = w.suggest
	return e
}

// signs are operators of other languages, the longer first; those of expr-lang
// are among them, with an empty clause, so that none of the others is found
// inside one of these.
var signs = []word{
	{"===", "=== is JavaScript's: write ==", "=="},
	{"!==", "!== is JavaScript's: write !=", "!="},
	{"&&=", "nothing is assigned in an expression", ""},
	{"=~", "=~ is another language's: write matches", "matches"},
	{"!~", "!~ is another language's: write not (… matches …)", ""},
	{"<>", "<> is SQL's: write !=", "!="},
	{"=>", "=> is JavaScript's: a predicate names the element #, as in map(list, #.name)", ""},
	{"->", "-> is another language's: a predicate names the element #, as in map(list, #.name)", ""},
	{":=", "nothing is assigned in an expression; let x = …; names a value", ""},
	{"+=", "nothing is assigned in an expression", ""},
	{"-=", "nothing is assigned in an expression", ""},
	{"++", "nothing is assigned in an expression", ""},
	{"?:", "?: is another language's: write ?? for a default", "??"},
	{"==", "", ""},
	{"!=", "", ""},
	{"<=", "", ""},
	{">=", "", ""},
	{"&&", "", ""},
	{"||", "", ""},
	{"**", "", ""},
	{"??", "", ""},
	{"?.", "", ""},
	{"..", "", ""},
	{"=", "= compares nothing: write ==", "=="},
	{"&", "& is another language's: write and, or + to join texts", "and"},
	{"~", "~ is another language's: write + to join texts, or matches for a pattern", ""},
	{"@", "@ names nothing here: write input.… or steps.ID.output.…; in a predicate # is the element", ""},
	{"\\", "a backslash stands in texts alone", ""},
	{"{%", "{% %} is Jinja's: write an expression, such as input.ok ? 'a' : 'b'", ""},
	{"${", "${ } is another product's way to mark an expression: write what is inside alone", ""},
}

// betweenWords are words of other languages that stand where an operator is
// expected, that is, behind a value.
var betweenWords = tableOf([]word{
	{"is", "is is another language's: write == or !=, as in x != nil", "=="},
	{"AND And", "write and, or &&", "and"},
	{"OR Or", "write or, or ||", "or"},
	{"IN In", "write in", "in"},
	{"NOT Not", "write not, or !", "not"},
	{"like LIKE ilike", "write matches with a regular expression, or startsWith, endsWith, contains", "matches"},
	{"between BETWEEN", "write x >= a and x <= b", ""},
	{"eq EQ equals", "write ==", "=="},
	{"ne neq NE", "write !=", "!="},
	{"gt GT", "write >", ">"},
	{"lt LT", "write <", "<"},
	{"ge gte GE", "write >=", ">="},
	{"le lte LE", "write <=", "<="},
	{"for", "there are no comprehensions: write map(list, #.name), or filter(list, #.ok)", ""},
	{"then", "write a ? b : c, or if a { b } else { c }", ""},
	{"if", "write a ? b : c: the condition stands first", ""},
	{"unless", "write not", "not"},
	{"instanceof", "write type(x) == \"string\"", ""},
	{"mod", "write %", "%"},
	{"div", "write /", "/"},
	{"has includes include contain", "write contains for a text, or 'x' in list", "contains"},
	{"starts_with startswith beginsWith", "write startsWith", "startsWith"},
	{"ends_with endswith", "write endsWith", "endsWith"},
	{"match regex rlike", "write matches", "matches"},
})

// leadWords are words of other languages that stand where a value is expected
// and are followed by one.
var leadWords = tableOf([]word{
	{"NOT Not", "write not, or !", "not"},
	{"for foreach", "there are no loops in an expression: write map(list, #.name), or filter(list, #.ok)", ""},
	{"exists defined isset", "write x != nil", ""},
	{"typeof", "write type(x)", "type"},
	{"new", "there are no objects to make; date(text) reads a time", ""},
	{"await return", "remove it: the text is the expression itself", ""},
	{"var const", "write let x = …;", "let"},
	{"lambda function def fn", "there are no functions to write: a predicate names the element #, as in map(list, #.name)", ""},
	{"when case where", "write a ? b : c", ""},
	{"f r b F", "there are no f-strings: join texts with +, as in 'a' + string(input.n)", ""},
})

// operatorWords are the words that are operators, or begin a construct: no
// value ends with one.
var operatorWords = map[string]bool{"not": true, "and": true, "or": true, "in": true, "matches": true, "contains": true, "startsWith": true, "endsWith": true, "let": true, "if": true, "else": true}
