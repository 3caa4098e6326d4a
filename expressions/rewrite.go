package expressions

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"
)

// evaluationName is the one variable that a compiled program reads: the
// evaluation that it belongs to. The lexer lets authors write it; analysis
// refuses names that begin with $.
const evaluationName = "$"

// rewriter turns an analysed tree into one whose every operation that could
// grow, walk or misread something is a call of a bounded function. It changes
// the tree in place; source and lets are as in analysis. For instance
//
//	input.n + 1          $add($, $path($, 0), 1)
//	steps[item] == nil   $eq($, $step($, $path($, 0)), nil)
//	map(input.l, # * 2)  map($list($, $path($, 0), 1, "map"), $mul($, #, 2))
type rewriter struct {
	source string
	lets   []string
	paths  []path // what "$path" reads, by its argument
	err    *Error // the last
	// patterns is the total size of the constant regular expressions, in
	// instructions.
	patterns int
}

// operatorCalls are the operators that become calls; the rest, such as and, or,
// ?? and not, short-circuit or are free, and stay.
var operatorCalls = map[string]string{
	"==": "$eq", "!=": "$ne", "<": "$lt", "<=": "$le", ">": "$gt", ">=": "$ge",
	"+": "$add", "-": "$sub", "*": "$mul", "/": "$div", "%": "$mod", "**": "$pow", "^": "$pow",
	"..": "$range", "in": "$in", "contains": "$contains", "startsWith": "$startsWith",
	"endsWith": "$endsWith", "matches": "$matches",
}

// invoke builds the call name(evaluation, args…), located at a node, so that
// its errors point there.
func invoke(at ast.Node, name string, args ...ast.Node) ast.Node {
	callee := &ast.IdentifierNode{Value: name}
	state := &ast.IdentifierNode{Value: evaluationName}
	call := &ast.CallNode{Callee: callee, Arguments: append([]ast.Node{state}, args...)}
	for _, n := range []ast.Node{callee, state, call} {
		n.SetLocation(at.Location())
	}
	return call
}

// all rewrites nodes in place and returns them.
func (r *rewriter) all(nodes []ast.Node) []ast.Node {
	for i := range nodes {
		nodes[i] = r.node(nodes[i])
	}
	return nodes
}

// node rewrites a node with all below it, and returns what takes its place; nil
// for nil.
func (r *rewriter) node(n ast.Node) ast.Node {
	if n == nil {
		return nil
	}
	if p, ok := pathOf(n, r.lets); ok {
		r.paths = append(r.paths, p)
		return invoke(n, "$path", &ast.IntegerNode{Value: len(r.paths) - 1})
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		return r.unary(n)
	case *ast.BinaryNode:
		return r.binary(n)
	case *ast.MemberNode:
		return r.member(n)
	case *ast.SliceNode:
		return r.slice(n)
	case *ast.FloatNode:
		return r.float(n)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok { // one of codeFunctions
			return invoke(n, "$"+callee.Value, r.all(n.Arguments)...)
		}
		callee := n.Callee.(*ast.MemberNode)
		args := []ast.Node{r.node(callee.Node), &ast.StringNode{Value: memberName(callee)}}
		name := "$method"
		if callee.Optional {
			name = "$methodOfAny"
		}
		return invoke(n, name, append(args, r.all(n.Arguments)...)...)
	case *ast.BuiltinNode:
		return r.builtin(n)
	case *ast.VariableDeclaratorNode:
		n.Value = r.node(n.Value)
		r.lets = append(r.lets, n.Name)
		n.Expr = r.node(n.Expr)
		r.lets = r.lets[:len(r.lets)-1]
	default:
		r.inside(n)
	}
	return n
}

