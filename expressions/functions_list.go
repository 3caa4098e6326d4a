package expressions

import (
	"encoding/json"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// listFunctions are the functions on lists, and those on values of any type.
// None changes the list that it is called with.
var listFunctions = map[string]function{
	"len":     {1, 1, length},
	"type":    {1, 1, func(_ *evaluation, a []any) (any, *Error) { return typeName(a[0]), nil }},
	"first":   {1, 1, func(_ *evaluation, a []any) (any, *Error) { return end(a[0], false) }},
	"last":    {1, 1, func(_ *evaluation, a []any) (any, *Error) { return end(a[0], true) }},
	"get":     {2, 2, get},
	"take":    {2, 2, take},
	"reverse": {1, 1, reverse},
	"uniq":    {1, 1, uniq},
	"concat":  {1, -1, concat},
	"flatten": {1, 1, flatten},
	"sort":    {1, 2, sorted},
}

// length is len(x): the characters of a string, the elements of a list of any
// size, or the members of an object. Lists and objects are not walked, so that
// their size is free. The error has CodeType for anything else, null included.
func length(e *evaluation, a []any) (any, *Error) {
	switch v := a[0].(type) {
	case string:
		return runes(v), e.spend(len(v) / 1024)
	case []int:
		return len(v), nil
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	// A group of groupBy.
	case map[any][]any:
		return len(v), nil
	}
	return nil, fail(CodeType, "expected a string, list or object, got %s", kindOf(a[0]))
}

// typeName is type(x), with the library's names of types.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case bool:
		return "bool"
	case int, uint8:
		return "int"
	case float64:
		return "float"
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			return "float"
		}
		return "int"
	case string:
		return "string"
	case []any, []int:
		return "array"
	case map[string]any, map[any][]any:
		return "map"
	case time.Time:
		return "time"
	case time.Duration:
		return "duration"
	}
	return "unknown"
}

// end is first(list) and last(list); null for an empty list and for null.
func end(v any, last bool) (any, *Error) {
	list, ok := listOf(v)
	switch {
	case !ok && v != nil:
		return nil, fail(CodeType, "expected a list, got %s", kindOf(v))
	case len(list) == 0:
		return nil, nil
	case last:
		return list[len(list)-1], nil
	}
	return list[0], nil
}

// get is get(x, key): an element of a list, a negative index counting from its
// end, or a member of an object; null where there is none, and where x is
// neither.
func get(_ *evaluation, a []any) (any, *Error) {
	if list, ok := listOf(a[0]); ok {
		// Any other index than a whole number finds nothing.
		i, isInt := whole(a[1])
		if i < 0 {
			i += len(list)
		}
		if !isInt || i < 0 || i >= len(list) {
			return nil, nil
		}
		return list[i], nil
	}
	switch m := a[0].(type) {
	case map[string]any:
		if key, ok := a[1].(string); ok {
			return m[key], nil
		}
	case map[any][]any:
		// A list or an object as a key would panic.
		if !scalar(a[1]) {
			return nil, nil
		}
		if group, ok := m[a[1]]; ok {
			return group, nil
		}
	}
	return nil, nil
}

// take is take(list, n): the first n elements, or all where there are fewer.
// The result shares the list. A negative n has CodeFailed.
func take(e *evaluation, a []any) (any, *Error) {
	list, ok := listOf(a[0])
	if !ok {
		return nil, fail(CodeType, "expected a list, got %s", kindOf(a[0]))
	}
	n, err := e.intArg(a[1])
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, fail(CodeFailed, "cannot take %d elements", n)
	}
	// The capacity ends with the slice: an append must not write into the list.
	return list[:min(n, len(list)):min(n, len(list))], nil
}

// reverse is reverse(list), a copy.
func reverse(e *evaluation, a []any) (any, *Error) {
	list, err := e.listArg(a[0])
	if err != nil {
		return nil, err
	}
	out := slices.Clone(list)
	slices.Reverse(out)
	return out, nil
}

// uniq is uniq(list): the first of equal elements, in their order. Null,
// booleans, strings and whole numbers are found by hash. What is not hashable
// is compared with all such elements before it, which costs fuel for each pair.
func uniq(e *evaluation, a []any) (any, *Error) {
	list, err := e.listArg(a[0])
	if err != nil {
		return nil, err
	}
	// By key of hashable; others are the elements that have none.
	seen := make(map[any]bool, len(list))
	var out, others []any
	for _, x := range list {
		if key, ok := hashable(x); ok {
			if !seen[key] {
				seen[key] = true
				out = append(out, x)
			}
			continue
		}
		// Paid for like the operator, one comparison after the other.
		known, err := e.in(x, others)
		if err != nil {
			return nil, err
		}
		if known == false {
			others = append(others, x)
			out = append(out, x)
		}
	}
	// Never nil, which would be null.
	return append([]any{}, out...), nil
}

