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

// types runs the library's checker: against closed schemas first, whose
// findings are errors, then against all that is listed, for warnings.
func (c *checking) types(tree *parser.Tree, want Want) {
	if c.covered > 0 || !c.env.Budget.members(2*c.weight()) {
		return
	}
	var patterns patternTexts
	ast.Walk(&tree.Node, &patterns)
	defer patterns.putBack()
	guess, found := c.failed(), len(c.problems) > 0
	result, err := c.run(tree, false, guess)
	if err != nil {
		c.problems = append(c.problems, c.typeProblem(tree, err))
		return
	}
	if !want.fits(result) {
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
	if found {
		return
	}
	if _, err := c.run(tree, true, false); err != nil {
		p := c.typeProblem(tree, err)
		if p.Code == CodeUnknown {
			p.Severity = SeverityWarning
			p.Message = "the schema does not list this member, so it may be missing: " + p.Message
			c.problems = append(c.problems, p)
		}
	}
}

// patternTexts takes the constant regular expressions out of a tree for a while:
// the library's checker compiles each, and they have been read already.
type patternTexts struct {
	nodes []*ast.StringNode
	texts []string
}

// Visit takes one out.
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

func (p *patternTexts) putBack() {
	for i, n := range p.nodes {
		n.Value = p.texts[i]
	}
}

// weight is how many members the types of all that the expression reads have:
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

func (c *checking) run(tree *parser.Tree, strict, guess bool) (result reflect.Type, err error) {
	defer func() {
		if r := recover(); r != nil {
			result, err = nil, nil
		}
	}()
	config := conf.New(c.env.checkerEnv(c.refs, strict, guess))
	config.Strict = false
	config.Functions = codeTypes
	return checker.Check(tree, config)
}

var unknownField = regexp.MustCompile(`^unknown field (\S+)$`)

func (c *checking) typeProblem(tree *parser.Tree, err error) Problem {
	p := Problem{Code: CodeType, Severity: SeverityError, Message: err.Error(), Column: 1}
	if place, ok := errors.AsType[*file.Error](err); ok {
		p.Message, p.Column = place.Message, place.From+1
	}
	if m := unknownField.FindStringSubmatch(p.Message); m != nil {
		p.Code, p.Suggestion = CodeUnknown, nearest(m[1], c.fieldNames())
		p.Message = "there is no member " + m[1] + orElse(p.Suggestion)
		return p
	}
	said, ok := inOurWords(typeWords(p.Message))
	if !ok {
		said = "the types of the values do not fit here"
	}
	p.Message = said
	if strings.HasPrefix(said, "in looks into") {
		p.Suggestion = containsInstead(tree.Node, p.Column)
		if p.Suggestion != "" {
			p.Message = "in looks into a list or an object; write " + p.Suggestion
		}
	}
	return p
}

// fieldNames gathers the members of all that the expression reads.
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

// typeWords puts the words of JSON for those of Go.
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

var goTypes = regexp.MustCompile(`map\[(?:string|interface \{\})\](?:\[\])?interface \{\}|\[\](?:interface \{\}|int\b|string\b)|interface \{\}|\bint(?:64)?\b|\bfloat64\b|\bbool\b|time\.Time|time\.Duration`)

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

// fits says whether a result of that type may be what is wanted.
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
	case reflect.Int, reflect.Int64, reflect.Float64, reflect.Uint8:
		return true
	case reflect.Slice:
		return w == WantItems
	}
	return false
}
