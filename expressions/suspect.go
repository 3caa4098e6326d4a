package expressions

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"

	regexp "heddle/internal/lazyregexp"
)

// CodeNever is the code of a comparison that is never true, or always. It is a
// warning: such a comparison may be meant for another version of a schema.
const CodeNever = "never_true"

// suspicions warns of what is valid but can hardly be meant: comparisons whose
// result is known, braces inside quotes, and a comment where another language
// has a default. After an error only the comment is looked for, since it may be
// the cause.
func (c *checking) suspicions(tree ast.Node, bare bool) {
	if column, found := comment(c.source); found {
		c.remark(column)
		return
	}
	if c.failed() {
		return
	}
	w := &suspect{c: c, bare: bare}
	ast.Walk(&tree, w)
}

// remark reports the comment; as the one error where there are others, which
// came of it.
func (c *checking) remark(column int) {
	p := Problem{Code: CodeSyntax, Severity: SeverityWarning, Message: commentWords, Suggestion: "??", Column: column}
	if c.failed() {
		// What was found is likely to come of the text that is missing.
		p.Severity = SeverityError
		c.problems = nil
	}
	c.problems = append(c.problems, p)
}

// warn appends a warning with CodeNever.
func (c *checking) warn(column int, suggestion, format string, args ...any) {
	c.problems = append(c.problems, Problem{
		Code: CodeNever, Severity: SeverityWarning,
		Message: fmt.Sprintf(format, args...), Suggestion: suggestion, Column: column,
	})
}

// suspect is the visitor behind suspicions. bare reports that the expression is
// not inside a template.
type suspect struct {
	c    *checking
	bare bool
}

// Visit judges one node.
func (s *suspect) Visit(n *ast.Node) {
	switch n := (*n).(type) {
	case *ast.StringNode:
		s.text(n)
	case *ast.MemberNode:
		s.errorOfRun(n)
	case *ast.BinaryNode:
		switch n.Operator {
		case "==", "!=":
			// The constant may stand on either side.
			s.compared(n.Operator, n.Left, n.Right)
			s.compared(n.Operator, n.Right, n.Left)
		case "in":
			s.among(n)
		}
	}
}

// bracesInText matches a text that is one {{ }} and nothing else, whose inside
// is the group; dollarInText a text with ${ } around a name of ours.
var (
	bracesInText = regexp.MustCompile(`^\s*\{\{\s*(.*?)\s*\}\}\s*$`)
	dollarInText = regexp.MustCompile(`\$\{\s*(?:input|steps|run|signals|item|secrets)\b`)
)

// text warns of a literal that looks as if something were put into it.
func (s *suspect) text(n *ast.StringNode) {
	switch {
	// Inside a template, braces in quotes are how braces are written.
	case s.bare && strings.Contains(n.Value, "{{") && strings.Contains(n.Value, "}}"):
		inner := ""
		if m := bracesInText.FindStringSubmatch(n.Value); m != nil {
			inner = m[1]
		}
		s.c.warn(column(n), inner, "{{ }} inside of quotes is plain text here, and not replaced: write the expression without quotes and braces%s", colon(inner))
	case dollarInText.MatchString(n.Value):
		s.c.warn(column(n), "", "${ } inside of quotes is plain text, and not replaced: join texts with +, as in 'a' + string(input.n)")
	}
}

// runJudged finds that run.state is read, or that run.error is tested.
var runJudged = regexp.MustCompile(`\brun\.state\b|\brun\.error\s*(?:\?|!=|==)`)

// JudgesRun reports whether an expression looks at how the run ended before it
// reads a member of run.error. It goes by the text alone.
func JudgesRun(source string) bool { return runJudged.MatchString(source) }

// errorOfRun warns of a member of run.error where that may be null.
func (s *suspect) errorOfRun(n *ast.MemberNode) {
	p, ok := pathOf(n, nil)
	if !ok || !s.c.env.Completed || p.root != "run" || len(p.hops) != 2 || p.hops[0].key != "error" || p.hops[1].optional || JudgesRun(s.c.source) {
		return
	}
	write := "run.error?." + p.hops[1].key
	s.c.problems = append(s.c.problems, Problem{
		Code: CodeUnknown, Severity: SeverityWarning, Suggestion: write, Column: p.hops[1].column,
		Message: fmt.Sprintf("run.error is null where the run completed, and the step then fails: write %s, or ask for run.state first", write),
	})
}