// hashable returns a map key for a scalar; a float64 without a fraction below
// 2^53 has that of the equal int. False: the value has to be compared.
func hashable(v any) (any, bool) {
	switch v := v.(type) {
	case nil, bool, int, string:
		return v, true
	case float64:
		// Beyond 2^53 several ints are equal to one float64.
		if f := v; f == float64(int(f)) && f > -1<<53 && f < 1<<53 {
			return int(f), true
		}
	}
	return nil, false
}

// concat is concat(list, …), of at most MaxList elements in total.
func concat(e *evaluation, a []any) (any, *Error) {
	total := 0
	lists := make([][]any, len(a))
	for i, v := range a {
		list, err := e.listArg(v)
		if err != nil {
			return nil, err
		}
		lists[i] = list
		// Each list may have MaxList elements, and so may all together.
		total += len(list)
	}
	if err := capList(total); err != nil {
		return nil, err
	}
	return slices.Concat(append(lists, []any{})...), nil
}

// flatten is flatten(list): the elements of lists inside lists, at any depth up
// to MaxDepth.
func flatten(e *evaluation, a []any) (any, *Error) {
	if _, err := e.listArg(a[0]); err != nil {
		return nil, err
	}
	out, err := e.flat(a)
	if err != nil {
		return nil, err
	}
	return append([]any{}, out...), nil
}

// flattener collects values and the elements of lists inside lists, MaxDepth
// deep and MaxList long. It pays for each list that it opens.
type flattener struct {
	e   *evaluation
	out []any
	err *Error
}

// add appends a value, or the elements of a list. depth is the number of lists
// around it. After an error it does nothing.
func (f *flattener) add(v any, depth int) {
	if f.err != nil {
		return
	}
	list, ok := listOf(v)
	if !ok {
		if f.err = f.e.read(v); f.err != nil {
			return
		}
		f.out = append(f.out, v)
		// After each element: a list of lists may hold more than any of them.
		f.err = capList(len(f.out))
		return
	}
	if depth > MaxDepth {
		f.err = fail(CodeLarge, "lists are nested more than %d deep", MaxDepth)
		return
	}
	if f.err = f.e.spend(1 + len(list)); f.err != nil {
		return
	}
	for _, x := range list {
		f.add(x, depth+1)
	}
}

// sorted is sort(list) and sort(list, "desc"): a sorted copy of a list of
// numbers, strings, times or durations, all of one kind. The error has CodeType
// for elements that cannot be compared.
func sorted(e *evaluation, a []any) (any, *Error) {
	list, err := e.listArg(a[0])
	if err != nil {
		return nil, err
	}
	out := append([]any{}, list...)
	return out, e.order("sort", out, a[1:], func(v any) any { return v })
}

// sortPairs sorts [key, element] pairs by their keys and returns the elements.
// v is a list that the rewritten sortBy has just made, and is changed.
func (e *evaluation) sortPairs(v any, order []any) (any, *Error) {
	pairs, _ := listOf(v)
	key := func(v any) any { return v.([]any)[0] }
	if err := e.order("sortBy", pairs, order, key); err != nil {
		return nil, err
	}
	for i, p := range pairs {
		pairs[i] = p.([]any)[1]
	}
	return pairs, nil
}

// order sorts a list in place, stably, by what key returns for an element.
// order holds "asc", "desc" or nothing; another word has CodeFailed. n·log n
// units of fuel are paid before the first comparison. name is that of the
// function, for messages.
func (e *evaluation) order(name string, list, order []any, key func(any) any) *Error {
	sign := 1
	if len(order) == 1 {
		switch order[0] {
		case "asc":
		case "desc":
			sign = -1
		default:
			return fail(CodeFailed, `%s: the order is "asc" or "desc"`, name)
		}
	}
	// bits.Len is the logarithm of the number of elements, rounded up.
	if err := e.spend(len(list) * bits.Len(uint(len(list)))); err != nil {
		return err
	}
	// The sort cannot be stopped; after an error all elements count as equal.
	var failed *Error
	slices.SortStableFunc(list, func(x, y any) int {
		if failed != nil {
			return 0
		}
		// Elements of different kinds have no order.
		c, err := e.compare(name, key(x), key(y))
		failed = err
		return sign * c
	})
	return failed
}

// lastTrue returns the index of the last true in a list; null where there is
// none. The list is what the body of findLastIndex returned for each element.
func lastTrue(v any) (any, *Error) {
	list, _ := listOf(v)
	var found any
	for i, x := range list {
		b, ok := x.(bool)
		if !ok {
			return nil, fail(CodeType, "findLastIndex: expected a boolean, got %s", kindOf(x))
		}
		if b {
			found = i
		}
	}
	return found, nil
}
