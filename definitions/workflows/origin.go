package workflows

import "encoding/json"

// Origin says which version of a template a workflow was made of, and how.
// Name is the name that was asked for, "" for the template's own; Parameters
// are those that were given; Definition is what they made, in canonical form,
// which later versions of the template are merged against.
type Origin struct {
	TemplateID string
	Version    int
	Name       string
	Parameters json.RawMessage
	Definition json.RawMessage
}