// inside rewrites the parts of a node that itself stays. Leaves have none.
func (r *rewriter) inside(n ast.Node) {
	switch n := n.(type) {
	case *ast.ChainNode:
		n.Node = r.node(n.Node)
	case *ast.PredicateNode:
		n.Node = r.node(n.Node)
	case *ast.SequenceNode:
		r.all(n.Nodes)
	case *ast.ConditionalNode:
		n.Cond, n.Exp1, n.Exp2 = r.node(n.Cond), r.node(n.Exp1), r.node(n.Exp2)
	case *ast.ArrayNode:
		r.all(n.Nodes)
	case *ast.MapNode:
		r.all(n.Pairs)
	case *ast.PairNode:
		n.Key, n.Value = r.node(n.Key), r.node(n.Value)
	}
}

// float keeps a literal as it is written where it has more digits than float64
// holds. The tree has only the rounded value, so it is read from the source
// once more.
func (r *rewriter) float(n *ast.FloatNode) ast.Node {
	// The node's column is where the literal begins.
	text := r.source[offset(r.source, column(n)):]
	end := 0
	for end < len(text) && (strings.IndexByte("0123456789._eE", text[end]) >= 0 || strings.IndexByte("+-", text[end]) >= 0 && end > 0 && text[end-1]|0x20 == 'e') {
		end++
	}
	written := strings.ReplaceAll(text[:end], "_", "")
	if strings.HasPrefix(written, ".") {
		written = "0" + written
	}
	// If what was cut out is not the literal after all, the tree's value
	// stands.
	if f, err := strconv.ParseFloat(written, 64); err != nil || f != n.Value || !json.Valid([]byte(written)) {
		return n
	}
	exact, large := number(json.Number(written)).(json.Number)
	if !large {
		return n
	}
	c := &ast.ConstantNode{Value: exact}
	c.SetLocation(n.Location())
	return c
}

// unary rewrites the minus; not and + stay.
func (r *rewriter) unary(n *ast.UnaryNode) ast.Node {
	n.Node = r.node(n.Node)
	if n.Operator == "-" {
		return invoke(n, "$neg", n.Node)
	}
	return n
}

// binary rewrites an operator. The pattern of matches is read here where it is
// constant: the error then is one of compilation, and its size is known.
func (r *rewriter) binary(n *ast.BinaryNode) ast.Node {
	n.Left, n.Right = r.node(n.Left), r.node(n.Right)
	name, ok := operatorCalls[n.Operator]
	if !ok {
		return n
	}
	if pattern, ok := n.Right.(*ast.StringNode); ok && n.Operator == "matches" {
		re, err := readPattern(pattern.Value)
		if err != nil {
			r.err = err.at(column(n.Right))
			return n
		}
		r.patterns += re.size
		return invoke(n, name, n.Left, constant(re, n))
	}
	return invoke(n, name, n.Left, n.Right)
}

// constant is a node that holds a pattern.
func constant(re *pattern, at ast.Node) ast.Node {
	c := &ast.ConstantNode{Value: re}
	c.SetLocation(at.Location())
	return c
}

// member rewrites a member access that is not a constant path. steps[x] and
// signals[x] read the one that is named, and not all of them. An index into
// what may be a string finds a character, not a byte.
func (r *rewriter) member(n *ast.MemberNode) ast.Node {
	if root, ok := n.Node.(*ast.IdentifierNode); ok && !n.Optional && !slices.Contains(r.lets, root.Value) {
		switch root.Value {
		case nameSteps:
			return invoke(n, "$step", r.node(n.Property))
		case nameSignals:
			return invoke(n, "$signal", r.node(n.Property))
		}
	}
	n.Node, n.Property = r.node(n.Node), r.node(n.Property)
	if _, byName := n.Property.(*ast.StringNode); !byName && !n.Optional && !optional(n.Node) {
		n.Node = invoke(n.Node, "$chars", n.Node)
	}
	return n
}

