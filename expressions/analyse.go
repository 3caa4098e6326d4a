package expressions

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Reference is one use of a name, at a column in characters from 1.
type Reference struct {
	Name   string
	Column int
}

// References lists what an expression reads, each name once, at its first use.
type References struct {
	// Names are input, run, item and the like; not steps, signals, secrets.
	Names []Reference
	// Steps are the ids of steps that are named with a constant.
	Steps []Reference
	// AllSteps: steps is used as a whole, or with a computed id.
	AllSteps bool
	// Signals are the names of signals that are named with a constant.
	Signals []Reference
	// AllSignals: signals is used as a whole, or with a computed name.
	AllSignals bool
	// Secrets are the names of secrets; templates alone may use them.
	Secrets []Reference
}

func addReference(list []Reference, name string, column int) []Reference {
	if slices.ContainsFunc(list, func(r Reference) bool { return r.Name == name }) {
		return list
	}
	return append(list, Reference{name, column})
}

// The names that hold other names.
const (
	nameSteps   = "steps"
	nameSignals = "signals"
	nameSecrets = "secrets"
)

// analysis walks a fresh syntax tree: the allow-list, the limits that need a
// tree, and the references.
type analysis struct {
	refs    References
	paths   []path
	secrets bool
	lets    []string
	letSeen int
	err     *Error
}

func column(n ast.Node) int { return n.Location().From + 1 }

func (a *analysis) refuse(code string, n ast.Node, format string, args ...any) {
	a.refuseAt(code, column(n), format, args...)
}

func (a *analysis) refuseAt(code string, column int, format string, args ...any) {
	if a.err == nil {
		a.err = failAt(code, column, format, args...)
	}
}

func (a *analysis) walk(n ast.Node, nesting int) {
	if n == nil || a.err != nil {
		return
	}
	if p, ok := pathOf(n, a.lets); ok {
		a.refer(p)
		return
	}
	switch n := n.(type) {
	case *ast.CallNode:
		a.call(n, nesting)
	case *ast.BuiltinNode:
		a.builtin(n, nesting)
	case *ast.VariableDeclaratorNode:
		a.let(n, nesting)
	case *ast.MemberNode:
		a.member(n, nesting)
	case *ast.PointerNode:
		if n.Name != "" && n.Name != "index" {
			a.refuse(CodeSyntax, n, "there is no #%s; # is the element and #index its place", n.Name)
		}
	case *ast.BytesNode:
		a.refuse(CodeSyntax, n, "byte literals are not available; use a string")
	default:
		for _, c := range children(n) {
			a.walk(c, nesting)
		}
	}
}

func (a *analysis) let(n *ast.VariableDeclaratorNode, nesting int) {
	a.letSeen++
	if a.letSeen > MaxLets {
		a.refuse(CodeLimit, n, "at most %d let are allowed", MaxLets)
		return
	}
	if strings.HasPrefix(n.Name, "$") {
		a.refuse(CodeSyntax, n, "a let name cannot begin with $")
		return
	}
	a.walk(n.Value, nesting)
	a.lets = append(a.lets, n.Name)
	a.walk(n.Expr, nesting)
	a.lets = a.lets[:len(a.lets)-1]
}

// member is one that is no constant path: something computed is read.
func (a *analysis) member(n *ast.MemberNode, nesting int) {
	if root, ok := n.Node.(*ast.IdentifierNode); ok && !slices.Contains(a.lets, root.Value) {
		switch root.Value {
		case nameSteps:
			a.refs.AllSteps = true
			a.walk(n.Property, nesting)
			return
		case nameSignals:
			a.refs.AllSignals = true
			a.walk(n.Property, nesting)
			return
		}
	}
	a.walk(n.Node, nesting)
	a.walk(n.Property, nesting)
}

func (a *analysis) call(n *ast.CallNode, nesting int) {
	switch callee := n.Callee.(type) {
	case *ast.MemberNode:
		name, _ := callee.Property.(*ast.StringNode)
		if name == nil || !methodAllowed(name.Value) {
			a.noMethod(n, callee)
			return
		}
		a.walk(callee.Node, nesting)
	case *ast.IdentifierNode:
		if f, ok := codeFunctions[callee.Value]; ok {
			if !f.takes(len(n.Arguments)) {
				a.refuse(CodeType, n, "%s takes %s, got %d", callee.Value, f.arity(), len(n.Arguments))
			}
			break
		}
		if a.err == nil {
			a.err = noFunction(callee.Value, column(n))
		}
		if strings.HasPrefix(callee.Value, "$") {
			a.dollar(path{root: callee.Value, column: column(n)})
		}
		return
	default:
		a.refuse(CodeSyntax, n, "this cannot be called")
		return
	}
	for _, arg := range n.Arguments {
		a.walk(arg, nesting)
	}
}

