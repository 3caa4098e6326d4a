package expressions

import (
	"encoding/json"
	"heddle/internal/exactjson"
	"math"
	"strconv"
	"time"
)

// encode writes a value as JSON: keys sorted, nothing escaped for HTML, times as
// RFC 3339, durations as Go writes them. The same value is always the same bytes.
// The error has CodeLarge beyond MaxResult bytes or MaxValue values, CodeFailed for
// a number that is not finite, and CodeType for what JSON cannot hold.
func encode(v any) (json.RawMessage, *Error) {
	w := &writer{left: MaxValue}
	w.value(v)
	if w.err != nil {
		return nil, w.err
	}
	return w.buf, nil
}

// writer appends values and stops at the limits: a value that is small in memory
// can hold the same part many times and be huge when written out.
type writer struct {
	buf  []byte
	left int    // values that may still be written
	err  *Error // the first; nothing is written after it
}

// value appends any value.
func (w *writer) value(v any) {
	if w.err != nil {
		return
	}
	w.left--
	// Checked before each value: the last one may exceed the limit by its own
	// length, which MaxRead and MaxString bound.
	if w.left < 0 || len(w.buf) > MaxResult {
		w.err = fail(CodeLarge, "the result is larger than %d bytes or %d values", MaxResult, MaxValue)
		return
	}
	switch v := v.(type) {
	case nil:
		w.buf = append(w.buf, "null"...)
	case bool:
		w.buf = strconv.AppendBool(w.buf, v)
	case int:
		w.buf = strconv.AppendInt(w.buf, int64(v), 10)
	case uint8:
		w.buf = strconv.AppendInt(w.buf, int64(v), 10)
	case float64:
		w.float(v)
	// As it was written; it came out of valid JSON.
	case json.Number:
		w.buf = append(w.buf, v...)
	case string:
		w.buf = exactjson.AppendString(w.buf, v)
	case time.Time:
		w.buf = exactjson.AppendString(w.buf, v.Format(time.RFC3339Nano))
	case time.Duration:
		w.buf = exactjson.AppendString(w.buf, v.String())
	default:
		w.container(v)
	}
}

// float appends a number in the form of encoding/json.
func (w *writer) float(f float64) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		w.err = fail(CodeFailed, "the result is not a finite number")
		return
	}
	// A finite number always encodes.
	raw, _ := json.Marshal(f)
	w.buf = append(w.buf, raw...)
}

// container appends a list or an object.
func (w *writer) container(v any) {
	if list, ok := listOf(v); ok {
		w.buf = append(w.buf, '[')
		for i, x := range list {
			if i > 0 {
				w.buf = append(w.buf, ',')
			}
			w.value(x)
		}
		w.buf = append(w.buf, ']')
		return
	}
	object, ok := objectOf(v)
	if !ok {
		w.err = fail(CodeType, "the result is %s, which JSON cannot hold", kindOf(v))
		return
	}
	o := exactjson.ObjectIn(w.buf)
	for _, key := range exactjson.Names(object) {
		o.Name(key)
		w.buf = o.Buf
		w.value(object[key])
		o.Buf = w.buf
	}
	w.buf = o.End()
}

// plainValue returns a result in the types that Eval promises. Lists and objects
// are copied; the error has CodeLarge beyond MaxValue values.
func plainValue(v any) (any, *Error) {
	c := &copier{left: MaxValue}
	out := c.value(v)
	return out, c.err
}

// copier copies a value for plainValue.
type copier struct {
	left int    // values that may still be copied
	err  *Error // the first; nothing is copied after it
}

// value returns the copy of any value; nil after an error.
func (c *copier) value(v any) any {
	// The same bound as in writing: parts that are shared in memory are copied
	// each time.
	if c.left--; c.left < 0 && c.err == nil {
		c.err = fail(CodeLarge, "the result holds more than %d values", MaxValue)
	}
	if c.err != nil {
		return nil
	}
	switch v := v.(type) {
	// Immutable, and of the types that Eval promises.
	case nil, bool, int, string, json.Number:
		return v
	case uint8:
		return int(v)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			c.err = fail(CodeFailed, "the result is not a finite number")
		}
		return v
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case time.Duration:
		return v.String()
	}
	return c.container(v)
}

// container copies a list or an object.
func (c *copier) container(v any) any {
	if list, ok := listOf(v); ok {
		// Allocated before the elements are counted, but no larger than the
		// list in memory.
		out := make([]any, len(list))
		for i, x := range list {
			out[i] = c.value(x)
		}
		return out
	}
	object, ok := objectOf(v)
	if !ok {
		c.err = fail(CodeType, "the result is %s, which JSON cannot hold", kindOf(v))
		return nil
	}
	out := make(map[string]any, len(object))
	for k, x := range object {
		out[k] = c.value(x)
	}
	return out
}
