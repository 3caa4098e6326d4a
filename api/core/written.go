package core

import (
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"mime"
	"net/http"
	"strings"
)

// Authored is embedded in requests that take a definition: as an object, or as the text that its
// author wrote. Exactly one of the two may be given. Decoding puts both into Definition.
type Authored struct {
	Definition ParsedDefinition `json:"definition,omitempty"`
	Source     *SourceText      `json:"source,omitempty" doc:"Instead of definition: the text, which is kept with its comments and its order."`
}

// SourceText is a definition as a text. It may be as long as the body.
type SourceText struct {
	Format source.Format `json:"format" enum:"yaml,json"`
	Text   string        `json:"text" doc:"Lines and columns of diagnostics count in it."`
}

// SourceOf returns a text as answers show it; nil, which is left out, for none.
func SourceOf(w source.Written) *SourceText {
	if !w.Given() {
		return nil
	}
	return &SourceText{w.Format, w.Text}
}

// DefinitionPart is a definition within a request that has several of them: an object with a
// definition or a source, in JSON. Decoding fills it in.
type DefinitionPart struct{ ParsedDefinition }

// UnmarshalJSON refuses a part that decoding has not read, which is one of a YAML body.
func (*DefinitionPart) UnmarshalJSON([]byte) error {
	return Malformed("Send this body as JSON; each part of it may hold a source in YAML.")
}

// JSONSchema describes an object with a definition or a source.
func (DefinitionPart) JSONSchema() map[string]any {
	text := map[string]any{"type": "string"}
	return map[string]any{
		"type": "object", "description": "A definition: as an object, or as the text of its author.",
		"properties": map[string]any{
			"definition": ParsedDefinition{}.JSONSchema(),
			"source": map[string]any{
				"type": "object", "required": []string{"format", "text"},
				"properties": map[string]any{"format": map[string]any{"type": "string", "enum": []string{"yaml", "json"}}, "text": text},
			},
		},
	}
}

// yamlMedia is the media type of definitions in YAML (RFC 9512).
const yamlMedia = "application/yaml"

// isYAMLMedia reports whether a media type is YAML's, by its name or one of those before it.
func isYAMLMedia(media string) bool {
	return media == yamlMedia || media == "application/x-yaml" || media == "text/yaml"
}

// WantsYAML reports whether the client prefers YAML to JSON.
func (c *Call) WantsYAML() bool { return c.prefers(isYAMLMedia) }

// CSV is the media type of comma-separated values (RFC 4180).
const CSV = "text/csv"

// WantsCSV reports whether the client prefers CSV to JSON.
func (c *Call) WantsCSV() bool { return c.prefers(func(media string) bool { return media == CSV }) }

// prefers reports whether Accept names a media type that wanted reports true of, with a weight
// above 0 and at least that of JSON. Media ranges such as */* mean JSON.
func (c *Call) prefers(wanted func(media string) bool) bool {
	other, json := 0.0, 0.0
	for _, value := range c.Request.Header["Accept"] {
		for item := range strings.SplitSeq(value, ",") {
			media, params, _ := strings.Cut(item, ";")
			q, ok := weight(params)
			media, _, err := mime.ParseMediaType(media)
			if err != nil || !ok {
				continue
			}
			if wanted(media) {
				other = max(other, q)
			}
			if media == "application/json" {
				json = max(json, q)
			}
		}
	}
	return other > 0 && other >= json
}

// ReplyYAML sends a definition as YAML: the text that its author wrote, byte for byte, or where
// none is kept the one that is written from the canonical form.
func (c *Call) ReplyYAML(canonical []byte, written source.Written) error {
	text := []byte(written.Text)
	if !written.Given() {
		if err := c.ReserveMemory(source.Weight(canonical, source.JSON)); err != nil {
			return err
		}
		var err error
		if text, err = parser.YAML(canonical); err != nil {
			return err
		}
	}
	c.Writer.Header()["Vary"] = c.vary()
	return sendAs(c, http.StatusOK, yamlMedia, "", text)
}
