package versions

import (
	"regexp"
	"strconv"
)

// required reports fields that callers could leave out before.
func (i *impact) required(at, what string, a, b map[string]any) {
	before := map[string]bool{}
	for _, name := range stringsOf(a["required"]) {
		before[name] = true
	}
	for n, name := range stringsOf(b["required"]) {
		switch {
		case defaulted(b, name):
		case !before[name]:
			i.report(place(at+"/required", n), "%s is now required.", field(what, name))
		case defaulted(a, name):
			i.report(place(at+"/required", n), "%s has no default any more and is required.", field(what, name))
		}
	}
}

// defaulted tells whether a start puts a field in that the caller leaves out.
func defaulted(schema map[string]any, name string) bool {
	_, ok := mapOf(mapOf(schema["properties"])[name])["default"]
	return ok
}

func stringsOf(v any) []string {
	list, _ := v.([]any)
	names := make([]string, 0, len(list))
	for _, element := range list {
		name, _ := element.(string)
		names = append(names, name)
	}
	return names
}

// properties compares the fields of objects, and what holds for fields that
// the schema does not list.
func (i *impact) properties(at, what string, a, b map[string]any) {
	before, now := mapOf(a["properties"]), mapOf(b["properties"])
	for _, name := range keysOfBoth(before, now) {
		x, was := before[name]
		y, is := now[name]
		switch {
		case !is:
			i.dropped(at, field(what, name), name, x, b)
		case was:
			i.schema(at+"/properties/"+escapeToken(name), field(what, name), x, y)
		case y == false || typed(a["additionalProperties"]):
			i.schema(at+"/properties/"+escapeToken(name), field(what, name), elseOf(a, "additionalProperties"), y)
		}
	}
	for _, keyword := range []string{"additionalProperties", "unevaluatedProperties"} {
		rest, there := b[keyword]
		switch {
		case !there || elseOf(a, keyword) == false:
		case rest == false:
			i.report(at+"/"+keyword, "%s can no longer have fields that the schema does not list.", subject(what))
		default:
			i.schema(at+"/"+keyword, "Each other field of "+lower(subject(what)), elseOf(a, keyword), rest)
		}
	}
}

// dropped reports a field that was listed and is not, where the new schema does
// not take fields that it does not list.
func (i *impact) dropped(at, name, key string, before any, b map[string]any) {
	if before == false || matched(mapOf(b["patternProperties"]), key) {
		return
	}
	for _, keyword := range []string{"additionalProperties", "unevaluatedProperties"} {
		rest, there := b[keyword]
		switch {
		case !there:
		case rest == false:
			i.report(at+"/"+keyword, "%s is no longer accepted.", name)
			return
		default:
			i.schema(at+"/"+keyword, name, before, rest)
		}
	}
}

func matched(patterns map[string]any, key string) bool {
	for pattern := range patterns {
		if re, err := regexp.Compile(pattern); err == nil && re.MatchString(key) {
			return true
		}
	}
	return false
}

// typed tells whether a schema says more than yes or no.
func typed(schema any) bool {
	_, ok := schema.(map[string]any)
	return ok
}

// elseOf is a keyword's schema, or true where it is not there.
func elseOf(schema map[string]any, keyword string) any {
	if v, ok := schema[keyword]; ok {
		return v
	}
	return true
}

func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func lower(s string) string {
	if s == "The input" {
		return "the input"
	}
	return s
}

// items compares the elements of lists.
func (i *impact) items(at, what string, a, b map[string]any) {
	before, _ := a["prefixItems"].([]any)
	now, _ := b["prefixItems"].([]any)
	for n, y := range now {
		x := elseOf(a, "items")
		if n < len(before) {
			x = before[n]
		}
		i.schema(place(at+"/prefixItems", n), subject(what)+"["+strconv.Itoa(n)+"]", x, y)
	}
	rest, there := b["items"]
	if !there {
		return
	}
	for n := len(now); n < len(before); n++ {
		i.schema(at+"/items", subject(what)+"["+strconv.Itoa(n)+"]", before[n], rest)
	}
	i.schema(at+"/items", "Each item of "+lower(subject(what)), elseOf(a, "items"), rest)
}

// alternatives reports branches of anyOf and oneOf that are gone. New ones of
// anyOf only widen; a new one of oneOf may overlap another.
func (i *impact) alternatives(at, what string, a, b map[string]any) {
	for _, keyword := range []string{"anyOf", "oneOf"} {
		now, ok := b[keyword].([]any)
		if !ok {
			continue
		}
		before, was := a[keyword].([]any)
		if !was {
			i.report(at+"/"+keyword, "%s must now fit %s of %d alternatives.", subject(what), map[string]string{"anyOf": "one", "oneOf": "exactly one"}[keyword], len(now))
			continue
		}
		for n, x := range before {
			if !holds(now, x) {
				i.report(at+"/"+keyword, "%s may no longer fit: alternative %d of %s is gone or has changed.", subject(what), n+1, keyword)
			}
		}
		if keyword == "oneOf" && len(now) > len(before) {
			i.report(at+"/oneOf", "%s may no longer fit: it must still fit exactly one alternative, and there are more.", subject(what))
		}
	}
}

func holds(list []any, v any) bool {
	for _, w := range list {
		if equalByValue(v, w) {
			return true
		}
	}
	return false
}

// reference compares what $ref names where other keywords stand beside it. A
// name that leads nowhere is compared as it is written.
func (i *impact) reference(at, what string, a, b map[string]any) {
	now, there := b["$ref"].(string)
	if !there {
		return
	}
	if _, known := lookUp(i.after, now); !known {
		if a["$ref"] != now {
			i.report(at+"/$ref", "%s may no longer fit: $ref is new or has changed.", subject(what))
		}
		return
	}
	var before any = true
	if was, ok := a["$ref"]; ok {
		before = map[string]any{"$ref": was}
	} else if a != nil {
		before = a
	}
	i.schema(at, what, before, map[string]any{"$ref": now})
}

// undecided reports keywords that would have to be solved to be compared.
func (i *impact) undecided(at, what string, a, b map[string]any) {
	for _, keyword := range []string{
		"$dynamicRef", "allOf", "contains", "dependentRequired", "dependentSchemas", "else", "if", "maxContains",
		"minContains", "not", "patternProperties", "propertyNames", "then", "unevaluatedItems",
	} {
		now, there := b[keyword]
		if !there || equal(a[keyword], now) || keyword == "allOf" && allHeld(a[keyword], now) {
			continue
		}
		i.report(at+"/"+keyword, "%s may no longer fit: %s is new or has changed.", subject(what), keyword)
	}
}

// allHeld tells whether each schema of the second list was in the first.
func allHeld(before, now any) bool {
	x, y, both := lists(before, now)
	if !both {
		return false
	}
	for _, schema := range y {
		if !holds(x, schema) {
			return false
		}
	}
	return true
}
