package versions

import (
	"encoding/json"
	"fmt"
	"heddle/fault"
	"heddle/internal/exactjson"
	"strconv"
)

// maxCopied bounds how much a patch may copy within a document, in bytes of
// text: a few copies of the whole into itself would exhaust any memory.
const maxCopied = 16 << 20

// Apply applies a JSON patch (RFC 6902) and returns the canonical form of the
// result. The product writes patches and never applies them, so it is part of the
// tests, which check that each patch yields the other definition. It
// implements all six operations, keeps numbers as written, and compares them by
// value in the operation test. The result may nest 64 deep; the document as a
// whole can be replaced but not removed. A text that is not a patch, does not
// fit, or fails a test is fault.Unacceptable invalid_patch, and nothing changes.
func Apply(doc, patch json.RawMessage) (json.RawMessage, error) {
	root, err := decode(doc)
	if err != nil {
		return nil, err
	}
	decoded, err := decode(patch)
	if err != nil {
		return nil, err
	}
	steps, ok := decoded.([]any)
	if !ok {
		return nil, unfit("The patch must be a list of operations.")
	}
	p := patcher{root: root, copies: maxCopied}
	for i, step := range steps {
		if err := p.run(step); err != nil {
			return nil, unfit("Operation %d of the patch %s.", i, err)
		}
	}
	return exactjson.Canonical(p.root), nil
}

const errTooDeep = pointerError("nests lists and objects more than 64 deep")

func unfit(format string, args ...any) error {
	return fault.New(fault.Unacceptable, "invalid_patch", format, args...)
}

type patcher struct {
	root   any
	copies int // bytes that may still be copied
}

func (p *patcher) run(step any) error {
	fields, ok := step.(map[string]any)
	if !ok {
		return pointerError("is not an object")
	}
	op, _ := fields["op"].(string)
	path, err := pointerField(fields, "path")
	if err != nil {
		return err
	}
	v, hasValue := fields["value"]
	switch op {
	case "add", "replace", "test":
		if !hasValue {
			return pointerError("has no value")
		}
		return p.set(op, path, v)
	case "remove":
		return p.remove(path)
	case "move", "copy":
		from, err := pointerField(fields, "from")
		if err != nil {
			return err
		}
		return p.transfer(op, from, path)
	}
	return pointerError("must have op add, remove, replace, move, copy or test")
}

func (p *patcher) set(op string, path []string, v any) error {
	switch op {
	case "add":
		return p.add(path, v)
	case "replace":
		if nests(path, v) {
			return errTooDeep
		}
		return p.edit(path, func(any) (any, error) { return v, nil })
	}
	there, err := lookUpPointer(p.root, path)
	if err != nil {
		return err
	}
	if !exactjson.EqualByValue(there, v) {
		return pointerError("tests for a value that is not there")
	}
	return nil
}

func (p *patcher) transfer(op string, from, path []string) error {
	v, err := lookUpPointer(p.root, from)
	if err != nil {
		return err
	}
	if op == "move" {
		if len(path) > len(from) && startsWith(path, from) {
			return pointerError("moves a value into itself")
		}
		if len(path) == len(from) && startsWith(path, from) {
			return nil
		}
		if err := p.remove(from); err != nil {
			return err
		}
		return p.add(path, v)
	}
	if p.copies -= len(exactjson.Canonical(v)); p.copies < 0 {
		return pointerError("copies too much; a patch may copy " + strconv.Itoa(maxCopied>>20) + " MiB")
	}
	return p.add(path, clone(v))
}

func (p *patcher) add(path []string, v any) error {
	if len(path) == 0 {
		p.root = v
		return nil
	}
	if nests(path, v) {
		return errTooDeep
	}
	last := path[len(path)-1]
	return p.edit(path[:len(path)-1], func(parent any) (any, error) {
		switch parent := parent.(type) {
		case map[string]any:
			parent[last] = v
			return parent, nil
		case []any:
			i, err := insertIndex(last, len(parent))
			if err != nil {
				return nil, err
			}
			parent = append(parent, nil)
			copy(parent[i+1:], parent[i:])
			parent[i] = v
			return parent, nil
		}
		return nil, pointerError("adds to a value that is neither list nor object")
	})
}

func (p *patcher) remove(path []string) error {
	if len(path) == 0 {
		return pointerError("removes the whole document")
	}
	last := path[len(path)-1]
	return p.edit(path[:len(path)-1], func(parent any) (any, error) {
		switch parent := parent.(type) {
		case map[string]any:
			if _, ok := parent[last]; !ok {
				return nil, pointerError("names a member that is not there")
			}
			delete(parent, last)
			return parent, nil
		case []any:
			i, err := listIndex(last, len(parent))
			if err != nil {
				return nil, err
			}
			return append(parent[:i], parent[i+1:]...), nil
		}
		return nil, pointerError("names a member of a value that is neither list nor object")
	})
}

// edit replaces the value at the path by what change returns.
func (p *patcher) edit(path []string, change func(any) (any, error)) error {
	root, err := editAt(p.root, path, change)
	if err == nil {
		p.root = root
	}
	return err
}

func editAt(v any, path []string, change func(any) (any, error)) (any, error) {
	if len(path) == 0 {
		return change(v)
	}
	child, err := member(v, path[0])
	if err != nil {
		return nil, err
	}
	if child, err = editAt(child, path[1:], change); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case map[string]any:
		v[path[0]] = child
	case []any:
		i, err := listIndex(path[0], len(v))
		if err != nil {
			return nil, err
		}
		v[i] = child
	}
	return v, nil
}

// insertIndex reads a token as a place to insert into a list of n, at most n,
// which is also written "-".
func insertIndex(token string, n int) (int, error) {
	if token == "-" {
		return n, nil
	}
	return listIndex(token, n+1)
}

// pointerField reads the pointer in a member of an operation.
func pointerField(operation map[string]any, name string) ([]string, error) {
	pointer, ok := operation[name].(string)
	if !ok {
		return nil, pointerError("has no " + name)
	}
	tokens, err := parsePointer(pointer)
	if err != nil {
		return nil, fmt.Errorf("has a %s that %w", name, err)
	}
	return tokens, nil
}

func startsWith(path, prefix []string) bool {
	for i, token := range prefix {
		if i >= len(path) || path[i] != token {
			return false
		}
	}
	return true
}

// nests reports whether a value would be nested too deep at the path.
func nests(path []string, v any) bool {
	return len(path) > exactjson.MaxDepth || exactjson.DeeperThan(exactjson.Canonical(v), exactjson.MaxDepth-len(path))
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for key, member := range v {
			c[key] = clone(member)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, element := range v {
			c[i] = clone(element)
		}
		return c
	}
	return v
}