// noMethod refuses a method, with what takes its place.
func (a *analysis) noMethod(n ast.Node, callee *ast.MemberNode) {
	name := memberName(callee)
	w, ok := methodWords().find(name)
	if root, isName := callee.Node.(*ast.IdentifierNode); isName {
		if of, known := spaceWords()[root.Value+"."+name]; known {
			w, ok = of, true
		}
		if strings.HasPrefix(root.Value, "$") {
			a.dollar(path{root: root.Value, column: column(root)})
			return
		}
	}
	if !ok {
		a.refuse(CodeSyntax, n, "there is no method %q here; values have functions, as in upper(x)", name)
		return
	}
	if a.err == nil {
		a.err = w.error(CodeSyntax, column(n), "there is no method %q here", name)
	}
}

// dollar refuses a name that begins with $.
func (a *analysis) dollar(p path) {
	rest := p.text(len(p.hops))[len(p.root):]
	if rest == "" {
		rest = ".name"
	}
	say := "names do not begin with $; write input.name or steps.ID.output"
	w, ok := dollarWords()[p.root]
	if ok {
		say = strings.ReplaceAll(w.say, "%s", rest)
	}
	a.err = failAt(CodeUnknown, p.column, "%s is not available: %s", p.root, say)
	a.err.Suggestion = w.suggest
}

func memberName(n *ast.MemberNode) string {
	if s, ok := n.Property.(*ast.StringNode); ok {
		return s.Value
	}
	return ""
}

func (a *analysis) builtin(n *ast.BuiltinNode, nesting int) {
	if reason, ok := refusedFunctions[n.Name]; ok {
		a.refuse(CodeSyntax, n, "the function %s is not available: %s", n.Name, reason)
		return
	}
	predicate := predicateFunctions[n.Name]
	f, ok := functions[n.Name]
	switch {
	case predicate:
	case !ok:
		a.refuse(CodeSyntax, n, "the function %s is not available", n.Name)
		return
	case !f.takes(len(n.Arguments)):
		a.refuse(CodeType, n, "%s takes %s, got %d", n.Name, f.arity(), len(n.Arguments))
		return
	}
	for _, arg := range n.Arguments {
		body, ok := arg.(*ast.PredicateNode)
		if !ok {
			a.walk(arg, nesting)
			continue
		}
		if nesting >= MaxNesting {
			a.refuse(CodeLimit, n, "predicates may be nested %d deep", MaxNesting)
			return
		}
		a.walk(body.Node, nesting+1)
	}
}

// refer notes what a constant path reads.
func (a *analysis) refer(p path) {
	a.paths = append(a.paths, p)
	switch p.root {
	case nameSteps, nameSignals:
		a.referHolder(p)
	case nameSecrets:
		a.referSecret(p)
	default:
		if strings.HasPrefix(p.root, "$") {
			if a.err == nil {
				a.dollar(p)
			}
			return
		}
		a.refs.Names = addReference(a.refs.Names, p.root, p.column)
	}
}

func (a *analysis) referHolder(p path) {
	first, ok := p.first()
	switch {
	case p.root == nameSteps && ok:
		a.refs.Steps = addReference(a.refs.Steps, first, p.column)
	case p.root == nameSteps:
		a.refs.AllSteps = true
	case ok:
		a.refs.Signals = addReference(a.refs.Signals, first, p.column)
	default:
		a.refs.AllSignals = true
	}
}

func (a *analysis) referSecret(p path) {
	first, ok := p.first()
	switch {
	case !a.secrets:
		a.refuseAt(CodeUnknown, p.column, "secrets are visible in the templates of config only")
	case !ok:
		a.refuseAt(CodeUnknown, p.column, "name one secret: secrets.NAME")
	default:
		a.refs.Secrets = addReference(a.refs.Secrets, first, p.column)
	}
}

// children gives the parts of a node that hold no names of their own.
func children(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ChainNode:
		return []ast.Node{n.Node}
	case *ast.SliceNode:
		return present(n.Node, n.From, n.To)
	case *ast.PredicateNode:
		return []ast.Node{n.Node}
	case *ast.SequenceNode:
		return n.Nodes
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.MapNode:
		return n.Pairs
	case *ast.PairNode:
		return []ast.Node{n.Key, n.Value}
	}
	return nil
}

func present(nodes ...ast.Node) []ast.Node {
	return slices.DeleteFunc(nodes, func(n ast.Node) bool { return n == nil })
}
