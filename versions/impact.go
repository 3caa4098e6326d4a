package versions

import (
	"encoding/json"
	"fmt"
	"heddle/internal/exactjson"
	"regexp"
	"strings"
)

// BreakingChange is one way in which a new input schema may refuse what the old
// one accepted. Pointer is a JSON pointer (RFC 6901) into the new schema;
// Message is a sentence for people.
type BreakingChange struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

// BreakingInputs compares two input schemas (JSON Schema 2020-12; empty: any
// input) and lists what callers of the old one have to check: fields newly
// required, types narrowed, values no longer allowed, bounds tightened, objects
// closed to further fields, patterns and formats added. Keywords that would need a
// solver (not, if, contains, …) are reported when they are new or changed. That an
// optional field which was not mentioned before is now described is not reported,
// although a caller could have sent anything there.
//
// It is a report for people, not a proof: it may name a change that no caller
// notices. References within a schema (#/…) are followed, up to maxSchemaPairs
// pairs of schemas and maxSchemaWork; at most maxBreakingChanges are listed. A schema that is not JSON is fault.Unacceptable.
func BreakingInputs(before, after json.RawMessage) ([]BreakingChange, error) {
	a, err := decodeSchema(before)
	if err != nil {
		return nil, err
	}
	b, err := decodeSchema(after)
	if err != nil {
		return nil, err
	}
	i := impact{before: a, after: b, seen: map[string]bool{}, reported: map[BreakingChange]bool{}, budget: maxSchemaPairs, work: maxSchemaWork, patterns: map[string]*regexp.Regexp{}}
	i.schema("", "", a, b)
	return i.found, nil
}

// maxSchemaPairs bounds how many pairs of schemas are compared: references can
// make a short text stand for a schema without end.
const maxSchemaPairs = 10_000

// maxSchemaWork bounds what the comparison of the pairs costs beside that: the bytes of
// listed values and of patterns, and those of the names that patterns are tried on. It is far
// beyond what two schemas need in which each part stands once.
const maxSchemaWork = 16 << 20

// decodeSchema reads a schema; an empty text is the schema true.
func decodeSchema(raw json.RawMessage) (any, error) {
	if len(raw) == 0 {
		return true, nil
	}
	return decode(raw)
}

// impact is the state of comparing one pair of schemas. Its methods report
// differences in the order in which they find them, which is the same for the
// same schemas.
type impact struct {
	before, after any                       // the roots, in which references are looked up
	seen          map[string]bool           // pairs of references on the way, for schemas that contain themselves
	budget        int                       // pairs that may still be compared, of maxSchemaPairs
	work          int                       // of maxSchemaWork, what is left
	patterns      map[string]*regexp.Regexp // by their texts; nil: Go cannot read it
	found         []BreakingChange
	reported      map[BreakingChange]bool // what is found, each once
}

// spend takes n from the work that is left, and reports whether it sufficed. What is not
// compared any more is not reported.
func (i *impact) spend(n int) bool {
	i.work -= n
	return i.work >= 0
}

// maxBreakingChanges bounds how many changes are listed; one more says that there are others.
const maxBreakingChanges = 1_000

// report adds a finding, once. pointer leads into the new schema. Beyond maxBreakingChanges
// the comparison ends.
func (i *impact) report(pointer, format string, args ...any) {
	if len(i.found) >= maxBreakingChanges {
		if i.budget > 0 {
			i.budget = 0
			i.found = append(i.found, BreakingChange{Message: "There are more changes, which are not listed."})
		}
		return
	}
	b := BreakingChange{Pointer: pointer, Message: fmt.Sprintf(format, args...)}
	if !i.reported[b] {
		i.reported[b] = true
		i.found = append(i.found, b)
	}
}

// schema compares two schemas. at is the pointer to b; what names the value
// that they describe in messages, "" for the input itself. Every other method
// of impact compares some keywords of the two, with the same parameters; a nil
// schema there accepts anything.
func (i *impact) schema(at, what string, a, b any) {
	a, fromA := resolve(i.before, a)
	b, fromB := resolve(i.after, b)
	// Findings point at the definition of what is referred to, and not at each
	// use of it.
	if fromB != "" {
		at = strings.TrimPrefix(fromB, "#")
	}
	if fromA != "" || fromB != "" {
		pair := fromA + "\n" + fromB
		if i.seen[pair] || len(i.seen) > exactjson.MaxDepth {
			return
		}
		i.seen[pair] = true
		defer delete(i.seen, pair)
	}
	// Nothing was accepted before, or everything is now: nothing can break.
	if i.budget--; i.budget < 0 || a == false || b == true || b == nil {
		return
	}
	if b == false {
		i.report(at, "%s is no longer accepted.", subject(what))
		return
	}
	// Of true and false nothing is left here but a true on the left.
	x, _ := a.(map[string]any) // nil: anything goes
	y, _ := b.(map[string]any)
	i.types(at, what, x, y)
	i.allowedValues(at, what, x, y)
	i.bounds(at, what, x, y)
	i.constraints(at, what, x, y)
	i.required(at, what, x, y)
	i.properties(at, what, x, y)
	i.items(at, what, x, y)
	i.alternatives(at, what, x, y)
	i.reference(at, what, x, y)
	i.undecided(at, what, x, y)
}

// resolve follows references within the schema, at most exactjson.MaxDepth in a row; from is
// the last one followed, "" for none. A reference beside other keywords is not
// followed: the reference method compares it.
func resolve(root, schema any) (target any, from string) {
	for range exactjson.MaxDepth {
		object, _ := schema.(map[string]any)
		reference, ok := object["$ref"].(string)
		if !ok || len(object) > 1 && !annotated(object) {
			break
		}
		found, ok := lookUp(root, reference)
		if !ok {
			break
		}
		schema, from = found, reference
	}
	return schema, from
}

// annotated reports whether nothing but annotations, which do not restrict values,
// stands beside $ref.
func annotated(object map[string]any) bool {
	for key := range object {
		switch key {
		case "$ref", "$comment", "$defs", "default", "deprecated", "description", "examples", "title":
		default:
			return false
		}
	}
	return true
}

// lookUp returns the schema that a local reference (#/…) leads to; false for
// any other and for one that leads nowhere.
func lookUp(root any, reference string) (any, bool) {
	pointer, local := strings.CutPrefix(reference, "#")
	tokens, err := parsePointer(pointer)
	if !local || err != nil {
		return nil, false
	}
	found, err := lookUpPointer(root, tokens)
	return found, err == nil
}

// subject returns how a message about a value begins.
func subject(what string) string {
	if what == "" {
		return "The input"
	}
	return what
}

// memberName returns the name of a member of a value, as in order.items[0].
func memberName(what, key string) string {
	if what == "" {
		return dottedPath("/" + exactjson.EscapeToken(key))
	}
	member := dottedPath("/" + exactjson.EscapeToken(key))
	if strings.HasPrefix(member, "[") {
		return what + member
	}
	return what + "." + member
}
