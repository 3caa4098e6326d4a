package versions

import (
	"encoding/json"
	"heddle/internal/exactjson"
	"slices"
	"strconv"
	"strings"

	"github.com/wI2L/jsondiff"
)

// operation is one operation of RFC 6902: add, remove, replace or move. value
// is used by add and replace, from by move; paths are JSON pointers into the
// document as the operations before have left it.
type operation struct {
	op    string
	path  string
	from  string
	value any
}

// appendTo appends the operation as JSON, in canonical form.
func (o operation) appendTo(dst []byte) []byte {
	dst = append(dst, `{`...)
	if o.op == "move" {
		dst = append(exactjson.AppendString(append(dst, `"from":`...), o.from), ',')
	}
	dst = exactjson.AppendString(append(dst, `"op":`...), o.op)
	dst = exactjson.AppendString(append(dst, `,"path":`...), o.path)
	if o.op == "add" || o.op == "replace" {
		dst = exactjson.Append(append(dst, `,"value":`...), o.value)
	}
	return append(dst, '}')
}

// lcsBudget bounds what finding the longest common parts of lists inside
// steps may cost for one pair of definitions, in pairs of values compared:
// one list of 1,000 numbers rewritten as another takes a million.
const lcsBudget = 4_000_000

// patch collects the operations that turn one document into another. Their
// order matters.
type patch struct {
	operations []operation
	lcsBudget  int // what is left of the constant lcsBudget, for all lists together
}

// add appends an operation that inserts v; a list's elements from that index on
// are shifted.
func (p *patch) add(path string, v any) {
	p.operations = append(p.operations, operation{op: "add", path: path, value: v})
}

// remove appends an operation that removes the value at a path.
func (p *patch) remove(path string) {
	p.operations = append(p.operations, operation{op: "remove", path: path})
}

// replace appends an operation that replaces the value at a path.
func (p *patch) replace(path string, v any) {
	p.operations = append(p.operations, operation{op: "replace", path: path, value: v})
}

// text returns the patch as JSON, "[]" where it is empty.
func (p *patch) text() json.RawMessage {
	dst := []byte{'['}
	for i, o := range p.operations {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = o.appendTo(dst)
	}
	return append(dst, ']')
}

// value adds the operations that turn a into b at the path; none where they are
// equal.
func (p *patch) value(path string, a, b any) {
	if exactjson.Equal(a, b) {
		return
	}
	if x, y, ok := objects(a, b); ok {
		p.object(path, x, y)
		return
	}
	if x, y, ok := lists(a, b); ok {
		p.list(path, x, y)
		return
	}
	p.replace(path, b)
}

// object adds the operations that turn a into b, except for some members, in
// the order of the keys.
func (p *patch) object(path string, a, b map[string]any, except ...string) {
	for _, key := range keysOfBoth(a, b) {
		if slices.Contains(except, key) {
			continue
		}
		x, inA := a[key]
		y, inB := b[key]
		at := path + "/" + exactjson.EscapeToken(key)
		switch {
		case !inA:
			p.add(at, y)
		case !inB:
			p.remove(at)
		default:
			p.value(at, x, y)
		}
	}
}

