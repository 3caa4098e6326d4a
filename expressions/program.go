package expressions

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// Program is a compiled expression. It never changes after compilation and may be
// evaluated by any number of goroutines at a time; each evaluation has its own
// state and its own limits.
type Program struct {
	source string // without an enclosing {{ }}
	shift  int    // characters before the expression in the text as given
	refs   References
	code   *vm.Program
	paths  []path
	// patterns is the total size of its constant regular expressions, in
	// instructions; see readPattern.
	patterns int
	plain    *path     // the whole expression is this path; nil: it is more than a path
	fixed    *bool     // the whole expression is true or false; nil: it is neither
	reuse    bool      // no predicates: the machine keeps no scopes and can be reused
	pool     sync.Pool // of *runner, used only with reuse
}

// Compile reads one bare expression; one enclosing {{ }} is tolerated. Secrets are
// not visible in it. The error is an *Error whose Column is that in source:
// CodeSyntax, CodeType for a wrong number of arguments, CodeUnknown for an unknown
// function or a secret, CodeFailed for a constant pattern that is not a regular
// expression, CodeLimit or CodeLarge for what exceeds a limit. Names are not
// checked against anything; that is what Check does.
func Compile(source string) (*Program, error) {
	inner, shift := bare(source)
	// err is a *Error: returned directly, a nil one would be an error that is not
	// nil.
	p, err := compile(inner, shift, false)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// bare removes one enclosing {{ }}, and returns the number of characters before the
// expression. A source that is not exactly one {{ }} is returned as it is, with 0.
func bare(source string) (string, int) {
	trimmed := strings.TrimSpace(source)
	if !strings.HasPrefix(trimmed, "{{") || !strings.HasSuffix(trimmed, "}}") {
		return source, 0
	}
	if end := templateEnd(trimmed[2:]); end != len(trimmed)-4 {
		return source, 0
	}
	start := strings.Index(source, "{{") + 2
	return trimmed[2 : len(trimmed)-2], utf8.RuneCountInString(source[:start])
}

// compile parses and builds one expression. shift is added to all columns, of
// references and of errors; secrets permits secrets.NAME.
func compile(source string, shift int, secrets bool) (*Program, *Error) {
	tree, a, err := parse(source, secrets)
	if err != nil {
		return nil, shifted(err, shift)
	}
	// Whether it is plain or fixed is read off the tree before build rewrites it.
	p := &Program{source: source, shift: shift, refs: a.refs, reuse: !hasPredicate(tree.Node)}
	p.refs.shift(shift)
	if whole, ok := pathOf(tree.Node, nil); ok {
		p.plain = &whole
	}
	if b, ok := tree.Node.(*ast.BoolNode); ok {
		p.fixed = &b.Value
	}
	if err := p.build(tree); err != nil {
		return nil, shifted(err, shift)
	}
	return p, nil
}

// build rewrites the tree and passes it to the library's compiler. The tree must
// not be used afterwards. A panic of the library becomes an error: no text may end
// the process.
func (p *Program) build(tree *parser.Tree) (err *Error) {
	defer func() {
		if r := recover(); r != nil {
			err = failAt(CodeSyntax, 1, "the expression cannot be compiled")
		}
	}()
	r := &rewriter{source: p.source}
	tree.Node = r.node(tree.Node)
	if r.err != nil {
		return r.err
	}
	p.paths, p.patterns = r.paths, r.patterns
	config := &conf.Config{ShortCircuit: true, Functions: calls}
	// An empty environment: the rewritten tree reads no variable but
	// evaluationName.
	config.WithEnv(map[string]any{})
	code, cerr := compiler.Compile(tree, config)
	if cerr != nil {
		return translate(cerr, CodeSyntax)
	}
	p.code = code
	return nil
}

// shifted returns the error with its column moved by shift. It copies, since an
// error may be shared; one without a column stays without.
func shifted(err *Error, shift int) *Error {
	if err == nil || err.Column == 0 || shift == 0 {
		return err
	}
	c := *err
	c.Column += shift
	return &c
}

// shift moves the columns of all references, in place.
func (r *References) shift(by int) {
	for _, list := range [][]Reference{r.Names, r.Steps, r.Signals, r.Secrets} {
		for i := range list {
			list[i].Column += by
		}
	}
}

// hasPredicate reports whether a predicate function is called anywhere in the tree.
// The library's machine keeps a scope for each open predicate.
func hasPredicate(n ast.Node) bool {
	f := &predicateFinder{}
	ast.Walk(&n, f)
	return f.found
}

// predicateFinder is the visitor behind hasPredicate.
type predicateFinder struct{ found bool }

// Visit notes a predicate function.
func (f *predicateFinder) Visit(n *ast.Node) {
	if b, ok := (*n).(*ast.BuiltinNode); ok && predicateFunctions[b.Name] {
		f.found = true
	}
}

// String returns the expression's text, without an enclosing {{ }}.
func (p *Program) String() string { return p.source }

// References lists what the expression reads, with columns in the text that Compile
// was called with. The lists are shared: do not change them.
func (p *Program) References() References { return p.refs }

// Path returns the words of an expression that is nothing but a path, like
// input.a.b or steps["x-y"].output.items: ["steps", "x-y", "output", "items"]. It
// returns false for any other expression, and for a path with ?. in it.
func (p *Program) Path() ([]string, bool) {
	if p.plain == nil {
		return nil, false
	}
	return p.plain.names()
}

// Eval returns the value: nil, bool, int, float64, string, []any or map[string]any;
// json.Number for numbers that neither int nor float64 holds exactly. Times and
// durations are returned as strings. The value may share parts with others: do not
// change it. The error is an *Error; the codes are CodeFailed, CodeType,
// CodeUnknown, CodeLimit and CodeLarge.
func (p *Program) Eval(s Scope) (any, error) {
	v, err := p.eval(s)
	if err != nil {
		return nil, err
	}
	plain, err := plainValue(v)
	if err != nil {
		return nil, err
	}
	return plain, nil
}

// EvalBool is Eval for conditions: a value that is not a boolean is an error with
// CodeType, null included. A literal true or false is returned without an
// evaluation.
func (p *Program) EvalBool(s Scope) (bool, error) {
	if p.fixed != nil {
		return *p.fixed, nil
	}
	v, err := p.eval(s)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, failAt(CodeType, 1+p.shift, "the condition must return true or false, not %s", kindOf(v))
	}
	return b, nil
}

