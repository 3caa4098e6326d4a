package machine

import (
	"bytes"
	"encoding/json"
	"errors"
	"heddle/expressions"
	"heddle/internal/exactjson"
	"strconv"
)

// itemList is what a loop walks: a JSON list cut into its elements, or a count. It is never
// stored, but evaluated again from the run's state. It never changes once it is made, and
// costs four bytes per element beside the text.
//
// For [1, {"a": 2}] raw is that text and ends are the offsets of the comma and of the
// closing bracket.
type itemList struct {
	source json.RawMessage // what loop.items evaluated to, the list or the count
	raw    json.RawMessage // nil: a count
	ends   []int32         // ends[i] is where element i ends, comma excluded
	n      int             // how many items there are
}

// appendInt returns v as a JSON number.
func appendInt(v int) json.RawMessage { return strconv.AppendInt(nil, int64(v), 10) }

// at returns element i, without surrounding space. i must be less than n.
func (l *itemList) at(i int) json.RawMessage {
	if l.raw == nil {
		return appendInt(i)
	}
	start := int32(1)
	if i > 0 {
		start = l.ends[i-1] + 1
	}
	return bytes.TrimSpace(l.raw[start:l.ends[i]])
}

// evaluateItems evaluates loop.items of the loop at the view's position. fixed, where it is
// not nil, is what it was when the loop started: items read from signals are stored,
// because a later signal would change them. Errors: those of expressions, and a value that
// is neither a list nor a count.
func (v view) evaluateItems(fixed json.RawMessage) (*itemList, error) {
	raw, err := v.run.content(fixed)
	if fixed == nil {
		raw, err = v.run.node(v.position).loop.items.EvalJSON(v)
	}
	if err != nil {
		return nil, err
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '[' {
		return splitList(raw)
	}
	return countItems(raw)
}

// countItems returns the items of a count, 0 to count-1. The error is that of a value which
// is not a whole number of 0 or more.
func countItems(raw json.RawMessage) (*itemList, error) {
	n, whole := exactjson.Count(string(raw))
	if !whole {
		return nil, &expressions.Error{Code: expressions.CodeType, Message: "loop.items must evaluate to a list or a count of 0 or more"}
	}
	return &itemList{source: raw, n: n}, nil
}

// item returns the value of item in one iteration; null where the list has become shorter
// or cannot be evaluated any more.
func (v view) item(f *frame) json.RawMessage {
	st := v.run.stepAt(f.loopPosition())
	if st.loop == nil {
		return null
	}
	list := st.loop.items.list.Load()
	if list == nil {
		var err error
		if list, err = (view{run: v.run, position: f.loopPosition()}).evaluateItems(st.loop.storedItems); err != nil {
			return null
		}
		st.loop.items.list.Store(list)
	}
	if f.index >= list.n {
		return null
	}
	return list.at(f.index)
}

// splitList finds the elements of a JSON list without decoding them. The text
// must be valid JSON; only a list that ends too early is noticed.
func splitList(raw json.RawMessage) (*itemList, error) {
	l := &itemList{source: raw, raw: raw}
	p := exactjson.PartsOf(raw)
	for p.Next() {
		l.ends = append(l.ends, int32(exactjson.SkipSpace(raw, p.End)))
	}
	if !p.Closed() {
		return nil, errors.New("the list ends too early")
	}
	l.n = len(l.ends)
	return l, nil
}
