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

// Program is a compiled expression. It may be evaluated by any number of
// goroutines at a time.
type Program struct {
	source string
	shift  int // characters before the expression in the text as given
	refs   References
	code   *vm.Program
	paths  []path
	// patterns is how many instructions its regular expressions have together.
	patterns int
	plain    *path // the whole expression is this path
	fixed    *bool // the whole expression is true or false
	reuse    bool  // no predicates: the machine keeps no scopes and can be reused
	pool     sync.Pool
}

// Compile reads one bare expression; one enclosing {{ }} is tolerated. The
// error is an *Error.
func Compile(source string) (*Program, error) {
	inner, shift := bare(source)
	p, err := compile(inner, shift, false)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// bare takes one enclosing {{ }} off, and tells how many characters went
// before the expression.
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

func compile(source string, shift int, secrets bool) (*Program, *Error) {
	tree, a, err := parse(source, secrets)
	if err != nil {
		return nil, shifted(err, shift)
	}
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

// build rewrites the tree and hands it to the library's compiler.
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
	config.WithEnv(map[string]any{})
	code, cerr := compiler.Compile(tree, config)
	if cerr != nil {
		return translate(cerr, CodeSyntax)
	}
	p.code = code
	return nil
}

func shifted(err *Error, shift int) *Error {
	if err == nil || err.Column == 0 || shift == 0 {
		return err
	}
	c := *err
	c.Column += shift
	return &c
}

func (r *References) shift(by int) {
	for _, list := range [][]Reference{r.Names, r.Steps, r.Signals, r.Secrets} {
		for i := range list {
			list[i].Column += by
		}
	}
}

func hasPredicate(n ast.Node) bool {
	f := &predicateFinder{}
	ast.Walk(&n, f)
	return f.found
}

type predicateFinder struct{ found bool }

func (f *predicateFinder) Visit(n *ast.Node) {
	if b, ok := (*n).(*ast.BuiltinNode); ok && predicateFunctions[b.Name] {
		f.found = true
	}
}

// String gives the expression's text.
func (p *Program) String() string { return p.source }

// References lists what the expression reads. The lists are shared: do not
// change them.
func (p *Program) References() References { return p.refs }

// Path gives the words of an expression that is nothing but a path, like
// input.a.b or steps["x-y"].output.items: ["steps", "x-y", "output", "items"].
// A path with ?. is none.
func (p *Program) Path() ([]string, bool) {
	if p.plain == nil {
		return nil, false
	}
	return p.plain.names()
}

// Eval gives the value: nil, bool, int, float64, string, []any or
// map[string]any; json.Number for numbers that neither int nor float64 holds.
// Times and durations come as strings. The value may share parts with others:
// do not change it. The error is an *Error.
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

// EvalBool is Eval for conditions; what is no boolean is expression_type.
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
		return false, failAt(CodeType, 1+p.shift, "the condition must give true or false, not %s", kindOf(v))
	}
	return b, nil
}

// EvalJSON gives the value as JSON. An expression that is nothing but a path
// gives the stored bytes exactly; they belong to the scope: do not change
// them. Objects that were computed have their keys sorted.
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

func (p *Program) evalRaw(s Scope) (raw json.RawMessage, err *Error) {
	e := &evaluation{scope: s, fuel: MaxFuel, read: MaxRead, built: MaxBuilt}
	raw, err = e.resolve(*p.plain)
	if err != nil {
		return nil, shifted(err, p.shift)
	}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 {
		raw = json.RawMessage("null")
	}
	return raw, nil
}

// eval runs the program in an evaluation of its own.
func (p *Program) eval(s Scope) (v any, failed *Error) {
	r := p.runner()
	defer func() {
		if x := recover(); x != nil {
			v, failed = nil, p.recovered(x)
		}
	}()
	r.evaluation.begin(s, p.paths)
	v, err := r.machine.Run(p.code, r.env)
	if err != nil {
		return nil, shifted(translate(err, CodeFailed), p.shift)
	}
	if p.reuse {
		r.release()
		p.pool.Put(r)
	}
	return v, nil
}

func (p *Program) recovered(x any) *Error {
	if err, ok := x.(error); ok {
		if own, ok := errors.AsType[*Error](err); ok {
			return shifted(own.at(1), p.shift)
		}
	}
	return failAt(CodeFailed, 1+p.shift, "the expression cannot be evaluated")
}

// runner is a machine with the evaluation that its functions are given.
type runner struct {
	machine    vm.VM
	evaluation evaluation
	env        map[string]any
}

func (p *Program) runner() *runner {
	if r, ok := p.pool.Get().(*runner); ok {
		return r
	}
	r := &runner{}
	r.env = map[string]any{evaluationName: &r.evaluation}
	return r
}

// release forgets the values of an evaluation before the runner waits in the pool.
func (r *runner) release() {
	clear(r.machine.Stack[:cap(r.machine.Stack)])
	clear(r.machine.Variables)
	r.evaluation.end()
}
