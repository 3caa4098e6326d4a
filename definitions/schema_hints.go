package definitions

import "strings"

// schemaKeywords are the keywords of JSON Schema 2020-12, and annotations
// that tools write beside them.
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

// schemaAdvice is what stands in the place of a keyword of another draft or
// language.
var schemaAdvice = map[string]advice{
	"nullable":        {write: "nullable is OpenAPI's, and has no effect: write type: [string, \"null\"]"},
	"definitions":     {suggest: "$defs", write: "definitions is $defs since draft 2019-09"},
	"dependencies":    {suggest: "dependentRequired", write: "dependencies is dependentRequired, or dependentSchemas, since draft 2019-09"},
	"additionalitems": {suggest: "items", write: "additionalItems is items beside prefixItems since draft 2020-12"},
	"id":              {suggest: "$id"},
	"optional":        {write: "optional has no effect: what is not named in required is optional"},
	"divisibleby":     {suggest: "multipleOf"},
	"extends":         {suggest: "allOf"},
	"disallow":        {suggest: "not"},
	"values":          {suggest: "enum"},
	"choices":         {suggest: "enum"},
	"allowedvalues":   {suggest: "enum"},
	"oneof":           {suggest: "oneOf"},
	"min":             {suggest: "minimum", write: "write minimum for a number, minLength for a text, minItems for a list"},
	"max":             {suggest: "maximum", write: "write maximum for a number, maxLength for a text, maxItems for a list"},
	"minvalue":        {suggest: "minimum"},
	"maxvalue":        {suggest: "maximum"},
	"length":          {suggest: "maxLength", write: "write minLength and maxLength"},
	"regex":           {suggest: "pattern"},
	"fields":          {suggest: "properties"},
	"props":           {suggest: "properties"},
	"attributes":      {suggest: "properties"},
	"members":         {suggest: "properties"},
	"parameters":      {suggest: "properties"},
	"params":          {suggest: "properties"},
	"arguments":       {suggest: "properties"},
	"args":            {suggest: "properties"},
	"inputs":          {suggest: "properties"},
	"variables":       {suggest: "properties"},
	"vars":            {suggest: "properties"},
	"keys":            {suggest: "properties"},
	"label":           {suggest: "title"},
	"displayname":     {suggest: "title"},
	"help":            {suggest: "description"},
	"doc":             {suggest: "description"},
	"hint":            {suggest: "description"},
	"defaultvalue":    {suggest: "default"},
	"mandatory":       {suggest: "required", write: "required is a list of names and stands beside properties: required: [name]"},
	"itemtype":        {suggest: "items", write: "write items: {type: …}"},
	"of":              {suggest: "items", write: "write items: {type: …}"},
	"types":           {suggest: "type"},
	"kind":            {suggest: "type"},
	"schema":          {write: "schema has no effect: write its content one level up"},
	"discriminator":   {write: "discriminator is OpenAPI's, and has no effect; write oneOf with const"},
}

// schemaHints warns of keywords that have no effect, in all subschemas: of what
// is misspelt, of another draft or language, and of names that stand where
// properties is needed.
func (v *validator) schemaHints(at *node, what string, depth int) {
	if at == nil || at.kind != object || depth > maxDepthOfHints {
		return
	}
	if v.shorthand(at, what) {
		return
	}
	v.misspeltRequired(at, what)
	for i, key := range at.keys {
		kid := at.kids[i]
		switch key {
		case "properties", "$defs", "definitions", "patternProperties", "dependentSchemas":
			if kid.kind == object {
				for _, sub := range kid.kids {
					v.schemaHints(sub, what, depth+1)
				}
			}
		case "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems":
			v.schemaHints(kid, what, depth+1)
		case "allOf", "anyOf", "oneOf", "prefixItems":
			if kid.kind == array {
				for _, sub := range kid.kids {
					v.schemaHints(sub, what, depth+1)
				}
			}
		}
		if !schemaKeywords[key] && !strings.HasPrefix(strings.ToLower(key), "x-") {
			v.schemaKeyword(kid, key, what)
		}
	}
}

