package validation

import (
	"heddle/definitions/advice"
	"heddle/definitions/schemas"
	"heddle/definitions/source"
	"strings"
)

// schemaKeywords are the keywords of JSON Schema 2020-12, and annotations
// that tools write beside them. What is not among them has no effect, which
// authors do not notice.
var schemaKeywords = func() map[string]bool {
	known := map[string]bool{}
	for word := range strings.FieldsSeq(`$schema $id $ref $defs $anchor $dynamicRef $dynamicAnchor $vocabulary $comment
		allOf anyOf oneOf not if then else dependentSchemas prefixItems items contains properties patternProperties additionalProperties
		propertyNames unevaluatedItems unevaluatedProperties type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum
		maxLength minLength pattern maxItems minItems uniqueItems maxContains minContains maxProperties minProperties required dependentRequired
		title description default deprecated readOnly writeOnly examples format contentEncoding contentMediaType contentSchema
		example order ui widget placeholder group propertyOrder markdownDescription enumNames enumDescriptions errorMessage options secret`) {
		known[word] = true
	}
	return known
}()

// schemaAdvice says what to write in the place of a keyword of another draft
// or language, by the keyword's letters (advice.Letters).
var schemaAdvice = map[string]advice.Replacement{
	"nullable":        {Write: "nullable is OpenAPI's, and has no effect: write type: [string, \"null\"]"},
	"definitions":     {Suggest: "$defs", Write: "definitions is $defs since draft 2019-09"},
	"dependencies":    {Suggest: "dependentRequired", Write: "dependencies is dependentRequired, or dependentSchemas, since draft 2019-09"},
	"additionalitems": {Suggest: "items", Write: "additionalItems is items beside prefixItems since draft 2020-12"},
	"id":              {Suggest: "$id"},
	"optional":        {Write: "optional has no effect: what is not named in required is optional"},
	"divisibleby":     {Suggest: "multipleOf"},
	"extends":         {Suggest: "allOf"},
	"disallow":        {Suggest: "not"},
	"values":          {Suggest: "enum"},
	"choices":         {Suggest: "enum"},
	"allowedvalues":   {Suggest: "enum"},
	"oneof":           {Suggest: "oneOf"},
	"min":             {Suggest: "minimum", Write: "write minimum for a number, minLength for a text, minItems for a list"},
	"max":             {Suggest: "maximum", Write: "write maximum for a number, maxLength for a text, maxItems for a list"},
	"minvalue":        {Suggest: "minimum"},
	"maxvalue":        {Suggest: "maximum"},
	"length":          {Suggest: "maxLength", Write: "write minLength and maxLength"},
	"regex":           {Suggest: "pattern"},
	"fields":          {Suggest: "properties"},
	"props":           {Suggest: "properties"},
	"attributes":      {Suggest: "properties"},
	"members":         {Suggest: "properties"},
	"parameters":      {Suggest: "properties"},
	"params":          {Suggest: "properties"},
	"arguments":       {Suggest: "properties"},
	"args":            {Suggest: "properties"},
	"inputs":          {Suggest: "properties"},
	"variables":       {Suggest: "properties"},
	"vars":            {Suggest: "properties"},
	"keys":            {Suggest: "properties"},
	"label":           {Suggest: "title"},
	"displayname":     {Suggest: "title"},
	"help":            {Suggest: "description"},
	"doc":             {Suggest: "description"},
	"hint":            {Suggest: "description"},
	"defaultvalue":    {Suggest: "default"},
	"mandatory":       {Suggest: "required", Write: "required is a list of names and stands beside properties: required: [name]"},
	"itemtype":        {Suggest: "items", Write: "write items: {type: …}"},
	"of":              {Suggest: "items", Write: "write items: {type: …}"},
	"types":           {Suggest: "type"},
	"kind":            {Suggest: "type"},
	"schema":          {Write: "schema has no effect: write its content one level up"},
	"discriminator":   {Write: "discriminator is OpenAPI's, and has no effect; write oneOf with const"},
}

// hints warns of keywords that have no effect, in all subschemas: of
// what is misspelt, of another draft or language, and of names that stand
// where properties is needed. A schema that cannot be used gets them as well,
// since they often say why.
func (v *schemaValidator) hints(at *source.Node, what string, depth int) {
	if at == nil || at.Kind != source.Object || depth > maxDepthOfHints {
		return
	}
	// Its names are fields and not keywords: hints about each would all be
	// wrong.
	if v.shorthand(at, what) {
		return
	}
	v.misspeltRequired(at, what)
	for i, key := range at.Keys {
		kid := at.Kids[i]
		switch key {
		// Members are names here, and their values are schemas.
		case "properties", "$defs", "definitions", "patternProperties", "dependentSchemas":
			if kid.Kind == source.Object {
				for _, sub := range kid.Kids {
					v.hints(sub, what, depth+1)
				}
			}
		case "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems":
			v.hints(kid, what, depth+1)
		case "allOf", "anyOf", "oneOf", "prefixItems":
			if kid.Kind == source.Array {
				for _, sub := range kid.Kids {
					v.hints(sub, what, depth+1)
				}
			}
		}
		// x- begins annotations of OpenAPI and of tools.
		if !schemaKeywords[key] && !strings.HasPrefix(strings.ToLower(key), "x-") {
			v.keyword(kid, key, what)
		}
	}
}