// EvalJSON returns the value as JSON, at least one byte of it. An expression that
// is nothing but a path returns the stored bytes exactly; they belong to the scope:
// do not change them. Objects that were computed have their keys sorted. The errors
// are those of Eval; a computed result beyond MaxResult bytes or MaxValue values
// has CodeLarge.
func (p *Program) EvalJSON(s Scope) (json.RawMessage, error) {
	if p.plain != nil {
		raw, err := p.evalRaw(s)
		if err != nil {
			return nil, err
		}
		return raw, nil
	}
	v, err := p.eval(s)
	if err != nil {
		return nil, err
	}
	raw, err := encode(v)
	if err != nil {
		return nil, shifted(err.at(1), p.shift)
	}
	return raw, nil
}

// evalRaw resolves a plain path without the library's machine and, for most paths,
// without decoding anything.
func (p *Program) evalRaw(s Scope) (raw json.RawMessage, err *Error) {
	e := &reader{scope: s, unread: MaxRead}
	raw, err = e.resolve(*p.plain)
	if err != nil {
		return nil, shifted(err, p.shift)
	}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 {
		raw = json.RawMessage("null")
	}
	return raw, nil
}

// eval runs the program in an evaluation of its own and returns a value of one of
// the types that evaluations work with, times and durations included.
func (p *Program) eval(s Scope) (v any, failed *Error) {
	r := p.runner()
	// The library reports some failures of built-in functions as panics.
	defer func() {
		if x := recover(); x != nil {
			v, failed = nil, p.recovered(x)
		}
	}()
	// The limits are full again for each evaluation.
	r.evaluation.begin(s, p.paths)
	v, err := r.machine.Run(p.code, r.env)
	if err != nil {
		return nil, shifted(translate(err, CodeFailed), p.shift)
	}
	// Only a machine that finished is reused: after an error or a panic its stack
	// may hold anything.
	if p.reuse {
		r.release()
		p.pool.Put(r)
	}
	return v, nil
}

// recovered turns a panic's value into an Error; only our own errors keep their
// message.
func (p *Program) recovered(x any) *Error {
	if err, ok := x.(error); ok {
		if own, ok := errors.AsType[*Error](err); ok {
			return shifted(own.at(1), p.shift)
		}
	}
	return failAt(CodeFailed, 1+p.shift, "the expression cannot be evaluated")
}

// runner is a machine with the evaluation that its functions are called with. It
// serves one evaluation at a time.
type runner struct {
	machine    vm.VM
	evaluation evaluation
	env        map[string]any // evaluationName: &evaluation, and nothing else
}

// runner takes a runner from the pool, or makes one.
func (p *Program) runner() *runner {
	if r, ok := p.pool.Get().(*runner); ok {
		return r
	}
	r := &runner{}
	r.env = map[string]any{evaluationName: &r.evaluation}
	return r
}

// release clears the values of an evaluation before the runner is put into the
// pool, so that an idle program keeps no run's data alive. The whole capacity of
// the stack is cleared: popped values remain beyond its length.
func (r *runner) release() {
	clear(r.machine.Stack[:cap(r.machine.Stack)])
	clear(r.machine.Variables)
	r.evaluation.end()
}