// slice rewrites x[a:b], so that it counts characters in strings. Inside an
// optional chain that is computed the library slices: at null it jumps out of
// the chain, which a call cannot do.
func (r *rewriter) slice(n *ast.SliceNode) ast.Node {
	n.Node, n.From, n.To = r.node(n.Node), r.node(n.From), r.node(n.To)
	if optional(n.Node) {
		return n
	}
	// An end that was left out is nil for the call.
	ends := []ast.Node{n.From, n.To}
	for i, end := range ends {
		if end == nil {
			ends[i] = &ast.NilNode{}
		}
	}
	return invoke(n, "$slice", n.Node, ends[0], ends[1])
}

// optional reports whether a chain of members and slices holds a ?. that is
// computed.
func optional(n ast.Node) bool {
	for {
		switch m := n.(type) {
		case *ast.MemberNode:
			if m.Optional {
				return true
			}
			n = m.Node
		case *ast.SliceNode:
			n = m.Node
		default:
			return false
		}
	}
}

// builtin rewrites a function's call. Predicate functions stay with the
// library, with a list that is paid for; but sum and sortBy are exact here, and
// findLast and findLastIndex leave values behind on the library's stack, so
// that 1 + findLast(…) adds the wrong ones.
//
// A visit of an element weighs one unit of fuel and one for every eight nodes
// of the predicate's body.
func (r *rewriter) builtin(n *ast.BuiltinNode) ast.Node {
	if !predicateFunctions[n.Name] {
		return invoke(n, "$"+n.Name, r.all(n.Arguments)...)
	}
	weight := 1
	if len(n.Arguments) > 1 {
		// As written: what the body is rewritten to has more nodes.
		weight += countNodes(n.Arguments[1]) / 8
	}
	r.all(n.Arguments)
	// The body and the list are rewritten by now; the list is wrapped in its
	// payment.
	list := invoke(n, "$list", n.Arguments[0], &ast.IntegerNode{Value: weight}, &ast.StringNode{Value: n.Name})
	n.Arguments[0] = list
	switch n.Name {
	case "sum":
		return sumCall(n)
	case "sortBy":
		return sortByCall(n)
	case "findLast":
		n.Name = "filter"
		return invoke(n, "$last", n)
	case "findLastIndex":
		n.Name = "map"
		return invoke(n, "$lastTrue", n)
	}
	return n
}

// sumCall is sum(list, body): the elements, or what body returns for them, are
// added exactly.
func sumCall(n *ast.BuiltinNode) ast.Node {
	if len(n.Arguments) == 1 {
		return invoke(n, "$sum", n.Arguments[0])
	}
	n.Name = "map"
	return invoke(n, "$sum", n)
}

// sortByCall is sortBy(list, body, order): pairs of key and element are made by
// map and sorted, stably and with exact numbers.
func sortByCall(n *ast.BuiltinNode) ast.Node {
	body := n.Arguments[1].(*ast.PredicateNode)
	body.Node = &ast.ArrayNode{Nodes: []ast.Node{body.Node, &ast.PointerNode{}}}
	order := n.Arguments[2:]
	n.Name, n.Arguments = "map", n.Arguments[:2:2]
	return invoke(n, "$sortBy", append([]ast.Node{n}, order...)...)
}

// countNodes returns the number of nodes of a tree.
func countNodes(n ast.Node) int {
	c := &nodeCounter{}
	ast.Walk(&n, c)
	return c.n
}

// nodeCounter is the visitor behind countNodes.
type nodeCounter struct{ n int }

// Visit counts one node.
func (c *nodeCounter) Visit(*ast.Node) { c.n++ }

// pattern is a regular expression that readPattern has accepted. It is compiled
// when it is first matched, so that checking a definition costs no more than
// reading its patterns. It may be matched concurrently.
type pattern struct {
	source  string
	size    int // in instructions, of maxPattern
	compile sync.Once
	re      *regexp.Regexp // set by compile
}

// match reports whether the pattern matches anywhere in s.
func (p *pattern) match(s string) bool {
	p.compile.Do(func() { p.re = regexp.MustCompile(p.source) }) // it has been parsed
	return p.re.MatchString(s)
}