// maxDepthOfHints is how deep subschemas are looked at; the texts of authors
// are shallower.
const maxDepthOfHints = 32

// misspeltRequired warns of a required name that a property almost has. One that
// none resembles may be meant: a property need not be listed.
func (v *schemaValidator) misspeltRequired(at *source.Node, what string) {
	properties, required := at.Member("properties"), at.Member("required")
	if properties == nil || properties.Kind != source.Object || required == nil || required.Kind != source.Array {
		return
	}
	for _, name := range required.Kids {
		if name.Kind != source.String || properties.Member(name.Text) != nil {
			continue
		}
		if near := v.nearest(name.Text, func() []string { return properties.Keys }); near != "" {
			v.finds.Warn(source.SchemaKeyword, name, "'%s' is required in %s, and is none of its properties", source.Clip(name.Text), what).DidYouMean(near)
		}
	}
}

// keyword warns of one keyword that has no effect. at is its value.
func (v *schemaValidator) keyword(at *source.Node, key, what string) {
	d := v.finds.Warn(source.SchemaKeyword, at, "'%s' in %s is not a keyword of JSON Schema (2020-12) and has no effect", source.Clip(key), what).AtKey()
	if found, ok := schemaAdvice[advice.Letters(key)]; ok {
		if found.Write == "" {
			d.DidYouMean(found.Suggest)
			return
		}
		d.WithSuggestion(found.Suggest).Message += ". " + source.Capitalize(found.Write)
		return
	}
	d.DidYouMean(v.nearest(key, schemaKeywordList))
}

// schemaKeywordList returns the keywords that are worth suggesting, the usual
// ones first.
func schemaKeywordList() []string {
	return strings.Fields(`properties required type items enum const description default minimum maximum minLength maxLength pattern format
		minItems maxItems uniqueItems additionalProperties title anyOf oneOf allOf prefixItems patternProperties exclusiveMinimum exclusiveMaximum
		multipleOf dependentRequired $defs $ref examples not contains minProperties maxProperties propertyNames`)
}

// shorthand warns of {customer: string}, in which names stand where a schema
// has its keywords, and reports whether at is of that kind. Nothing else is
// then said about its members. An object with a type, or a keyword that no
// field is called, is a schema.
func (v *schemaValidator) shorthand(at *source.Node, what string) bool {
	if len(at.Keys) == 0 || len(at.Keys) > 200 || schemas.PlainType(source.TextOf(at.Member("type"))) {
		return false
	}
	foreign := -1
	for i, key := range at.Keys {
		if strong[key] || strings.HasPrefix(key, "$") || !looksLikeField(at.Kids[i]) {
			return false
		}
		if foreign < 0 && !schemaKeywords[key] {
			foreign = i
		}
	}
	// All its keys are keywords, so it may be a schema: {title: string} does not
	// show it.
	if foreign < 0 {
		return false
	}
	name := at.Keys[foreign]
	write := "{type: object, properties: {" + source.Clip(name) + ": " + fieldSchema(at.Kids[foreign]) + "}}"
	v.finds.Warn(source.SchemaKeyword, at.Kids[foreign], "'%s' stands in %s where JSON Schema has its keywords, and has no effect: write %s", source.Clip(name), what, write).AtKey().WithSuggestion(write)
	return true
}

// strong are keywords that no field is called in practice: an object with one
// is a schema.
var strong = map[string]bool{"properties": true, "required": true, "items": true, "additionalProperties": true, "enum": true, "const": true, "anyOf": true, "oneOf": true, "allOf": true, "not": true, "if": true, "then": true, "else": true}

// looksLikeField reports whether a value describes a field: it is the name of
// a type, or an object with one.
func looksLikeField(n *source.Node) bool {
	switch n.Kind {
	case source.String:
		return schemas.PlainType(n.Text) || schemas.TypeSynonyms[strings.ToLower(strings.TrimRight(n.Text, "?"))] != ""
	case source.Object:
		t := n.Member("type")
		return t != nil && t.Kind == source.String
	default: // nothing to do for the others
	}
	return false
}

// fieldSchema returns the schema that such a value stands for, as flow YAML.
func fieldSchema(n *source.Node) string {
	if n.Kind == source.String {
		word := strings.TrimRight(n.Text, "?")
		if known := schemas.TypeSynonyms[strings.ToLower(word)]; known != "" {
			word = known
		}
		return "{type: " + word + "}"
	}
	return "{type: " + source.Clip(n.Member("type").Text) + "}"
}
