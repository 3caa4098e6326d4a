package schemas

import (
	"errors"
	"fmt"
	"heddle/definitions/source"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// MismatchWords returns how a value breaks a schema, in words of ours that
// follow the name of the value: "must be text, not a number". It quotes no
// part of the value, which may hold a secret; names of members and what the
// schema says are quoted, shortened.
func MismatchWords(e *jsonschema.ValidationError) string {
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		return "must be " + TypeNames(k.Want) + ", not " + TypeNames([]string{k.Got})
	case *kind.Enum:
		return "must be one of " + strings.Join(quotedWords(k.Want), ", ")
	case *kind.Const:
		return "must be " + strings.Join(quotedWords([]any{k.Want}), "")
	case *kind.Required:
		return plural(k.Missing, "the field %s is missing", "the fields %s are missing")
	case *kind.AdditionalProperties:
		return plural(k.Properties, "the field %s is not allowed", "the fields %s are not allowed")
	case *kind.FalseSchema:
		return "nothing is allowed here"
	case *kind.Not:
		return "is what the schema excludes with not"
	case *kind.AnyOf:
		return "fits none of the schemas of anyOf"
	case *kind.OneOf:
		if len(k.Subschemas) > 0 {
			return "fits more than one of the schemas of oneOf"
		}
		return "fits none of the schemas of oneOf"
	case *kind.AllOf:
		return "does not fit all of the schemas of allOf"
	case *kind.MinLength:
		return fmt.Sprintf("has %d characters; at least %d are needed", k.Got, k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("has %d characters; at most %d are allowed", k.Got, k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("has %d items; at least %d are needed", k.Got, k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("has %d items; at most %d are allowed", k.Got, k.Want)
	case *kind.MinProperties:
		return fmt.Sprintf("has %d fields; at least %d are needed", k.Got, k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("has %d fields; at most %d are allowed", k.Got, k.Want)
	case *kind.Minimum:
		return "must be at least " + decimal(k.Want)
	case *kind.Maximum:
		return "must be at most " + decimal(k.Want)
	case *kind.ExclusiveMinimum:
		return "must be above " + decimal(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be below " + decimal(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + decimal(k.Want)
	case *kind.Pattern:
		return "must match the pattern " + source.Clip(k.Want)
	case *kind.Format:
		return "must be " + formatWords(k.Want)
	case *kind.UniqueItems:
		return fmt.Sprintf("the items %d and %d are equal", k.Duplicates[0], k.Duplicates[1])
	case *kind.Contains, *kind.MinContains:
		return "has too few items that fit contains"
	case *kind.MaxContains:
		return "has too many items that fit contains"
	case *kind.AdditionalItems:
		return fmt.Sprintf("has %d items too many", k.Count)
	case *kind.PropertyNames:
		return "the field name '" + source.Clip(k.Property) + "' is not allowed"
	case *kind.Dependency:
		return plural(k.Missing, "the field %s is needed beside '"+source.Clip(k.Prop)+"'", "the fields %s are needed beside '"+source.Clip(k.Prop)+"'")
	case *kind.DependentRequired:
		return plural(k.Missing, "the field %s is needed beside '"+source.Clip(k.Prop)+"'", "the fields %s are needed beside '"+source.Clip(k.Prop)+"'")
	case *kind.ContentEncoding:
		return "is not encoded as " + source.Clip(k.Want)
	case *kind.ContentMediaType:
		return "is not " + source.Clip(k.Want)
	}
	return "does not fit the schema"
}

// plural returns one or several with a list of at most 20 quoted names in the
// place of %s.
func plural(names []string, one, several string) string {
	quoted := make([]string, 0, len(names))
	for i, name := range names {
		if i == 20 {
			break
		}
		quoted = append(quoted, "'"+source.Clip(name)+"'")
	}
	if len(names) == 1 {
		return fmt.Sprintf(one, quoted[0])
	}
	list := strings.Join(quoted, ", ")
	if more := len(names) - len(quoted); more > 0 {
		list += fmt.Sprintf(" (and %d more)", more)
	}
	return fmt.Sprintf(several, list)
}

// quotedWords returns values of a schema as messages quote them, at most 20
// and then an ellipsis.
func quotedWords(values []any) []string {
	var out []string
	for i, value := range values {
		if i == 20 {
			return append(out, "…")
		}
		switch v := value.(type) {
		case string:
			out = append(out, "'"+source.Clip(v)+"'")
		case nil:
			out = append(out, "null")
		default:
			out = append(out, source.Clip(fmt.Sprint(v)))
		}
	}
	return out
}

// decimal returns a bound as a decimal number of at most 12 digits behind the
// point.
func decimal(r *big.Rat) string {
	// RatString of a fraction would be a fraction: 1/3.
	if r.IsInt() {
		return source.Clip(r.RatString())
	}
	return source.Clip(strings.TrimRight(r.FloatString(12), "0"))
}

// formatWords returns what a text of a format is, with an example.
func formatWords(name string) string {
	words := map[string]string{
		"date-time": "a time such as 2026-01-31T09:00:00Z", "date": "a date such as 2026-01-31", "time": "a time of day such as 09:00:00Z",
		"email": "an e-mail address", "uri": "a URI such as https://example.com/a", "uuid": "a UUID", "ipv4": "an IPv4 address", "ipv6": "an IPv6 address",
		"hostname": "a host name", "duration": "a duration such as PT5M", "regex": "a regular expression", "json-pointer": "a JSON pointer such as /a/b",
	}
	if w, ok := words[name]; ok {
		return w
	}
	return "a valid " + source.Clip(name)
}

// schemaMistakes says what stands at a keyword, for the keywords at which
// authors break the schema of schemas.
var schemaMistakes = map[string]string{
	"required":             "required is a list of names and stands beside properties: required: [name]",
	"items":                "items is one schema for all items; a list of schemas, one for each place, is prefixItems",
	"multipleOf":           "multipleOf must be above 0",
	"exclusiveMinimum":     "exclusiveMinimum is a number, and stands in the place of minimum",
	"exclusiveMaximum":     "exclusiveMaximum is a number, and stands in the place of maximum",
	"properties":           "properties is an object: {name: {type: string}}",
	"enum":                 "enum is a list of values",
	"additionalProperties": "additionalProperties is true, false or a schema",
	"pattern":              "pattern is a regular expression (RE2, without look-ahead), as text",
	"minLength":            "minLength is a whole number, 0 or more",
	"maxLength":            "maxLength is a whole number, 0 or more",
	"minItems":             "minItems is a whole number, 0 or more",
	"maxItems":             "maxItems is a whole number, 0 or more",
	"minimum":              "minimum is a number",
	"maximum":              "maximum is a number",
	"anyOf":                "anyOf is a list of schemas, and not empty",
	"oneOf":                "oneOf is a list of schemas, and not empty",
	"allOf":                "allOf is a list of schemas, and not empty",
	"$defs":                "$defs is an object: {name: schema}",
	"definitions":          "definitions is $defs now: {name: schema}",
	"dependencies":         "dependencies is dependentRequired or dependentSchemas now",
	"$ref":                 "$ref is text, such as #/$defs/name",
	"$id":                  "$id is not needed; leave it out",
	"$schema":              "$schema is https://json-schema.org/draft/2020-12/schema, or left out",
	"format":               "format is text, such as date-time",
	"description":          "description is text",
	"title":                "title is text",
	"uniqueItems":          "uniqueItems is true or false",
	"nullable":             "nullable is OpenAPI's: write type: [string, \"null\"]",
	"readOnly":             "readOnly is true or false",
	"const":                "const is a value",
}

// TypeSynonyms are the words of other languages for the types of JSON Schema,
// in small letters.
var TypeSynonyms = map[string]string{
	"str": "string", "text": "string", "varchar": "string", "char": "string", "datetime": "string", "date": "string", "date-time": "string", "time": "string", "uuid": "string", "url": "string", "email": "string", "file": "string", "secret": "string", "password": "string", "enum": "string", "json": "object",
	"int": "integer", "long": "integer", "int32": "integer", "int64": "integer", "bigint": "integer", "count": "integer",
	"float": "number", "double": "number", "decimal": "number", "numeric": "number", "real": "number",
	"bool": "boolean", "flag": "boolean", "yesno": "boolean", "checkbox": "boolean",
	"list": "array", "tuple": "array", "set": "array", "string[]": "array", "slice": "array", "sequence": "array",
	"dict": "object", "map": "object", "struct": "object", "record": "object", "hash": "object", "mapping": "object",
	"none": "null", "nil": "null", "undefined": "null", "void": "null",
}

// schemaType returns the type of JSON Schema that a word means, "" for none.
func schemaType(word string) string {
	if PlainType(word) {
		return word
	}
	if known := TypeSynonyms[strings.ToLower(word)]; known != "" {
		return known
	}
	return source.Nearest(word, []string{"array", "boolean", "integer", "null", "number", "object", "string"})
}

// schemaMistake returns what is wrong at a place of a schema that breaks the
// schema of schemas (e, whose value is at), and what stands there instead, ""
// where that is not known. The advice goes by the last two members of the
// path: a keyword, or a name below one.
func schemaMistake(e *jsonschema.ValidationError, at *source.Node) (say, suggest string) {
	if k, ok := e.ErrorKind.(*kind.Format); ok && errors.Is(k.Err, errPatternSize) {
		return errPatternSize.Error(), ""
	}
	say = MismatchWords(e)
	last := ""
	path := e.InstanceLocation
	if len(path) > 0 {
		last = path[len(path)-1]
	}
	// The keyword may be the member before the last, where the last is a name
	// or an index.
	holder := ""
	if len(path) > 1 {
		holder = path[len(path)-2]
	}
	switch {
	case holder == "properties" || holder == "$defs" || holder == "patternProperties":
		if at.Kind == source.String {
			if suggest = schemaType(at.Text); suggest != "" {
				return "the schema of '" + source.Clip(last) + "' is an object: write {type: " + suggest + "}", "{type: " + suggest + "}"
			}
		}
		return "the schema of '" + source.Clip(last) + "' is an object such as {type: string}, not " + at.Kind.String(), ""
	// type: strng, or an entry of a list of types.
	case last == "type" || holder == "type":
		if at.Kind == source.String {
			suggest = schemaType(at.Text)
		}
		say = "type must be one of array, boolean, integer, null, number, object, string, or a list of those"
		if suggest != "" {
			say += ". Did you mean '" + suggest + "'?"
		}
		return say, suggest
	}
	if mistake := schemaMistakes[last]; mistake != "" {
		return mistake, ""
	}
	if mistake := schemaMistakes[holder]; mistake != "" {
		return mistake + "; here the item " + say, ""
	}
	return say, ""
}

// TypeNames returns types of JSON Schema as messages name them: "text or
// null".
func TypeNames(types []string) string {
	words := map[string]string{
		"string": "text", "number": "a number", "integer": "a whole number", "boolean": "a boolean",
		"array": "a list", "object": "an object", "null": "null",
	}
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = words[t]
	}
	return strings.Join(out, " or ")
}

// PlainType reports whether a word is a type of JSON Schema.
func PlainType(word string) bool {
	return slices.Contains([]string{"array", "boolean", "integer", "null", "number", "object", "string"}, word)
}
