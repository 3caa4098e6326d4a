package expressions

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Reference is one use of a name.
type Reference struct {
	Name   string
	Column int // of the path's root, in characters from 1
}

// References lists what an expression reads, each name once, at its first use, in
// the order of the text. Without names the lists are nil. The lists are complete:
// an evaluation reads nothing from its scope that they do not announce.
type References struct {
	// Names are root names: input, run, item and the like, also names that do not
	// exist; not steps, signals and secrets, and not the names of let.
	Names []Reference
	// Steps are the ids of steps that are named with a constant.
	Steps []Reference
	// AllSteps says that steps is used as a whole, or with a computed id. Steps may
	// list others besides.
	AllSteps bool
	// Signals are the names of signals that are named with a constant.
	Signals []Reference
	// AllSignals says that signals is used as a whole, or with a computed name.
	AllSignals bool
	// Secrets are the names of secrets. Only templates have any, and each is a
	// constant: which secrets a step may receive is known before it runs.
	Secrets []Reference
}

// addReference appends a name unless the list has it. The search is linear: one
// expression names few things.
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

// analysis walks a fresh syntax tree once, before anything changes it. It holds the
// tree against the allow-list, checks the limits that need a tree (lets, nested
// predicates, numbers of arguments), and gathers what the expression reads. After
// the first error it stops.
type analysis struct {
	refs    References
	paths   []path   // all constant paths, in the order of the text, with repetitions
	secrets bool     // secrets.NAME is permitted
	lets    []string // the names of let around the current node, the innermost last
	letSeen int      // all let so far, of MaxLets
	err     *Error   // the first; nil: none so far
}

// column returns the place of a node in the text, in characters from 1. The library
// counts runes from 0.
func column(n ast.Node) int { return n.Location().From + 1 }

// refuse records an error at a node, unless there is one.
func (a *analysis) refuse(code string, n ast.Node, format string, args ...any) {
	a.refuseAt(code, column(n), format, args...)
}

// refuseAt records an error at a column, unless there is one.
func (a *analysis) refuseAt(code string, column int, format string, args ...any) {
	if a.err == nil {
		a.err = failAt(code, column, format, args...)
	}
}

// walk visits a node and all below it. nesting is the number of predicates around
// it.
func (a *analysis) walk(n ast.Node, nesting int) {
	if n == nil || a.err != nil {
		return
	}
	// A path is taken whole, so that steps.a is one step and not all of them.
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

// let checks one let. Its name is visible in what follows it, and not in its own
// value.
func (a *analysis) let(n *ast.VariableDeclaratorNode, nesting int) {
	a.letSeen++
	if a.letSeen > MaxLets {
		a.refuse(CodeLimit, n, "at most %d let are allowed", MaxLets)
		return
	}
	// A let named evaluationName would hide the evaluation from the calls that the
	// rewriter builds.
	if strings.HasPrefix(n.Name, "$") {
		a.refuse(CodeSyntax, n, "a let name cannot begin with $")
		return
	}
	a.walk(n.Value, nesting)
	a.lets = append(a.lets, n.Name)
	a.walk(n.Expr, nesting)
	a.lets = a.lets[:len(a.lets)-1]
}

// member visits a member access that is not a constant path: its name is computed,
// or it is a member of something computed.
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

// call checks a call: methods of times and durations, and codeFunctions, which the
// library parses as calls of a name. All other functions of the library are
// BuiltinNodes.
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

// noMethod refuses a method, and says what is written instead where that is known:
// for a method of any value, or for a function of a well-known object such as
// JSON.stringify.
func (a *analysis) noMethod(n ast.Node, callee *ast.MemberNode) {
	name := memberName(callee)
	// A function of an object, such as Math.max, is more specific than a method
	// max.
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

// dollar refuses a name that begins with $. It replaces an error that was recorded
// for the same node, since it explains more. Where another product's name is
// recognized, the members that follow it are carried over to what is to be written.
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

// memberName returns the constant name of a member, or "" for a computed one.
func memberName(n *ast.MemberNode) string {
	if s, ok := n.Property.(*ast.StringNode); ok {
		return s.Value
	}
	return ""
}

// builtin checks a call of one of the library's functions against the allow-list,
// and visits its arguments.
func (a *analysis) builtin(n *ast.BuiltinNode, nesting int) {
	if reason, ok := refusedFunctions[n.Name]; ok {
		a.refuse(CodeSyntax, n, "the function %s is not available: %s", n.Name, reason)
		return
	}
	predicate := predicateFunctions[n.Name]
	f, ok := functions[n.Name]
	switch {
	case predicate:
	// Neither in the table nor a predicate: the library has it, the allow-list
	// does not.
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
		// Each level multiplies the work by the length of a list.
		if nesting >= MaxNesting {
			a.refuse(CodeLimit, n, "predicates may be nested %d deep", MaxNesting)
			return
		}
		a.walk(body.Node, nesting+1)
	}
}

// refer records what a constant path reads. The path stays in paths even where it
// is refused.
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

// referHolder records a path below steps or signals: the one that it names, or all
// of them.
func (a *analysis) referHolder(p path) {
	first, ok := p.first()
	switch {
	// The id is a constant; otherwise all of them may be read.
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

// referSecret records a secret. secrets as a whole is refused everywhere: a step
// receives no secret that it does not name.
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

// children returns the parts of a node that introduces no names, for the nodes that
// analysis has no case of its own for. Leaves have none. The slice may be the
// node's own.
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

// present returns the nodes that are there: the ends of a slice may be left out.
func present(nodes ...ast.Node) []ast.Node {
	return slices.DeleteFunc(nodes, func(n ast.Node) bool { return n == nil })
}
