package versions

import (
	"encoding/json"
	"heddle/fault"
	"strconv"
	"strings"
)

// maxCopied bounds how much a patch may copy within a document, in bytes of
// text: a few copies of the whole into itself would fill any memory.
const maxCopied = 16 << 20

// Apply applies a JSON patch (RFC 6902) and gives the canonical form of the
// result. It knows all six operations, keeps numbers as written, and compares
// them by value in test. The result may nest 64 deep; the document as a whole
// can be replaced but not removed. A patch that is no patch, does not fit, or
// fails a test is fault.Unacceptable invalid_patch, and nothing is changed.
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
	return text(p.root), nil
}

// misfit says what is wrong with an operation, as the end of a sentence.
type misfit string

func (m misfit) Error() string { return string(m) }

const errTooDeep = misfit("nests lists and objects more than 64 deep")

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
		return misfit("is not an object")
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
			return misfit("has no value")
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
	return misfit("must have op add, remove, replace, move, copy or test")
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
	there, err := p.get(path)
	if err != nil {
		return err
	}
	if !equalByValue(there, v) {
		return misfit("tests for a value that is not there")
	}
	return nil
}

func (p *patcher) transfer(op string, from, path []string) error {
	v, err := p.get(from)
	if err != nil {
		return err
	}
	if op == "move" {
		if len(path) > len(from) && startsWith(path, from) {
			return misfit("moves a value into itself")
		}
		if len(path) == len(from) && startsWith(path, from) {
			return nil
		}
		if err := p.remove(from); err != nil {
			return err
		}
		return p.add(path, v)
	}
	if p.copies -= len(text(v)); p.copies < 0 {
		return misfit("copies too much; a patch may copy " + strconv.Itoa(maxCopied>>20) + " MiB")
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
			i, err := index(last, len(parent), true)
			if err != nil {
				return nil, err
			}
			parent = append(parent, nil)
			copy(parent[i+1:], parent[i:])
			parent[i] = v
			return parent, nil
		}
		return nil, misfit("adds to a value that is neither list nor object")
	})
}

func (p *patcher) remove(path []string) error {
	if len(path) == 0 {
		return misfit("removes the whole document")
	}
	last := path[len(path)-1]
	return p.edit(path[:len(path)-1], func(parent any) (any, error) {
		switch parent := parent.(type) {
		case map[string]any:
			if _, ok := parent[last]; !ok {
				return nil, misfit("names a member that is not there")
			}
			delete(parent, last)
			return parent, nil
		case []any:
			i, err := index(last, len(parent), false)
			if err != nil {
				return nil, err
			}
			return append(parent[:i], parent[i+1:]...), nil
		}
		return nil, misfit("names a member of a value that is neither list nor object")
	})
}

// edit puts what change gives in the place of the value at the path.
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
		i, err := index(path[0], len(v), false)
		if err != nil {
			return nil, err
		}
		v[i] = child
	}
	return v, nil
}

func (p *patcher) get(path []string) (any, error) {
	v := p.root
	for _, token := range path {
		var err error
		if v, err = member(v, token); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func member(v any, token string) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		child, ok := v[token]
		if !ok {
			return nil, misfit("names a member that is not there")
		}
		return child, nil
	case []any:
		i, err := index(token, len(v), false)
		if err != nil {
			return nil, err
		}
		return v[i], nil
	}
	return nil, misfit("names a member of a value that is neither list nor object")
}

// index reads a place in a list of n; one may add at n, also written "-".
func index(token string, n int, adding bool) (int, error) {
	if adding && token == "-" {
		return n, nil
	}
	i, err := strconv.Atoi(token)
	if err != nil || strconv.Itoa(i) != token || i < 0 {
		return 0, misfit("names a place in a list by something that is not a number")
	}
	if i > n || i == n && !adding {
		return 0, misfit("names a place beyond the end of a list")
	}
	return i, nil
}

// pointerField reads a JSON pointer (RFC 6901).
func pointerField(fields map[string]any, name string) ([]string, error) {
	pointer, ok := fields[name].(string)
	if !ok {
		return nil, misfit("has no " + name)
	}
	if pointer == "" {
		return nil, nil
	}
	if pointer[0] != '/' {
		return nil, misfit("has a " + name + " that does not begin with /")
	}
	tokens := strings.Split(pointer[1:], "/")
	for i, token := range tokens {
		bare := strings.ReplaceAll(strings.ReplaceAll(token, "~0", ""), "~1", "")
		if strings.Contains(bare, "~") {
			return nil, misfit("has a " + name + " with a ~ that is neither ~0 nor ~1")
		}
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
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

// nests tells whether a value would reach too deep at the path.
func nests(path []string, v any) bool {
	return len(path) > maxDepth || deeperThan(v, maxDepth-len(path))
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
