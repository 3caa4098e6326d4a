package expressions

import (
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr/builtin"
)

// function is one that expressions may call.
type function struct {
	least, most int // arguments; most < 0: any number
	// run evaluates a call. args are evaluated and counted; run owns the slice, but
	// not the values in it: they may be shared and are never changed. It pays for
	// what it reads and builds beyond the one unit of fuel of each call. Nil: there
	// is no such function.
	run func(e *evaluation, args []any) (any, *Error)
}

// predicateFunctions are those whose second argument is evaluated for each
// element. They stay with the library; their list argument is checked and paid
// for before they walk it.
var predicateFunctions = map[string]bool{
	"all": true, "none": true, "any": true, "one": true, "filter": true, "map": true,
	"count": true, "sum": true, "find": true, "findIndex": true, "findLast": true,
	"findLastIndex": true, "groupBy": true, "sortBy": true,
}

// refusedFunctions are the library's functions that are not on the allow-list,
// and why; what is in neither table is refused without a reason.
var refusedFunctions = map[string]string{
	"reduce":   "it can build without bound; use map, filter, sum or join",
	"repeat":   "it can build without bound",
	"now":      "an expression has no clock; run.started_at and time stamps in outputs are times",
	"timezone": "give the zone to date as its third argument",
}

// functions are the allowed functions that are not predicateFunctions. It never
// changes.
var functions = mergeFunctions(textFunctions, codeFunctions, numberFunctions, listFunctions, objectFunctions, timeFunctions, bitFunctions)

// calls is what compiled programs call: operators under their names, such as
// "$add", and functions under "$" and their name. It is shared by all programs
// and never changes.
var calls = callTable()

// mergeFunctions returns one table of several, which share no names.
func mergeFunctions(groups ...map[string]function) map[string]function {
	all := map[string]function{}
	for _, g := range groups {
		maps.Copy(all, g)
	}
	return all
}

// functionNames lists the names of all functions, sorted, for suggestions.
func functionNames() []string {
	names := make([]string, 0, len(functions)+len(predicateFunctions))
	for name := range functions {
		names = append(names, name)
	}
	for name := range predicateFunctions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// callTable builds calls.
func callTable() map[string]*builtin.Function {
	table := map[string]*builtin.Function{}
	for name, run := range operators {
		table[name] = bind(name, run)
	}
	for name, f := range functions {
		table["$"+name] = bind("$"+name, f.counted(name))
	}
	return table
}

// bind makes a function of the library out of one of ours. The first argument
// of each call is the evaluation, which invoke puts there: compiled programs
// are shared, so that the state of one run has to be passed along.
func bind(name string, run func(*evaluation, []any) (any, *Error)) *builtin.Function {
	return &builtin.Function{Name: name, Func: func(args ...any) (any, error) {
		v, err := run(args[0].(*evaluation), args[1:])
		// The typed nil of run must not become an error that is not nil.
		if err != nil {
			return nil, err
		}
		return v, nil
	}}
}

// counted is run with the fuel of a call, and with the function's name in front
// of its messages.
func (f function) counted(name string) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, args []any) (any, *Error) {
		if err := e.spend(1); err != nil {
			return nil, err
		}
		if err := e.read(args...); err != nil {
			return nil, err
		}
		v, err := f.run(e, args)
		if err != nil {
			return nil, &Error{Code: err.Code, Message: name + ": " + err.Message, Column: err.Column}
		}
		return v, nil
	}
}

// takes reports whether a call may have n arguments.
func (f function) takes(n int) bool { return n >= f.least && (f.most < 0 || n <= f.most) }

// arity is the number of arguments in words, for messages.
func (f function) arity() string {
	switch {
	case f.most < 0:
		return fmt.Sprintf("at least %d arguments", f.least)
	case f.least == f.most && f.least == 1:
		return "one argument"
	case f.least == f.most:
		return fmt.Sprintf("%d arguments", f.least)
	}
	return fmt.Sprintf("%d to %d arguments", f.least, f.most)
}

// stringArg returns a string argument and pays for reading it, one unit of fuel
// per KiB. The error has CodeType for anything else.
func (m *meter) stringArg(v any) (string, *Error) {
	s, ok := v.(string)
	if !ok {
		return "", fail(CodeType, "expected a string, got %s", kindOf(v))
	}
	return s, m.spend(len(s) / 1024)
}

// intArg returns a whole number, also one that is written as 3.0; the error has
// CodeType for anything else.
func (m *meter) intArg(v any) (int, *Error) {
	n, ok := whole(v)
	if f, isFloat := v.(float64); isFloat && f == float64(int(f)) {
		return int(f), nil
	}
	if !ok {
		return 0, fail(CodeType, "expected a whole number, got %s", kindOf(v))
	}
	return n, nil
}

// listArg returns a list argument of at most MaxList elements and pays for
// walking it, one unit of fuel per element. The list may be the scope's or
// another value's: do not change it. The error has CodeType or CodeLarge.
func (m *meter) listArg(v any) ([]any, *Error) {
	list, ok := listOf(v)
	if !ok {
		return nil, fail(CodeType, "expected a list, got %s", kindOf(v))
	}
	if err := capList(len(list)); err != nil {
		return nil, err
	}
	return list, m.spend(len(list))
}

// capList returns an error with CodeLarge for more than MaxList elements.
func capList(n int) *Error {
	if n > MaxList {
		return fail(CodeLarge, "a list of %d elements is walked or built; at most %d are allowed (a loop step walks longer ones)", n, MaxList)
	}
	return nil
}

// builtString pays for a string that a function has built already, out of
// inputs whose size was bounded before.
func (m *meter) builtString(s string) (any, *Error) {
	if err := m.grow(len(s)); err != nil {
		return nil, err
	}
	return s, nil
}

// builtList pays for a list that a function has built.
func (m *meter) builtList(list []any) (any, *Error) {
	if err := capList(len(list)); err != nil {
		return nil, err
	}
	return list, m.spend(len(list))
}

// walkCost is the fuel of opening a list, however short: a predicate sets up a
// scope.
const walkCost = 8

// walk is the list argument of a predicate: args are the list, the weight of
// the predicate's body, and the function's name. It returns the list. All
// visits are paid for here, before the first, so that nested predicates end
// quickly and always at the same point. The error has CodeType for what is not
// a list, CodeLarge beyond MaxList elements, and CodeLimit without fuel.
func (e *evaluation) walk(args []any) (any, *Error) {
	n := 0
	switch list := args[0].(type) {
	case []any:
		n = len(list)
	case []int:
		n = len(list)
	default:
		return nil, fail(CodeType, "%s: expected a list, got %s", args[2], kindOf(args[0]))
	}
	if err := capList(n); err != nil {
		return nil, err
	}
	return args[0], e.spend(walkCost + n*args[1].(int))
}