// colon is the end of a message that suggests s; empty for none.
func colon(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

// compared warns where a value whose schema lists all that it may be is
// compared with something else.
func (s *suspect) compared(operator string, value, with ast.Node) {
	shape, name := s.shape(value)
	// Comparing with all of the values is paid for.
	if shape == nil || len(shape.values) == 0 || !s.c.env.Budget.members(len(shape.values)) {
		return
	}
	constant, ok := constantOf(with)
	if !ok || shape.mayBe(constant) {
		return
	}
	result := "never true"
	if operator == "!=" {
		result = "always true"
	}
	near := shape.nearValue(constant)
	s.c.warn(column(with), quotedNear(near), "%s is %s, so this is %s%s", name, alternativesOf(shape.values), result, orElse(quotedNear(near)))
}

// among is compared for each element of a constant list behind in.
func (s *suspect) among(n *ast.BinaryNode) {
	list, ok := n.Right.(*ast.ArrayNode)
	shape, name := s.shape(n.Left)
	if !ok || shape == nil || len(shape.values) == 0 || !s.c.env.Budget.members(len(list.Nodes)*len(shape.values)) {
		return
	}
	for _, element := range list.Nodes {
		constant, ok := constantOf(element)
		if ok && !shape.mayBe(constant) {
			near := shape.nearValue(constant)
			s.c.warn(column(element), quotedNear(near), "%s is %s, and never %v%s", name, alternativesOf(shape.values), shownValue(constant), orElse(quotedNear(near)))
		}
	}
}

// shape returns what is known of a path's value, and how the path is written;
// nil for any other node and where nothing is known.
func (s *suspect) shape(n ast.Node) (*Shape, string) {
	p, ok := pathOf(n, nil)
	if !ok {
		return nil, ""
	}
	var shape *Shape
	hops := p.hops
	if p.root == nameSteps {
		id, named := p.first()
		if !named || len(hops) < 2 {
			return nil, ""
		}
		visibility, output := s.c.env.step(id)
		// What is not visible has been reported as such.
		if visibility != StepVisible {
			return nil, ""
		}
		shape, hops = stepShape(output), hops[1:]
	} else if shape, ok = s.c.env.value(p.root); !ok {
		return nil, ""
	}
	for _, h := range hops {
		switch {
		case h.ends:
		case h.numeric:
			shape = shape.element()
		default:
			shape, _ = shape.member(h.key)
		}
	}
	return shape, p.text(len(p.hops))
}

// constantOf returns the value of a literal as JSON decodes it; false for any
// other node. Null is not judged: what may be missing is compared with it.
func constantOf(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode:
		return float64(n.Value), true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.BoolNode:
		return n.Value, true
	}
	return nil, false
}

// mayBe reports whether a value is among those that a shape lists. A shape that
// lists a list or an object may be anything.
func (s *Shape) mayBe(value any) bool {
	for _, v := range s.values {
		switch v.(type) {
		case string, float64, bool, nil:
			if v == value {
				return true
			}
		default:
			return true // lists and objects are not compared here
		}
	}
	return false
}

// nearValue returns the listed text that was probably meant, or "".
func (s *Shape) nearValue(value any) string {
	text, ok := value.(string)
	if !ok {
		return ""
	}
	// The words of other products for a status are rarely near ours.
	if s.status {
		if w, ok := statusWords().find(text); ok {
			return w.suggest
		}
	}
	// Too many for a comparison with each.
	if len(s.values) > 100 {
		return ""
	}
	var words []string
	for _, v := range s.values {
		if word, ok := v.(string); ok {
			words = append(words, word)
		}
	}
	return nearest(text, words)
}

// quotedNear returns a suggested text as a literal; "" for none.
func quotedNear(near string) string {
	if near == "" {
		return ""
	}
	return "'" + near + "'"
}

// alternativesOf lists at most ten of the values for a message.
func alternativesOf(values []any) string {
	var words []string
	for i, v := range values {
		if i == 10 {
			words = append(words, "…")
			break
		}
		words = append(words, shownValue(v))
	}
	if len(words) == 1 {
		return words[0]
	}
	return "one of " + strings.Join(words, ", ")
}

// shownValue returns a value of a schema as it would be written in an
// expression.
func shownValue(v any) string {
	switch v := v.(type) {
	case string:
		if len(v) > 60 {
			return "a longer text"
		}
		return "'" + v + "'"
	case nil:
		return "null"
	}
	return fmt.Sprint(v)
}

// notObject reports whether a value of the shape certainly has no members by
// name.
func (s *Shape) notObject() bool {
	if s == nil {
		return false
	}
	switch s.kind {
	case shapeBool, shapeInt, shapeNumber, shapeString, shapeList:
		return true
	default: // nothing to do for the others
	}
	return false
}

// notObject reports a member of a value that has none. A method of another
// language is answered with our function.
func (c *checking) notObject(h hop, s *Shape) {
	kind := map[shapeKind]string{shapeBool: "a boolean", shapeInt: "a whole number", shapeNumber: "a number", shapeString: "a string", shapeList: "a list"}[s.kind]
	if w, ok := methodWords().find(h.key); ok {
		c.add(CodeType, h.column, w.suggest, "%s has no member %s: %s", kind, h.key, w.say)
		return
	}
	hint := ""
	if s.kind == shapeList {
		hint = "; its elements are read by number, as in list[0], or all with map(list, #." + h.key + ")"
	}
	c.add(CodeType, h.column, "", "%s has no member %s%s", kind, h.key, hint)
}

// nearMember returns the name that was probably meant, or "": one that differs
// in case and underscores only, one that another product calls key, or the
// nearest.
func nearMember(key string, names []string) string {
	// userId, user_id and UserID are one name to an author.
	plain := strings.ReplaceAll(strings.ToLower(key), "_", "")
	for _, name := range names {
		if strings.ReplaceAll(strings.ToLower(name), "_", "") == plain {
			return name
		}
	}
	for _, word := range memberWords[plain] {
		for _, name := range names {
			if name == word {
				return name
			}
		}
	}
	return nearest(key, names)
}

// containsInstead rewrites x in text as text contains x, for the operator at a
// column; "" where there is none, or where it would be long.
func containsInstead(tree ast.Node, at int) string {
	f := &operatorFinder{column: at}
	ast.Walk(&tree, f)
	if f.found == nil {
		return ""
	}
	// The library prints the operands; long ones would bury the message.
	left, right := f.found.Left.String(), f.found.Right.String()
	if len(left)+len(right) > 100 {
		return ""
	}
	return right + " contains " + left
}

// operatorFinder is the visitor behind containsInstead.
type operatorFinder struct {
	column int
	found  *ast.BinaryNode
}

// Visit looks for the operator in at the column.
func (f *operatorFinder) Visit(n *ast.Node) {
	if b, ok := (*n).(*ast.BinaryNode); ok && b.Operator == "in" && column(b) == f.column {
		f.found = b
	}
}
