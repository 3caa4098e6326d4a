package expressions

import (
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr/builtin"
)

// function is one that texts may call. Arguments are counted before it runs.
type function struct {
	least, most int // arguments; most < 0: any number
	run         func(e *evaluation, args []any) (any, *Error)
}

// predicateFunctions stay with the library: their list argument is checked and
// paid for before they walk it.
var predicateFunctions = map[string]bool{
	"all": true, "none": true, "any": true, "one": true, "filter": true, "map": true,
	"count": true, "sum": true, "find": true, "findIndex": true, "findLast": true,
	"findLastIndex": true, "groupBy": true, "sortBy": true,
}

// refusedFunctions are the library's that are not on the allow-list, and why.
var refusedFunctions = map[string]string{
	"reduce":   "it can build without bound; use map, filter, sum or join",
	"repeat":   "it can build without bound",
	"now":      "an expression has no clock; run.started_at and time stamps in outputs are times",
	"timezone": "give the zone to date as its third argument",
}

// functions are the allowed ones that are no predicates.
var functions = mergeFunctions(textFunctions, codeFunctions, numberFunctions, listFunctions, objectFunctions, timeFunctions, bitFunctions)

// calls is what compiled programs call: operators, and functions under "$name".
var calls = callTable()

func mergeFunctions(groups ...map[string]function) map[string]function {
	all := map[string]function{}
	for _, g := range groups {
		maps.Copy(all, g)
	}
	return all
}

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

func bind(name string, run func(*evaluation, []any) (any, *Error)) *builtin.Function {
	return &builtin.Function{Name: name, Func: func(args ...any) (any, error) {
		v, err := run(args[0].(*evaluation), args[1:])
		if err != nil {
			return nil, err
		}
		return v, nil
	}}
}

func (f function) counted(name string) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, args []any) (any, *Error) {
		if err := e.spend(1); err != nil {
			return nil, err
		}
		v, err := f.run(e, args)
		if err != nil {
			return nil, &Error{Code: err.Code, Message: name + ": " + err.Message, Column: err.Column}
		}
		return v, nil
	}
}

func (f function) takes(n int) bool { return n >= f.least && (f.most < 0 || n <= f.most) }

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

// stringArg gives a string argument and pays for reading it.
func (e *evaluation) stringArg(v any) (string, *Error) {
	s, ok := v.(string)
	if !ok {
		return "", fail(CodeType, "expected a string, got %s", kindOf(v))
	}
	return s, e.spend(len(s) / 1024)
}

func (e *evaluation) intArg(v any) (int, *Error) {
	n, ok := whole(v)
	if f, isFloat := v.(float64); isFloat && f == float64(int(f)) {
		return int(f), nil
	}
	if !ok {
		return 0, fail(CodeType, "expected a whole number, got %s", kindOf(v))
	}
	return n, nil
}

// listArg gives a list argument of at most MaxList elements and pays for
// walking it.
func (e *evaluation) listArg(v any) ([]any, *Error) {
	list, ok := listOf(v)
	if !ok {
		return nil, fail(CodeType, "expected a list, got %s", kindOf(v))
	}
	if err := capList(len(list)); err != nil {
		return nil, err
	}
	return list, e.spend(len(list))
}

func capList(n int) *Error {
	if n > MaxList {
		return fail(CodeLarge, "a list of %d elements is walked or built; at most %d are allowed (a loop step walks longer ones)", n, MaxList)
	}
	return nil
}

// built pays for a string that a function made from inputs of bounded size.
func (e *evaluation) builtString(s string) (any, *Error) {
	if err := e.grow(len(s)); err != nil {
		return nil, err
	}
	return s, nil
}

// builtList pays for a list that a function made.
func (e *evaluation) builtList(list []any) (any, *Error) {
	if err := capList(len(list)); err != nil {
		return nil, err
	}
	return list, e.spend(len(list))
}

// walkCost is the fuel of opening a list, however short.
const walkCost = 8

// walk is the list argument of a predicate: args are the list, the weight of
// the predicate's body, and the function's name. All its visits are paid here,
// so that nested predicates end quickly and always at the same point.
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
