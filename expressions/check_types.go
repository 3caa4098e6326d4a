package expressions

import (
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	regexp "heddle/internal/lazyregexp"
)

// types runs the library's checker twice. The first time objects are open unless
// their schema is closed, so that what it finds is an error. The second time only
// listed members exist, and what it finds is a warning; this is left out where
// anything else was found. A result that does not fit want is an error too. It is
// skipped when the types to be looked at exceed the budget.
func (c *checking) types(tree *parser.Tree, want Want) {
	// A misread minus sign was reported: the types of its two halves mean nothing.
	if c.covered > 0 || !c.env.Budget.members(2*c.weight()) {
		return
	}
	var patterns patternTexts
	ast.Walk(&tree.Node, &patterns)
	defer patterns.putBack()
	// After an unknown name, every name is accepted: its members would be reported
	// again.
	guess, found := c.failed(), len(c.problems) > 0
	result, err := c.run(tree, false, guess)
	if err != nil {
		c.problems = append(c.problems, c.typeProblem(tree, err))
		return
	}
	if !want.fits(result) {
		// The usual cause is a whole expression in quotes, perhaps also in another
		// product's brackets.
		if text, ok := tree.Node.(*ast.StringNode); ok && len(text.Value) <= 100 {
			bare := strings.TrimSpace(text.Value)
			for _, w := range wrapped {
				if m := w.pattern.FindStringSubmatch(bare); m != nil {
					bare = strings.TrimSpace(m[1])
					break
				}
			}
			c.add(CodeType, 1, bare, "%s is needed here; this is text in quotes: write %s", want, bare)
			return
		}
		c.add(CodeType, 1, "", "%s is needed here; this is of type %s", want, typeWords(result.String()))
	}
	if found || !c.readsLoose() {
		return
	}
	if _, err := c.run(tree, true, false); err != nil {
		p := c.typeProblem(tree, err)
		// Only missing members count: a type error of the strict form follows
		// from them.
		if p.Code == CodeUnknown {
			p.Severity = SeverityWarning
			p.Message = "the schema does not list this member, so it may be missing: " + p.Message
			c.problems = append(c.problems, p)
		}
	}
}

// patternTexts empties the constant regular expressions of a tree for a while: the
// library's checker compiles each, which costs more than reading them, and
// readPattern has accepted them already.
type patternTexts struct {
	nodes []*ast.StringNode
	texts []string // what nodes held, by the same index
}

// Visit empties the pattern of a matches with a constant one.
func (p *patternTexts) Visit(node *ast.Node) {
	n, ok := (*node).(*ast.BinaryNode)
	if !ok || n.Operator != "matches" {
		return
	}
	if text, ok := n.Right.(*ast.StringNode); ok {
		p.nodes, p.texts = append(p.nodes, text), append(p.texts, text.Value)
		text.Value = ""
	}
}

// putBack restores the patterns.
func (p *patternTexts) putBack() {
	for i, n := range p.nodes {
		n.Value = p.texts[i]
	}
}

// readsLoose reports whether the strict form of what the expression reads differs from the
// lenient one.
func (c *checking) readsLoose() bool {
	for _, r := range c.refs.Names {
		if s, _ := c.env.value(r.Name); s.isLoose() {
			return true
		}
	}
	for _, r := range c.refs.Steps {
		if _, s := c.env.step(r.Name); stepShape(s).isLoose() {
			return true
		}
	}
	return false
}

// weight returns how many members the types of all that the expression reads have:
// the library looks at each of them.
func (c *checking) weight() int {
	n := 0
	for _, r := range c.refs.Names {
		s, _ := c.env.value(r.Name)
		n += s.heavy()
	}
	for _, r := range c.refs.Steps {
		_, s := c.env.step(r.Name)
		n += s.heavy()
	}
	return n
}

// run calls the library's checker and returns the type of the result. strict and
// guess are those of checkerEnv. A panic of the checker counts as no finding: a nil
// type fits everything.
func (c *checking) run(tree *parser.Tree, strict, guess bool) (result reflect.Type, err error) {
	defer func() {
		if r := recover(); r != nil {
			result, err = nil, nil
		}
	}()
	// Not strict: names that are not in the table are reported by path, in better words.
	config := &conf.Config{Functions: codeTypes, Builtins: builtins}
	config.Env = conf.EnvWithCache(&config.NtCache, c.env.checkerEnv(c.refs, strict, guess))
	return checker.Check(tree, config)
}

