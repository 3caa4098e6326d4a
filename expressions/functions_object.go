package expressions

import "heddle/internal/exactjson"

// objectFunctions are the functions on objects.
var objectFunctions = map[string]function{
	"keys":      {1, 1, func(e *evaluation, a []any) (any, *Error) { return e.members(a[0], memberKey) }},
	"values":    {1, 1, func(e *evaluation, a []any) (any, *Error) { return e.members(a[0], memberValue) }},
	"toPairs":   {1, 1, func(e *evaluation, a []any) (any, *Error) { return e.members(a[0], memberPair) }},
	"fromPairs": {1, 1, fromPairs},
}

// memberKey, memberValue and memberPair choose what the functions of
// objectFunctions list of each member.
func memberKey(k string, _ any) any   { return k }
func memberValue(_ string, v any) any { return v }
func memberPair(k string, v any) any  { return []any{k, v} }

// members lists what pick returns for each member, in the order of the keys:
// the same object always yields the same list. Objects are capped as lists are,
// at MaxList members.
func (e *evaluation) members(v any, pick func(string, any) any) (any, *Error) {
	object, ok := objectOf(v)
	if !ok {
		return nil, fail(CodeType, "expected an object, got %s", kindOf(v))
	}
	if err := capList(len(object)); err != nil {
		return nil, err
	}
	out := make([]any, 0, len(object))
	for _, k := range exactjson.Names(object) {
		out = append(out, pick(k, object[k]))
	}
	return out, e.spend(2 * len(out))
}

// fromPairs is fromPairs(list): an object of [[key, value], …]; the last of
// equal keys counts. The error has CodeType for what is not such a list; keys
// are strings.
func fromPairs(e *evaluation, a []any) (any, *Error) {
	list, err := e.listArg(a[0])
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(list))
	for _, x := range list {
		pair, ok := listOf(x)
		if !ok || len(pair) != 2 {
			return nil, fail(CodeType, "expected pairs [key, value], got %s", kindOf(x))
		}
		key, ok := pair[0].(string)
		if !ok {
			return nil, fail(CodeType, "expected a string as key, got %s", kindOf(pair[0]))
		}
		out[key] = pair[1]
	}
	return out, nil
}