// list adds the operations that turn a into b. A common beginning and end is
// skipped. What is between them is compared by longest common subsequence while the
// budget lasts, which finds the smallest patch at quadratic cost, and by content
// otherwise.
func (p *patch) list(path string, a, b []any) {
	head := 0
	for head < len(a) && head < len(b) && exactjson.Equal(a[head], b[head]) {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && exactjson.Equal(a[len(a)-1-tail], b[len(b)-1-tail]) {
		tail++
	}
	x, y := a[head:len(a)-tail], b[head:len(b)-tail]
	// Comparing two elements costs at most their sizes, so the product bounds
	// all pairs.
	cost := sizeOf(x) * sizeOf(y)
	switch {
	case len(x) == 0 || len(y) == 0:
		p.apply(path, head, align(contentKeys(x), contentKeys(y)), func(i int) any { return y[i] })
	// One element that changed: only what differs inside it.
	case len(x) == 1 && len(y) == 1:
		p.value(pointer(path, head), x[0], y[0])
	case cost > p.lcsBudget || !p.byLCS(path, head, x, y):
		p.byContent(path, head, x, y, b)
	default:
		p.lcsBudget -= cost
	}
}

// byLCS adds the operations for two short lists by their longest common
// subsequence; false where the library fails, and nothing is added. head is
// where the two begin in the list at path.
func (p *patch) byLCS(path string, head int, a, b []any) bool {
	found, err := jsondiff.CompareWithoutMarshal(a, b, jsondiff.LCS())
	if err != nil {
		return false
	}
	operations := make([]operation, 0, len(found))
	for _, o := range found {
		index, rest, deeper := strings.Cut(strings.TrimPrefix(o.Path, "/"), "/")
		// The library counts from the beginning of x and y; head comes before
		// them.
		n, err := strconv.Atoi(index)
		if err != nil {
			return false
		}
		at := pointer(path, head+n)
		if deeper {
			at += "/" + rest
		}
		operations = append(operations, operation{op: o.Type, path: at, value: o.Value})
	}
	p.operations = append(p.operations, operations...)
	return true
}

// byContent aligns long lists by elements that are entirely equal, in O(n log
// n). Lists of one length that share no element are compared index by index;
// lists that share little are replaced by whole, the new list from its
// beginning, which is the shorter patch.
func (p *patch) byContent(path string, head int, a, b, whole []any) {
	al := align(contentKeys(a), contentKeys(b))
	edits := len(al.removed) + len(al.moves) + len(al.added)
	switch {
	case len(al.kept) == 0 && len(a) == len(b):
		for i := range b {
			p.value(pointer(path, head+i), a[i], b[i])
		}
	// More than half as many operations as there are elements.
	case edits > len(whole)/2:
		p.replace(path, whole)
	default:
		p.apply(path, head, al, func(i int) any { return b[i] })
	}
}

// apply adds the operations of an alignment for the part of a list that begins
// at index head: removals, moves, additions, so that an added element is at its
// final index at once. added returns the element that the new part has at an
// index.
func (p *patch) apply(path string, head int, al alignment, added func(int) any) {
	for _, i := range al.removed {
		p.remove(pointer(path, head+i))
	}
	for _, m := range al.moves {
		p.operations = append(p.operations, operation{op: "move", from: pointer(path, head+m.from), path: pointer(path, head+m.to)})
	}
	for _, i := range al.added {
		p.add(pointer(path, head+i), added(i))
	}
}

// contentKeys returns a unique key for each element: its text, and how often the
// same text occurred up to there.
func contentKeys(list []any) []string {
	keys, seen := make([]string, len(list)), make(map[string]int, len(list))
	for i, element := range list {
		key := string(exactjson.Canonical(element))
		seen[key]++
		keys[i] = key + " " + strconv.Itoa(seen[key])
	}
	return keys
}

// pointer returns the JSON pointer of an element of the list at a path.
func pointer(path string, i int) string { return path + "/" + strconv.Itoa(i) }

// sizeOf returns the number of values in a value, itself included.
func sizeOf(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			n += sizeOf(member)
		}
	case []any:
		for _, element := range v {
			n += sizeOf(element)
		}
	}
	return n
}

// objects returns two values as objects; both is false where one is not, and
// its result nil.
func objects(a, b any) (x, y map[string]any, both bool) {
	x, isA := a.(map[string]any)
	y, isB := b.(map[string]any)
	return x, y, isA && isB
}

// lists returns two values as lists; both is false where one is not, and its
// result nil.
func lists(a, b any) (x, y []any, both bool) {
	x, isA := a.([]any)
	y, isB := b.([]any)
	return x, y, isA && isB
}