// builtins are the library's own functions. One table serves all checks, which only read
// it: conf.New makes one of a hundred entries for each.
var builtins = conf.CreateNew().Builtins

// unknownField is how the library reports a member that a type lacks.
var unknownField = regexp.MustCompile(`^unknown field (\S+)$`)

// typeProblem words a finding of the library's checker. A message that is not among
// libraryWords is replaced by a general one: the library's words name types of Go.
func (c *checking) typeProblem(tree *parser.Tree, err error) Problem {
	p := Problem{Code: CodeType, Severity: SeverityError, Message: err.Error(), Column: 1}
	// The library counts runes from 0.
	if place, ok := errors.AsType[*file.Error](err); ok {
		p.Message, p.Column = place.Message, place.From+1
	}
	// The library does not say of what; the names of all values are candidates.
	if m := unknownField.FindStringSubmatch(p.Message); m != nil {
		p.Code, p.Suggestion = CodeUnknown, nearest(m[1], c.fieldNames())
		p.Message = "there is no member " + m[1] + orElse(p.Suggestion)
		return p
	}
	// Types are translated first: the patterns of libraryWords name them as we
	// do.
	said, ok := inOurWords(typeWords(p.Message))
	if !ok {
		said = "the types of the values do not fit here"
	}
	p.Message = said
	// The most frequent cause deserves the corrected text.
	if strings.HasPrefix(said, "in looks into") {
		p.Suggestion = containsInstead(tree.Node, p.Column)
		if p.Suggestion != "" {
			p.Message = "in looks into a list or an object; write " + p.Suggestion
		}
	}
	return p
}

// fieldNames gathers the names of the members of all that the expression reads, in
// no particular order; see Shape.allNames for their bound.
func (c *checking) fieldNames() []string {
	all := map[string]bool{}
	for _, r := range c.refs.Names {
		s, _ := c.env.value(r.Name)
		s.allNames(all)
	}
	for _, r := range c.refs.Steps {
		_, s := c.env.step(r.Name)
		s.allNames(all)
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	return names
}

// typeWords replaces the names of Go types in a message by words of JSON; what it
// does not know is "any value".
func typeWords(message string) string {
	return goTypes.ReplaceAllStringFunc(message, func(word string) string {
		switch {
		case strings.HasPrefix(word, "map"):
			return "object"
		case strings.HasPrefix(word, "[]"):
			return "list"
		}
		switch word {
		case "int", "int64":
			return "whole number"
		case "float64":
			return "number"
		case "bool":
			return "boolean"
		case "time.Time":
			return "time"
		case "time.Duration":
			return "duration"
		}
		return "any value"
	})
}

// goTypes finds the names of types in messages of the library's checker.
var goTypes = regexp.MustCompile(`map\[(?:string|interface \{\})\](?:\[\])?interface \{\}|\[\](?:interface \{\}|int\b|string\b)|interface \{\}|\bint(?:64)?\b|\bfloat64\b|\bbool\b|time\.Time|time\.Duration`)

// String returns the wanted type in words, for messages.
func (w Want) String() string {
	switch w {
	case WantBool:
		return "true or false"
	case WantItems:
		return "a list or a count"
	case WantTime:
		return "a time"
	case WantNumber:
		return "a number"
	default: // nothing to do for the others
	}
	return "any value"
}

// fits reports whether a result of that type may be what is wanted. A nil type, and
// an interface, are unknown before the expression runs, and fit.
func (w Want) fits(t reflect.Type) bool {
	if w == WantAny || t == nil || t.Kind() == reflect.Interface {
		return true
	}
	switch w {
	case WantBool:
		return t.Kind() == reflect.Bool
	case WantTime:
		return t.Kind() == reflect.String || t == reflect.TypeFor[time.Time]()
	default: // nothing to do for the others
	}
	switch t.Kind() {
	// Numbers are the one kind that WantNumber and WantItems share.
	case reflect.Int, reflect.Int64, reflect.Float64, reflect.Uint8:
		return true
	case reflect.Slice:
		return w == WantItems
	}
	return false
}