const maxDepthOfHints = 32

// misspeltRequired warns of a required name that a property almost has. One that
// none resembles may be meant: a property need not be listed.
func (v *validator) misspeltRequired(at *node, what string) {
	properties, required := at.member("properties"), at.member("required")
	if properties == nil || properties.kind != object || required == nil || required.kind != array {
		return
	}
	for _, name := range required.kids {
		if name.kind != text || properties.member(name.text) != nil {
			continue
		}
		if near := v.nearest(name.text, func() []string { return properties.keys }); near != "" {
			v.finds.warn(SchemaKeyword, name, "'%s' is required in %s, and is none of its properties", clip(name.text), what).suggest(near)
		}
	}
}

// schemaKeyword warns of one keyword that has no effect.
func (v *validator) schemaKeyword(at *node, key, what string) {
	d := v.finds.warn(SchemaKeyword, at, "'%s' in %s is no keyword of JSON Schema (2020-12) and has no effect", clip(key), what).onKey()
	if found, ok := schemaAdvice[letters(key)]; ok {
		if found.write == "" {
			d.suggest(found.suggest)
			return
		}
		d.hint(found.suggest).Message += ". " + sentence(found.write)
		return
	}
	d.suggest(v.nearest(key, schemaKeywordList))
}

func schemaKeywordList() []string {
	return strings.Fields(`properties required type items enum const description default minimum maximum minLength maxLength pattern format
		minItems maxItems uniqueItems additionalProperties title anyOf oneOf allOf prefixItems patternProperties exclusiveMinimum exclusiveMaximum
		multipleOf dependentRequired $defs $ref examples not contains minProperties maxProperties propertyNames`)
}

// shorthand warns of {customer: string}, in which names stand where a schema
// has its keywords. False: it is none.
func (v *validator) shorthand(at *node, what string) bool {
	if len(at.keys) == 0 || len(at.keys) > 200 || plainType(textOf(at.member("type"))) {
		return false
	}
	foreign := -1
	for i, key := range at.keys {
		if strong[key] || strings.HasPrefix(key, "$") || !looksLikeField(at.kids[i]) {
			return false
		}
		if foreign < 0 && !schemaKeywords[key] {
			foreign = i
		}
	}
	if foreign < 0 {
		return false
	}
	name := at.keys[foreign]
	write := "{type: object, properties: {" + clip(name) + ": " + fieldSchema(at.kids[foreign]) + "}}"
	v.finds.warn(SchemaKeyword, at.kids[foreign], "'%s' stands in %s where JSON Schema has its keywords, and has no effect: write %s", clip(name), what, write).onKey().hint(write)
	return true
}

// strong are keywords that no field is called in practice.
var strong = map[string]bool{"properties": true, "required": true, "items": true, "additionalProperties": true, "enum": true, "const": true, "anyOf": true, "oneOf": true, "allOf": true, "not": true, "if": true, "then": true, "else": true}

func plainType(word string) bool {
	return contains([]string{"array", "boolean", "integer", "null", "number", "object", "string"}, word)
}

// looksLikeField: a name with a type, with a schema, or with a default.
func looksLikeField(n *node) bool {
	switch n.kind {
	case text:
		return plainType(n.text) || jsonTypes[strings.ToLower(strings.TrimRight(n.text, "?"))] != ""
	case object:
		t := n.member("type")
		return t != nil && t.kind == text
	}
	return false
}

func fieldSchema(n *node) string {
	if n.kind == text {
		word := strings.TrimRight(n.text, "?")
		if known := jsonTypes[strings.ToLower(word)]; known != "" {
			word = known
		}
		return "{type: " + word + "}"
	}
	return "{type: " + clip(n.member("type").text) + "}"
}
