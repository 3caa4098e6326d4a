package versions

import (
	"heddle/internal/exactjson"
	"regexp"
	"strconv"
)

// required reports fields that callers could leave out before and no longer
// can. A field with a default is filled in when a run starts, so it is never
// missing.
func (i *impact) required(at, what string, a, b map[string]any) {
	was, now := stringsOf(a["required"]), stringsOf(b["required"])
	if !i.spend(len(was) + len(now)) {
		return
	}
	before := map[string]bool{}
	for _, name := range was {
		before[name] = true
	}
	for n, name := range now {
		switch {
		case defaulted(b, name):
		case !before[name]:
			i.report(pointer(at+"/required", n), "%s is now required.", memberName(what, name))
		case defaulted(a, name):
			i.report(pointer(at+"/required", n), "%s has no default any more and is required.", memberName(what, name))
		}
	}
}

// defaulted reports whether a field has a default, which is filled in at a start
// where the caller leaves it out.
func defaulted(schema map[string]any, name string) bool {
	_, ok := mapOf(mapOf(schema["properties"])[name])["default"]
	return ok
}

// stringsOf returns the elements of a list, "" for those that are not strings.
func stringsOf(v any) []string {
	list, _ := v.([]any)
	names := make([]string, 0, len(list))
	for _, element := range list {
		name, _ := element.(string)
		names = append(names, name)
	}
	return names
}

// properties compares the listed fields of objects, and the schemas for fields
// that are not listed. A field that is listed for the first time is compared
// with what was said about unlisted ones, where anything was.
func (i *impact) properties(at, what string, a, b map[string]any) {
	before, now := mapOf(a["properties"]), mapOf(b["properties"])
	for _, name := range keysOfBoth(before, now) {
		x, was := before[name]
		y, is := now[name]
		switch {
		case !is:
			i.droppedProperty(at, memberName(what, name), name, x, b)
		case was:
			i.schema(at+"/properties/"+exactjson.EscapeToken(name), memberName(what, name), x, y)
		// Listed for the first time: what was accepted there is known only
		// where something was said about it.
		case y == false || isObject(a["additionalProperties"]):
			i.schema(at+"/properties/"+exactjson.EscapeToken(name), memberName(what, name), keywordOrTrue(a, "additionalProperties"), y)
		}
	}
	for _, keyword := range []string{"additionalProperties", "unevaluatedProperties"} {
		rest, there := b[keyword]
		switch {
		// Nothing is restricted now, or nothing was accepted before.
		case !there || keywordOrTrue(a, keyword) == false:
		case rest == false:
			i.report(at+"/"+keyword, "%s can no longer have fields that the schema does not list.", subject(what))
		default:
			i.schema(at+"/"+keyword, "Each other field of "+lowerCased(subject(what)), keywordOrTrue(a, keyword), rest)
		}
	}
}

// droppedProperty reports a field that was listed and no longer is, where the new
// schema does not accept fields that it does not list.
func (i *impact) droppedProperty(at, name, key string, before any, b map[string]any) {
	if before == false || i.matchesPattern(mapOf(b["patternProperties"]), key) {
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

// matchesPattern reports whether one of the patterns matches a key; true where there is no
// work left to find out. A pattern that Go's regular expressions cannot read matches nothing.
func (i *impact) matchesPattern(patterns map[string]any, key string) bool {
	// Sorted, so that the same patterns are tried where the work ends.
	if !i.spend(20 * len(patterns)) {
		return true
	}
	for _, pattern := range exactjson.Names(patterns) {
		re, known := i.patterns[pattern]
		if !known {
			// A repetition makes much of a few bytes; schemas.NewChecker bounds it.
			if !i.spend(100 * len(pattern)) {
				return true
			}
			re, _ = regexp.Compile(pattern)
			i.patterns[pattern] = re
		}
		if !i.spend(len(pattern) + len(key)) {
			return true
		}
		if re != nil && re.MatchString(key) {
			return true
		}
	}
	return false
}

// isObject reports whether a schema is an object, rather than true or false.
func isObject(schema any) bool {
	_, ok := schema.(map[string]any)
	return ok
}

// keywordOrTrue returns the schema of a keyword, or true (anything) where it is
// missing.
func keywordOrTrue(schema map[string]any, keyword string) any {
	if v, ok := schema[keyword]; ok {
		return v
	}
	return true
}

// mapOf returns a value as an object, nil where it is not one.
func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// lowerCased returns what subject returned for use inside a sentence; names of
// fields keep their case.
func lowerCased(s string) string {
	if s == "The input" {
		return "the input"
	}
	return s
}

// items compares the elements of lists: those with a place of their own
// (prefixItems), and all others.
func (i *impact) items(at, what string, a, b map[string]any) {
	before, _ := a["prefixItems"].([]any)
	now, _ := b["prefixItems"].([]any)
	for n, y := range now {
		x := keywordOrTrue(a, "items")
		if n < len(before) {
			x = before[n]
		}
		i.schema(pointer(at+"/prefixItems", n), subject(what)+"["+strconv.Itoa(n)+"]", x, y)
	}
	// Without items, elements behind the listed ones may be anything.
	rest, there := b["items"]
	if !there {
		return
	}
	for n := len(now); n < len(before); n++ {
		i.schema(at+"/items", subject(what)+"["+strconv.Itoa(n)+"]", before[n], rest)
	}
	i.schema(at+"/items", "Each item of "+lowerCased(subject(what)), keywordOrTrue(a, "items"), rest)
}

// alternatives reports branches of anyOf and oneOf that are gone or changed. A new
// branch of anyOf only accepts more; a new one of oneOf may overlap another.
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
		gone, _ := i.missing(before, now)
		for _, n := range gone {
			i.report(at+"/"+keyword, "%s may no longer fit: alternative %d of %s is gone or has changed.", subject(what), n+1, keyword)
		}
		if keyword == "oneOf" && len(now) > len(before) {
			i.report(at+"/oneOf", "%s may no longer fit: it must still fit exactly one alternative, and there are more.", subject(what))
		}
	}
}

// reference compares the targets of $ref where other keywords stand beside it. A
// reference that leads nowhere here is compared as text.
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
	// A reference is compared with a reference; without one, the old schema is
	// compared as a whole.
	if was, ok := a["$ref"]; ok {
		before = map[string]any{"$ref": was}
	} else if a != nil {
		before = a
	}
	i.schema(at, what, before, map[string]any{"$ref": now})
}

// undecided reports new or changed keywords whose effect cannot be decided by
// comparing them.
func (i *impact) undecided(at, what string, a, b map[string]any) {
	for _, keyword := range []string{
		"$dynamicRef", "allOf", "contains", "dependentRequired", "dependentSchemas", "else", "if", "maxContains",
		"minContains", "not", "patternProperties", "propertyNames", "then", "unevaluatedItems",
	} {
		now, there := b[keyword]
		if !there || exactjson.Equal(a[keyword], now) || keyword == "allOf" && i.containsAll(a[keyword], now) {
			continue
		}
		i.report(at+"/"+keyword, "%s may no longer fit: %s is new or has changed.", subject(what), keyword)
	}
}

// containsAll reports whether each schema of the second list is in the first.
func (i *impact) containsAll(before, now any) bool {
	x, y, both := lists(before, now)
	if !both {
		return false
	}
	gone, ok := i.missing(y, x)
	return ok && len(gone) == 0
}
